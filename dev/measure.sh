#!/usr/bin/env bash
# measure.sh: what the services do, beside what lapin, PostgreSQL and hyper can do, in one run on this machine.
# Brings the servers it needs, as test.sh does, and takes them down again. Takes about three minutes.
set -euo pipefail
# shellcheck source=dev/services/lib.sh
. "$(dirname "$0")/services/lib.sh"
cd "$SERVICES/../.."

case ${1:-} in
--help | -h)
    cat <<'END'
Usage: ./dev/measure.sh

Orders accepted and processed per second by real order-service and order-worker processes over PostgreSQL and RabbitMQ,
beside raw lapin and raw sqlx in the same run. Prints a table with minimum, median and maximum of the rounds.

  WOODY_LOAD_SECONDS=5     how long each load lasts
  WOODY_LOAD_ROUNDS=3      how often everything is measured
  WOODY_LOAD_PREFETCH=200  the worker's prefetch
END
    exit
    ;;
esac

dir=$(mktemp -d)
trap '"$SERVICES/down.sh" "$dir" >/dev/null 2>&1 || true' EXIT
cargo build --release -p woody-adapters
cargo bench --bench load --no-run
# shellcheck source=/dev/null
eval "$("$SERVICES/up.sh" "$dir" | grep '^export ')"
WOODY_TEST_RABBITMQ_VERSION=$("$SERVICES/rabbitmq.sh" version "$dir") cargo bench --quiet --bench load
