#!/usr/bin/env bash
# The times that orders are told, beside those at which they ended, with real services: a table.
set -euo pipefail
# shellcheck source=dev/services/lib.sh
. "$(dirname "$0")/services/lib.sh"
cd "$SERVICES/../.."

usage() {
    cat <<'END'
Usage: ./dev/forecasts.sh [--orders N] [--out FILE]

Runs two order-services and five order-workers over a RabbitMQ and a PostgreSQL of its own, places orders evenly, in
bursts, with short and long validations, too many of them, with a worker killed and with all workers updated, and prints
in how many cases the p50 and the p90 that an order was told were kept.

  --orders N    place N orders in all, at some 110 a second; 20000
  --out FILE    write the table as JSON, too; target/forecasts.json
  --help        this text

WOODY_FORECASTS_PROFILE=dev builds without optimisation, which is quicker to build; release is the default.
Exit code 0: p90 was kept in 85 to 95 % of all orders. 1: it was not, or an order was lost. 2: wrong arguments.
END
}

orders=20000 out=target/forecasts.json
while [ $# -gt 0 ]; do
    case $1 in
    --orders | --out)
        [ -n "${2:-}" ] || die "$1 needs a value"
        printf -v "${1#--}" %s "$2"
        shift
        ;;
    --help | -h)
        usage
        exit
        ;;
    *)
        usage >&2
        exit 2
        ;;
    esac
    shift
done
case $orders in *[!0-9]* | '' | 0*) die "--orders is a number" ;; esac

profile=()
case ${WOODY_FORECASTS_PROFILE:-release} in
release) profile=(--release) ;;
dev) ;;
*) die "WOODY_FORECASTS_PROFILE is release or dev" ;;
esac
# By themselves the programs keep things in memory and in SQLite.
suite=(cargo test "${profile[@]}" -p woody-adapters --features postgres --features rabbitmq --test forecasts)
"${suite[@]}" --no-run

dir=$(mktemp -d "${TMPDIR:-/tmp}/woody-test.XXXXXX")
echo "$$ $(birth $$)" >"$dir/owner" # so that the next run of test.sh cleans up after one that was killed
trap '"$SERVICES/down.sh" "$dir" </dev/null >/dev/null 2>&1 || true' EXIT
"$SERVICES/up.sh" "$dir" </dev/null >"$dir/up.log" 2>&1 || die "$(cat "$dir/up.log")"
# shellcheck source=/dev/null
. "$dir/env"
mkdir -p "$(dirname "$out")"
WOODY_FORECASTS_ORDERS=$orders WOODY_FORECASTS_JSON=$(realpath "$out") "${suite[@]}" -- --include-ignored --nocapture
echo "The same as JSON is in $out"
