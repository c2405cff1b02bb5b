#!/usr/bin/env bash
# Rehearses an update: replaces every task of each service in turn, as a new version would, while orders are placed all
# the time, and reports what clients noticed.
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source=stack/secrets.sh
. ./secrets.sh
# shellcheck source=stack/registry.sh
. ./registry.sh
# shellcheck source=stack/ports.sh
. ./ports.sh
# shellcheck source=stack/waiting.sh
. ./waiting.sh

usage() {
    cat <<'END'
Usage: ./stack/rehearse.sh [BASE] [--rate N] [--to VERSION] [--services 'NAME ...']

Updates one service after the other while orders are placed through the gateway at a steady rate, and while the service
itself is asked for what it answers; then waits until every order has its final state, and audits what was promised. The
gateway is left out unless it is named: on one node its port has one holder at a time, so an update of it is a gap of a
second or two. Nothing is tried again: a request that fails is one that a client without patience sees fail.

  BASE              http://127.0.0.1
  --rate N          orders a second; 200
  --to VERSION      update to this version of our images; without it each task is replaced by its like
  --services NAMES  front misc-service product-service order-service order-worker rabbitmq database
  --help            this text

The limit per client must not hold for this machine: deploy with WOODY_RATE_EXEMPT=ADDRESS or WOODY_RATE_LIMIT=0.
  WOODY_KEY_FILE=PATH       holds the key to show, where the shop's clients have keys; only with WOODY_LOAD
  WOODY_LOAD='woodyctl'     how to run woodyctl for the load; by default its image, on this host's network

Exit code 0: no request failed, no order was lost or doubled. 1: something was. 2: wrong arguments.
END
}

say() { printf '%s\n' "$*" >&2; }
die() {
    say "rehearse: $*"
    exit 1
}

base=http://127.0.0.1 rate=200 to='' services=(front misc-service product-service order-service order-worker rabbitmq database)
while [ $# -gt 0 ]; do
    case $1 in
    --rate | --to | --services)
        [ -n "${2:-}" ] || die "$1 needs a value"
        case $1 in
        --rate) rate=$2 ;;
        --to) to=$2 ;;
        --services) read -r -a services <<<"$2" ;;
        esac
        shift
        ;;
    --help | -h)
        usage
        exit
        ;;
    -*)
        usage >&2
        exit 2
        ;;
    *) base=${1%/} ;;
    esac
    shift
done
for service in "${services[@]}"; do
    docker service inspect "${STACK}_$service" >/dev/null 2>&1 || die "there is no service ${STACK}_$service"
done

work=$(mktemp -d)
chmod 777 "$work" # the load's container is nobody
job=''
finish() {
    if [ "$job" ]; then kill "$job" 2>/dev/null && wait "$job" 2>/dev/null; fi
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

command -v python3 >/dev/null || die "python3 is missing: it reads what woodyctl and RabbitMQ report"
image=$(docker service inspect --format '{{.Spec.TaskTemplate.ContainerSpec.Image}}' "${STACK}_order-service")
woodyctl=${image%%@*}
woodyctl=${woodyctl/order-service/woodyctl}
pull=missing
is_from_registry "$woodyctl" || pull=never
read -r -a load <<<"${WOODY_LOAD:-docker run --rm --pull $pull --network host --volume $work:$work $woodyctl}"

# redelivered: how often RabbitMQ has handed out a message again, as its management page counts since it started.
redelivered() {
    local host=${base#*://}
    load_passwords || return 0
    curl --silent --max-time 10 --user "woody:$RABBITMQ_PASSWORD" \
        "http://${host%%[:/]*}:${WOODY_MANAGEMENT_PORT:-15672}/api/queues/%2F/order_processing" |
        python3 -c 'import json, sys; print(json.load(sys.stdin).get("message_stats", {}).get("redeliver", 0))' 2>/dev/null
}

probe=$("${load[@]}" load "$base" --rate 50 --for 1s --output json) ||
    die "orders are refused before anything is updated: $probe
    the limit per client must not hold for this machine: deploy with WOODY_RATE_EXEMPT=ADDRESS or WOODY_RATE_LIMIT=0"

# figure NAME FILE: what a report says under this name; of a list, how many it has.
figure() {
    python3 - "$1" "$work/$2" <<'END'
import json, sys
with open(sys.argv[2], encoding="utf-8") as report:
    said = json.load(report)[sys.argv[1]]
print(len(said) if isinstance(said, list) else said if isinstance(said, str) else json.dumps(said))
END
}

# update SERVICE: replaces its tasks, and waits until that is done.
update() {
    local change=(--force)
    case $1 in
    rabbitmq | database) ;;
    *) [ -z "$to" ] || change=(--force --image "${image%/*}/$1:$to" --no-resolve-image) ;;
    esac
    wait_notes_the_past swarm_look
    docker service update --quiet --detach "${change[@]}" "${STACK}_$1" >/dev/null
    wait_until_healthy swarm_look 600 "$1" >"$work/waited" 2>&1 || die "${STACK}_$1 was not updated: $(tail -n 1 "$work/waited")"
}

# The routes of a service besides orders.
also() {
    case $1 in
    front) echo --also / ;;
    misc-service) echo --also /api/misc/time --also '/api/misc/heavy?name=Train' ;;
    product-service) echo --also /api/products/last --also '/api/products?limit=2' ;;
    esac
}

say "placing $rate orders/s at $base"
printf '%-16s %8s %9s %9s %7s %8s %7s %11s %12s\n' service seconds accepted 'also asked' failed refused 'p99 ms' 'longest gap' redelivered
bad='' promised=0
for service in "${services[@]}"; do
    before=$(redelivered || true)
    # shellcheck disable=SC2046 # several arguments
    "${load[@]}" load "$base" --rate "$rate" --for 2h $(also "$service") --ledger "$work/ledger.$service" --output json \
        >"$work/report" 2>"$work/problems" &
    job=$!
    update "$service"
    kill -TERM "$job"
    wait "$job" || true # its verdict is in the report
    job=''
    [ -s "$work/report" ] || die "the load said nothing: $(cat "$work/problems")"
    after=$(redelivered || true)
    printf '%-16s %8.0f %9s %9s %7s %8s %7s %8s ms %12s\n' "$service" "$(figure seconds report)" "$(figure accepted report)" \
        "$(figure also_answered report)" "$(figure failed report)" "$(figure refused report)" "$(figure p99_ms report)" \
        "$(figure longest_gap_ms report)" "$([ "${after:-0}" -ge "${before:-1}" ] && echo $((after - before)) || echo '-')"
    if [ "$(figure failed report)" != 0 ] || [ "$(figure refused report)" != 0 ]; then
        bad=yes
        say "  the first failure: $(figure first_failure report)"
    fi
    cat "$work/ledger.$service" >>"$work/ledger"
    promised=$((promised + $(wc -l <"$work/ledger.$service")))
    # Both down at once is another exercise: our services have this long to find their way back.
    case $service in rabbitmq | database) sleep 10 ;; esac
done

say 'waiting for the last orders to end'
for _ in {1..60}; do
    ./ctl.sh orders audit --promised /dev/stdin --output json <"$work/ledger" >"$work/audit" 2>"$work/problems" || true
    [ "$(figure promised_pending audit 2>/dev/null)" != 0 ] || break
    sleep 1
done
[ -s "$work/audit" ] || die "no audit: $(cat "$work/problems")"

echo "of $promised orders promised $(figure unaccounted audit) are lost, $(figure doubled audit) doubled, $(figure promised_pending audit) without an end"
[ -z "$bad" ] && [ "$(figure kept audit)" = true ] && [ "$(figure promised_pending audit)" = 0 ]
