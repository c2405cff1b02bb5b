#!/usr/bin/env bash
# The stack on a real Docker Swarm: deployed, asked, updated and hurt under load, scaled, saved and brought back.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
    cat <<'END'
Usage: ./dev/test-swarm.sh [--keep]

Deploys the stack from nothing (an engine is started if none answers, images are built) and tests it as its users would,
then removes everything. It refuses to touch a stack that is deployed already.

  --keep   leave the stack as it is at the end; later: stack/teardown.sh --volumes --leave, stack/engine.sh down
  --help   this text

  WOODY_IMAGE_PROFILE=swarm-test   cargo's profile: quick to build; with `dist`, what is shipped, the sizes count too
Exit code 0: everything passed. 1: something did not. 2: wrong arguments.
END
}
keep=''
case ${1:-} in
'') ;;
--keep) keep=yes ;;
--help | -h)
    usage
    exit
    ;;
*)
    usage >&2
    exit 2
    ;;
esac

export WOODY_STACK=woodytest REGISTRY=woodytest WOODY_HTTP_PORT=${WOODY_HTTP_PORT:-80} WOODY_MANAGEMENT_PORT=${WOODY_MANAGEMENT_PORT:-15672}
export WOODY_IMAGE_PROFILE=${WOODY_IMAGE_PROFILE:-swarm-test}
# Quick, but otherwise as in production.
export WOODY_UPDATE_DELAY=1s WOODY_UPDATE_MONITOR=5s WOODY_HEALTH_INTERVAL=2s
PROGRAMS=${CARGO_TARGET_DIR:-$PWD/target}/$(uname -m)-unknown-linux-gnu/$WOODY_IMAGE_PROFILE
BASE=http://127.0.0.1:$WOODY_HTTP_PORT
WORK=$(mktemp -d)
export WOODY_SECRETS_DIR=$WORK/secrets
# shellcheck source=stack/secrets.sh
. stack/secrets.sh
# shellcheck source=stack/ports.sh
. stack/ports.sh
# shellcheck source=stack/waiting.sh
. stack/waiting.sh
started_engine='' made_swarm=''

say() { printf '[%4d s] %s\n' "$SECONDS" "$*"; }
die() {
    printf '%s\n' "test-swarm: $*" >&2
    exit 1
}

passed=0 failed=0
ok() {
    passed=$((passed + 1))
    printf '  ok      %s\n' "$*"
}
no() {
    failed=$((failed + 1))
    printf '  FAILED  %s\n' "$*"
}
# check WHAT CMD...: passes when the command does; shows what it printed when it does not.
check() {
    local what=$1
    shift
    if "$@" >"$WORK/said" 2>&1; then ok "$what"; else
        no "$what"
        sed 's/^/      /' "$WORK/said" | tail -n 40
    fi
}

# within SECONDS CMD...
within() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.5
    done
}

finish() {
    local code=$?
    trap - EXIT INT TERM
    jobs -p | xargs -r kill 2>/dev/null || true
    wait 2>/dev/null || true
    if [ -z "$keep" ]; then
        drop_host one
        drop_host two
        drop_host load
        if [ "$(docker info --format '{{.Swarm.ControlAvailable}}' 2>/dev/null)" = true ]; then
            stack/teardown.sh --volumes ${made_swarm:+--leave} || code=1
        fi
        drop_images
        if [ "$started_engine" ]; then stack/engine.sh down || code=1; fi
        rm -rf "$WORK"
    else
        echo "kept: stack $WOODY_STACK, secrets in $WOODY_SECRETS_DIR"
    fi
    exit "$code"
}
# --- hosts of our own, each with its address ---
# host NAME N: a network namespace that reaches this machine at 10.97.N.1, as 10.97.N.2.
host() {
    drop_host "$1"
    ip netns add "woody-$1"
    ip link add "woody-$1" type veth peer name eth0 netns "woody-$1"
    ip addr add "10.97.$2.1/24" dev "woody-$1"
    ip link set "woody-$1" up
    ip -n "woody-$1" addr add "10.97.$2.2/24" dev eth0
    ip -n "woody-$1" link set eth0 up
    ip -n "woody-$1" link set lo up
    ip -n "woody-$1" route add default via "10.97.$2.1"
}
drop_host() {
    ip netns del "woody-$1" 2>/dev/null || true
    ip link del "woody-$1" 2>/dev/null || true
}
drop_images() { docker image ls --format "{{.Repository}}:{{.Tag}}" "$REGISTRY/*" 2>/dev/null | xargs -r docker image rm --force >/dev/null || true; }
from() { ip netns exec "woody-$1" "${@:2}"; }

# --- getting there ---
say 'deploy, from nothing'
for needed in curl ip openssl nsenter; do command -v "$needed" >/dev/null || die "$needed is missing"; done
if ! docker info >/dev/null 2>&1; then
    started_engine=yes made_swarm=yes
elif [ "$(docker info --format '{{.Swarm.LocalNodeState}}')" != active ]; then
    made_swarm=yes
elif docker stack ls --format '{{.Name}}' 2>/dev/null | grep -qx "$WOODY_STACK"; then
    die "the stack $WOODY_STACK is deployed: take it down first"
fi
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
drop_images # of a run that was killed
host one 1 && host two 2 && host load 3
export WOODY_RATE_EXEMPT=10.97.3.2
from_nothing() { stack/deploy-swarm.sh 2>&1 | tee "$WORK/deployed" | sed 's/^/          /'; }
if from_nothing; then ok 'deploy-swarm.sh brings everything up'; else
    no 'deploy-swarm.sh brings everything up'
    exit 1
fi

say 'ask' # without these two nothing else says anything
check 'test-services.sh finds everything as it should be' stack/test-services.sh "$BASE"
[ "$failed" = 0 ] || exit 1

# --- what stands in the way of a deployment ---
say 'what stands in the way, and what is waited for'
check "in the way of an update is nothing, the stack's own ports least of all" stack/preflight.sh
dev/test-waiting.sh "$REGISTRY/gateway:latest" | tee "$WORK/waits" | sed '$d' || true
if read -r ours _ theirs _ < <(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$WORK/waits"); then
    passed=$((passed + ours)) failed=$((failed + theirs))
else no 'dev/test-waiting.sh came to its end'; fi

# --- images and configuration ---
say 'images and configuration'
for image in gateway front misc-service product-service order-service order-worker woodyctl; do
    docker tag "$REGISTRY/$image:latest" "$REGISTRY/$image:test-2"
done
# One that cannot start.
docker build --quiet --tag "$REGISTRY/order-service:broken" - >/dev/null <<END
FROM $REGISTRY/order-service:latest
ENTRYPOINT ["/service", "--no-such-flag"]
END
small() { awk '$1 ~ /service|worker|ctl/ && $4 == "MB" && $3 >= 15 { print; bad = 1 } END { exit bad }' "$WORK/deployed"; }
# A quick build is no small one: nothing is said of its size.
if [ "$WOODY_IMAGE_PROFILE" = dist ]; then check 'each of our programs is an image below 15 MB' small; fi
if docker stack --help | grep -q ' config '; then # since Docker 23
    check 'the stack file is one' docker stack config -c stack/stack.yml
    check 'so it is with TLS' docker stack config -c stack/stack.yml -c stack/tls.yml
fi
check "nginx takes the gateway's configuration" docker run --rm --read-only --tmpfs /tmp "$REGISTRY/gateway:latest" nginx -t
check "and the front's" docker run --rm --read-only --tmpfs /tmp "$REGISTRY/front:latest" nginx -t

speaks_tls() {
    local id answer=''
    mkdir -p "$WORK/tls"
    openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost -keyout "$WORK/tls/woody_tls_key" \
        -out "$WORK/tls/woody_tls_certificate" 2>/dev/null && chmod 644 "$WORK/tls"/* || return
    id=$(docker run --detach --read-only --tmpfs /tmp --publish 127.0.0.1:8443:8443 --volume "$WORK/tls:/run/secrets:ro" \
        "$REGISTRY/gateway:latest" nginx -g 'daemon off;') || return
    # Nobody is behind it; it says so, encrypted.
    within 20 says_so || answer=no
    docker rm --force "$id" >/dev/null
    [ -z "$answer" ]
}
says_so() {
    curl --silent --insecure --output /dev/null --write-out '%{http_version} %{scheme} %{http_code}\n' https://127.0.0.1:8443/ |
        grep -ix '2 https 502'
}
check 'with a certificate the gateway speaks TLS and HTTP/2' speaks_tls

# --- containers ---
say 'containers'
task() { docker ps --quiet --filter "label=com.docker.swarm.service.name=${WOODY_STACK}_$1" --filter health=healthy | head -n 1; }
confined() {
    local id facts bad=0
    for id in $(docker ps --quiet --filter "label=com.docker.stack.namespace=$WOODY_STACK"); do
        facts=$(docker inspect --format '{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.Privileged}} {{.HostConfig.CapDrop}} {{.Config.User}}' "$id")
        [[ $facts =~ ^true\ false\ \[ALL\]\ [1-9][0-9]*:[1-9][0-9]*$ ]] || { docker inspect --format '{{.Name}}' "$id" && echo "$facts" && bad=1; }
        # And so says the kernel.
        awk '/^(CapEff|CapPrm|CapBnd):/ && $2 !~ /^0+$/ { print; bad = 1 } END { exit bad }' \
            "/proc/$(docker inspect --format '{{.State.Pid}}' "$id")/status" || bad=1
    done
    return $bad
}
check 'every container is read-only, nobody, and without capabilities' confined
no_secret() {
    ! docker ps --quiet --filter "label=com.docker.stack.namespace=$WOODY_STACK" |
        xargs docker inspect --format '{{.Config.Env}}' | grep -iE 'postgres://|amqp://|PASSWORD='
}
check 'no secret is in an environment' no_secret

# ready SERVICE: from `docker start` to its readiness, in ms, beside a task whose network it shares.
ready() {
    local service=$1 beside id pid began
    beside=$(task "$service")
    id=$(load_passwords && docker create --network "container:$beside" --read-only \
        --env WOODY_LISTEN=127.0.0.1:5999 --env WOODY_ADMIN_LISTEN=127.0.0.1:9999 \
        --env "WOODY_STORE_URL=$(secret store_url)" --env "WOODY_BROKER_URL=$(secret broker_url)" "$REGISTRY/$service:latest")
    pid=$(docker inspect --format '{{.State.Pid}}' "$beside")
    began=$(date +%s%N)
    docker start "$id" >/dev/null
    until nsenter --target "$pid" --net curl --silent --fail --output /dev/null http://127.0.0.1:9999/readyz; do
        [ $(($(date +%s%N) - began)) -lt 20000000000 ] || break
    done
    echo $((($(date +%s%N) - began) / 1000000))
    docker rm --force "$id" >/dev/null
}
for service in misc-service product-service order-service order-worker; do
    took=$(ready "$service")
    if [ "$took" -lt 1000 ]; then ok "$service: from start to ready $took ms"; else no "$service: from start to ready $took ms"; fi
done

# --- gateway ---
say 'gateway'
# misses NAME: of twelve requests for heavy work.
misses() {
    for _ in {1..12}; do from load curl --silent --output /dev/null --dump-header - "http://10.97.3.1:$WOODY_HTTP_PORT/api/misc/heavy?name=$1"; done | grep -ci 'fwd=miss' || true
}
one_cache() {
    local name
    for name in ark boat crane dice elk frog; do [ "$(misses "$name")" = 1 ] || { echo "$name: $(misses "$name") misses" && return 1; }; done
}
check 'three replicas hold one cache: each of six toys is planned once' one_cache
# served HOST N [CURL ARGS...]: of N requests as fast as they go.
served() {
    local host=$1 n=$2 at
    shift 2
    case $host in one) at=10.97.1.1 ;; two) at=10.97.2.1 ;; *) at=10.97.3.1 ;; esac
    for _ in $(seq "$n"); do echo "url = http://$at:$WOODY_HTTP_PORT/api/misc/time"; echo 'output = /dev/null'; done |
        from "$host" curl --silent --no-progress-meter --parallel --parallel-max 20 --write-out '%{http_code}\n' "$@" --config - | grep -c 200 || true
}
per_client() {
    local one two forged exempt
    one=$(served one 150)
    two=$(served two 20)
    forged=$(served one 60 --header 'X-Forwarded-For: 203.0.113.7' --header 'X-Real-IP: 203.0.113.7')
    exempt=$(served load 150)
    echo "one client $one of 150, another 20 of $two, the first with a forged address $forged of 60, an exempt one $exempt of 150"
    [ "$one" -ge 21 ] && [ "$one" -lt 100 ] && [ "$two" = 20 ] && [ "$forged" -lt 40 ] && [ "$exempt" = 150 ]
}
check 'the limit is for each client, whatever it says of itself' per_client
[ ! -s "$WORK/said" ] || sed 's/^/          /' "$WORK/said"
streamed() {
    local id
    id=$(from load curl --silent --json '{"product": "Train"}' "http://10.97.3.1:$WOODY_HTTP_PORT/api/orders" | grep -oE '[0-9a-f-]{36}' | head -n 1)
    from load curl --silent --no-buffer --max-time 30 "http://10.97.3.1:$WOODY_HTTP_PORT/api/orders/$id/events" | tee /dev/stderr | grep -q '"status":"success"'
}
check "an order's events come through, to the last" streamed

# --- updates under load ---
say 'updates under load'
export WOODY_LOAD="ip netns exec woody-load $PROGRAMS/woodyctl"
LOAD_BASE=http://10.97.3.1:$WOODY_HTTP_PORT
# rehearsed WHAT ARGS...: its table is shown too.
rehearsed() {
    check "$1" stack/rehearse.sh "$LOAD_BASE" "${@:2}"
    grep -E '^(service|front|misc|product|order|rabbitmq|database|of)' "$WORK/said" | sed 's/^/          /' || true
}
rehearsed 'every service is updated at 200 orders/s, and nobody notices' \
    --rate 200 --to test-2 --services 'order-service order-worker misc-service product-service front'
rehearsed 'so are RabbitMQ and PostgreSQL, at 50 orders/s' --rate 50 --services 'rabbitmq database'

# load_while NAME CMD...: orders at 50 a second while the command runs; fails when either does.
load_while() {
    local job code=0
    # Not by way of a function: `ip` becomes the program, and the signal reaches it.
    ip netns exec woody-load "$PROGRAMS/woodyctl" load "$LOAD_BASE" --rate 50 --for 1h --output json >"$WORK/report" 2>&1 &
    job=$!
    "$@" || code=1
    kill -TERM "$job"
    wait "$job" || code=1
    cat "$WORK/report"
    return $code
}
rolls_back() {
    docker service update --quiet --detach --no-resolve-image --image "$REGISTRY/order-service:broken" "${WOODY_STACK}_order-service"
    within 120 update_is rollback_completed
}
update_is() { [ "$(docker service inspect --format '{{if .UpdateStatus}}{{.UpdateStatus.State}}{{end}}' "${WOODY_STACK}_order-service")" = "$1" ]; }
check 'a broken version is rolled back by itself, and nobody notices' load_while rolls_back
# lets_in PART PASSWORD
lets_in() {
    case $1 in
    database) docker exec --env PGPASSWORD="$2" "$(task database)" psql --quiet --host 127.0.0.1 --user woody --command 'SELECT 1' ;;
    rabbitmq) curl --silent --fail --user "woody:$2" "http://127.0.0.1:$WOODY_MANAGEMENT_PORT/api/whoami" ;;
    esac
}
rotates() {
    local old
    old=$(cat "$(kept "$1")")
    within 30 lets_in "$1" "$old" && stack/rotate.sh "$1" && within 30 lets_in "$1" "$(cat "$(kept "$1")")" && ! lets_in "$1" "$old"
}
check "the database's password is rotated, and orders are accepted all the time" load_while rotates database
check "so is RabbitMQ's" load_while rotates rabbitmq
replicas() { docker service ls --filter "name=${WOODY_STACK}_$1" --format '{{.Replicas}}'; }
# replaced TASK: it runs no more, and there are five again.
replaced() { [ "$(docker inspect --format '{{.State.Running}}' "$1")" != true ] && [ "$(replicas order-worker)" = 5/5 ]; }
healed() {
    local victim
    victim=$(task order-worker)
    docker kill "$victim" && within 60 replaced "$victim"
}
check 'a task that is killed is replaced' healed

# --- scaling ---
say 'scale'
# More workers do more at once where a validation is waiting for somebody.
bridge=$(docker network inspect docker_gwbridge --format '{{(index .IPAM.Config 0).Gateway}}')
cargo build --quiet --example validation_service
"${CARGO_TARGET_DIR:-target}/debug/examples/validation_service" "$bridge:7099" 200 >/dev/null &
# order_workers CMD...: changes them, and waits until they are as they should be.
order_workers() {
    wait_notes_the_past swarm_look
    "$@" >/dev/null
    wait_until_healthy swarm_look 180 order-worker >"$WORK/waited" 2>&1 || tail -n 3 "$WORK/waited"
}
order_workers docker service update --quiet --detach --env-add WOODY_VALIDATION=none \
    --env-add "WOODY_VALIDATOR_URL=http://$bridge:7099/" "${WOODY_STACK}_order-worker"
# throughput: orders a second that are ended, over ten seconds with a backlog.
ended() { { stack/ctl.sh orders audit --patience 0s --output json 2>/dev/null || true; } | grep -oE '"success":[0-9]+' | cut -d: -f2; }
throughput() {
    local before after
    from load "$PROGRAMS/woodyctl" load "$LOAD_BASE" --rate 200 --for 5s >/dev/null
    before=$(ended)
    sleep 10
    after=$(ended)
    echo $(((after - before) / 10))
}
with_five=$(throughput)
order_workers docker service scale --detach "${WOODY_STACK}_order-worker=10"
with_ten=$(throughput)
if [ "$with_five" -gt 0 ] && [ "$with_ten" -ge $((with_five * 3 / 2)) ]; then
    ok "five workers end $with_five orders/s that take 200 ms, ten end $with_ten"
else
    no "five workers end $with_five orders/s that take 200 ms, ten end $with_ten"
fi

# --- save and bring back ---
say 'save and bring back'
orders() { { stack/ctl.sh orders audit --patience 0s --output json || true; } | grep -oE '"stored":[0-9]+' | cut -d: -f2; }
all_back() { [ "$(replicas order-service)" = 2/2 ] && [ "$(replicas order-worker)" = 10/10 ]; }
saved_and_back() {
    local before after
    stack/backup.sh "$WORK/shop.dump" || return
    before=$(orders)
    from load "$PROGRAMS/woodyctl" load "$LOAD_BASE" --rate 10 --for 1s || return
    stack/restore.sh "$WORK/shop.dump" --yes || return
    within 90 all_back || return
    after=$(orders)
    echo "$before orders before, $after after"
    [ "$after" -ge "$before" ]
}
check 'the database is saved and brought back' saved_and_back
doctor() { "$PROGRAMS/woodyctl" doctor stack/stack.yml; }
check 'woodyctl doctor has nothing to say' doctor

say 'done'
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
