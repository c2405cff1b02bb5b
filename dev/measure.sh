#!/usr/bin/env bash
# measure.sh: what the services do, beside what lapin, PostgreSQL and hyper can do, in one run on this machine.
# Brings the servers it needs, as test.sh does, and takes them down again.
set -euo pipefail
# shellcheck source=dev/services/lib.sh
. "$(dirname "$0")/services/lib.sh"
cd "$SERVICES/../.."

if [ "${1:-}" = --help ] || [ "${1:-}" = -h ]; then
    cat <<'END'
Usage: ./dev/measure.sh [OPTIONS]

Real order-service, order-worker and misc-service processes under load, over PostgreSQL and RabbitMQ, beside raw lapin, sqlx
and hyper in the same run: a table with the limit beside what it limits, with processor time and bytes of WAL for each order,
and plots. Without options everything, three rounds, about three quarters of an hour.

WOODY_LOAD_PROFILE=dist measures programs built as those in images are, which takes some minutes more; release is the default.
OPTIONS are those of the harness:

END
    exec cargo bench --quiet --bench load -- --help
fi

profile=${WOODY_LOAD_PROFILE:-release}
case $profile in release | dist) ;; *) die "WOODY_LOAD_PROFILE is release or dist" ;; esac
programs=${CARGO_TARGET_DIR:-target}/$profile

dir=$(mktemp -d)
trap '"$SERVICES/down.sh" "$dir" >/dev/null 2>&1 || true' EXIT
cargo build --profile "$profile" -p woody-adapters -p woodyctl --features postgres,rabbitmq
cargo bench --bench load --no-run
# shellcheck source=/dev/null
eval "$("$SERVICES/up.sh" "$dir" | grep '^export ')"
WOODY_TEST_RABBITMQ_VERSION=$("$SERVICES/rabbitmq.sh" version "$dir") \
    cargo bench --quiet --bench load -- --programs "$programs" "$@"
