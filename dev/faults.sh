#!/usr/bin/env bash
# The shop under faults, for as long as you like: a table of what each did to orders, clients and recovery.
# shellcheck disable=SC2317 # functions called by way of `trap`
set -euo pipefail
# shellcheck source=dev/services/lib.sh
. "$(dirname "$0")/services/lib.sh"
cd "$SERVICES/../.."

usage() {
    cat <<'END'
Usage: ./dev/faults.sh [--minutes N] [--only NAME] [--orders WHICH] [--rate N]
       ./dev/faults.sh --outage [--seconds N] [--rate N]
       ./dev/faults.sh --healthy [--minutes N] [--rate N]
       ./dev/faults.sh --alerts [--only NAME]

Runs the four services over a RabbitMQ and a PostgreSQL of its own, under orders all the time, and does to them what
production does: every fault once, then two at a time, until the time is over. At the end it prints what came of each.

  --minutes N   go on for N minutes; 10 unless --only says which
  --only NAME   only faults whose name contains NAME, each once
  --orders WHICH
                toys (the default); nested: another type, with lists, optional fields and names in other scripts; or
                both: one fault with these, the next with those
  --rate N      orders a second; 100, and 500 with --outage
  --outage      instead: the database down, then RabbitMQ down
  --seconds N   how long each is down; 60
  --healthy     instead: no fault for N minutes, then an update and a burst; fails when any process says meanwhile
                that something is wrong
  --alerts      instead: every fault for three minutes, each in a shop of its own, three at once (an hour in all);
                fails when a Prometheus with the rules of stack/observe fires anything but the alert of the fault
  --help        this text

Columns: late = refused more than a second after the fault began (0 with one dependency down: the breakers are open);
no answer = the client heard nothing, so nothing was promised; p99 = of the orders accepted after the first second of
the fault; failed = ended as Failed, by the validator's doing; recovery = until all that was accepted before the
fault's end had a final state, from that end.

WOODY_FAULTS_PROFILE=dev builds without optimisation, which is quicker to build; release is the default.
Exit code 0: nothing lost, doubled, left pending or refused late. 1: something was. 2: wrong arguments.
END
}

minutes='' only='' orders=toys rate='' outage='' healthy='' alerts='' seconds=60
while [ $# -gt 0 ]; do
    case $1 in
    --minutes | --only | --orders | --rate | --seconds)
        [ -n "${2:-}" ] || die "$1 needs a value"
        printf -v "${1#--}" %s "$2"
        shift
        ;;
    --outage) outage=yes ;;
    --healthy) healthy=yes ;;
    --alerts) alerts=yes ;;
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
case $orders in toys | nested | both) ;; *) die "--orders is toys, nested or both" ;; esac
if [ -z "$minutes$only$outage$alerts" ]; then minutes=10; fi

set -m
job='' dir=''
finish() {
    local code=$?
    trap - EXIT INT TERM
    if [ -n "$job" ]; then
        kill -TERM -- "-$job" 2>/dev/null || true
        wait "$job" 2>/dev/null || true
    fi
    if [ -n "$dir" ]; then "$SERVICES/down.sh" "$dir" </dev/null || true; fi
    exit "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

run() {
    "$@" </dev/null &
    job=$!
    local code=0
    wait "$job" || code=$?
    job=''
    return "$code"
}

profile=()
case ${WOODY_FAULTS_PROFILE:-release} in
release) profile=(--release) ;;
dev) ;;
*) die "WOODY_FAULTS_PROFILE is release or dev" ;;
esac
# With a package's tests cargo builds its programs too: woodyctl is one of those that the suite runs.
suite=(cargo test "${profile[@]}" -p woody-adapters -p woodyctl --features woody-adapters/failpoints
    --test faults --test commands)
run "${suite[@]}" --no-run

dir=$(mktemp -d "${TMPDIR:-/tmp}/woody-test.XXXXXX")
echo "$$ $(birth $$)" >"$dir/owner" # so that the next run of test.sh cleans up after one that was killed
DIR=$dir
find_source # asked once, for all servers below
export WOODY_TEST_SERVICES_DIR=$dir
export WOODY_FAULTS_MINUTES=$minutes WOODY_FAULTS_ONLY=$only WOODY_FAULTS_RATE=$rate WOODY_FAULTS_OUTAGE=
export WOODY_FAULTS_ORDERS=$orders
if [ "$outage" ]; then
    export WOODY_FAULTS_OUTAGE=$seconds WOODY_FAULTS_RATE=${rate:-500}
fi
test=no_fault_loses_or_doubles_an_order
if [ "$healthy" ]; then
    export WOODY_FAULTS_HEALTHY=$minutes
    test=a_healthy_shop_is_never_said_to_be_wrong
fi
if [ "$alerts" ]; then
    WOODY_TEST_PROMETHEUS=$("$SERVICES/prometheus.sh")/prometheus
    export WOODY_TEST_PROMETHEUS WOODY_FAULTS_ALERTS=180
    test=each_fault_fires_its_alert_and_no_other
fi
run "${suite[@]}" -- --include-ignored --nocapture "$test"
