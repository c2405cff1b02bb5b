#!/usr/bin/env bash
# up.sh DIR: starts RabbitMQ and PostgreSQL for tests, both at once, with their state in DIR, and prints the lines
# `export WOODY_TEST_...=...` that tests read (also kept in DIR/env). Take them down with down.sh DIR.
set -euo pipefail
# shellcheck source=dev/services/lib.sh
. "$(dirname "$0")/lib.sh"

open_dir "${1:-}"
find_source

"$SERVICES/rabbitmq.sh" start "$DIR" &
rabbitmq=$!
"$SERVICES/postgres.sh" start "$DIR" &
postgres=$!
failed=''
wait "$rabbitmq" || failed=yes
wait "$postgres" || failed=yes
[ -z "$failed" ] || die "the services did not start"

# A test that stops its server runs "$WOODY_TEST_RABBITMQ_CTL" stop, restart, kill...: DIR is filled in.
control() {
    # shellcheck disable=SC2016
    printf '#!/usr/bin/env bash\nexec %q "$1" %q "${@:2}"\n' "$SERVICES/$1.sh" "$DIR" >"$DIR/$1-ctl"
    chmod +x "$DIR/$1-ctl"
}
control rabbitmq
control postgres

(umask 077 && {
    "$SERVICES/postgres.sh" env "$DIR"
    "$SERVICES/rabbitmq.sh" env "$DIR"
    printf 'export WOODY_TEST_POSTGRES_CTL=%q\n' "$DIR/postgres-ctl"
    printf 'export WOODY_TEST_RABBITMQ_CTL=%q\n' "$DIR/rabbitmq-ctl"
    # A test that needs a server to itself starts one in a directory below this one; it is taken down with the rest.
    printf 'export WOODY_TEST_SERVICES_DIR=%q\n' "$DIR"
    # A browser is no server, but tests that need one look here too.
    if command -v chromedriver >/dev/null; then
        printf 'export WOODY_TEST_CHROMEDRIVER=%q\n' "$(command -v chromedriver)"
        # Without it the tests that need it fail, and say so.
        if axe=$("$SERVICES/axe.sh"); then printf 'export WOODY_TEST_AXE=%q\n' "$axe"; fi
    fi
    # Nor is this one, for the shop's tests start it themselves.
    if prometheus=$("$SERVICES/prometheus.sh"); then printf 'export WOODY_TEST_PROMETHEUS=%q\n' "$prometheus/prometheus"; fi
} >"$DIR/env")
cat "$DIR/env"
