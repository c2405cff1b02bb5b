#!/usr/bin/env bash
# The stack on a real Docker Swarm: deployed, asked, updated and hurt under load, scaled, saved and brought back. This makes
# what the tests of dev/swarm/ need, runs them, and takes everything down again.
# shellcheck disable=SC2317 # functions called by way of `trap`
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
    cat <<'END'
Usage: ./dev/test-swarm.sh [--keep] [NAME...]

Deploys the stack from nothing (an engine is started if none answers, images are built) and tests it as its users would,
then removes everything. It refuses to touch a stack that is deployed already.

  NAME     only tests whose name contains a NAME, after the deployment: `updates`, `tls`
  --keep   leave the stack as it is at the end; later: stack/teardown.sh --volumes --leave, stack/engine.sh down
  --list   the names of all tests
  --help   this text

  WOODY_IMAGE_PROFILE=swarm-test   cargo's profile: quick to build; with `dist`, what is shipped, the sizes count too
Exit code 0: everything passed. 1: something did not. 2: wrong arguments.
END
}
# As dev/test.sh builds the tests: what one has built the other need not.
suite() { cargo test --quiet --workspace --all-features --test swarm -- "$@"; }
keep='' names=()
while [ $# -gt 0 ]; do
    case $1 in
    --keep) keep=yes ;;
    --list)
        suite --list
        exit
        ;;
    --help | -h)
        usage
        exit
        ;;
    -*)
        usage >&2
        exit 2
        ;;
    *) names+=("$1") ;;
    esac
    shift
done

export WOODY_STACK=woodytest REGISTRY=woodytest WOODY_HTTP_PORT=${WOODY_HTTP_PORT:-80} WOODY_MANAGEMENT_PORT=${WOODY_MANAGEMENT_PORT:-15672}
export WOODY_IMAGE_PROFILE=${WOODY_IMAGE_PROFILE:-swarm-test}
# Quick, but otherwise as in production.
export WOODY_UPDATE_DELAY=1s WOODY_UPDATE_MONITOR=5s WOODY_HEALTH_INTERVAL=2s
WORK=$(mktemp -d)
export WOODY_SECRETS_DIR=$WORK/secrets WOODY_TEST_SWARM=$WORK
TARGET=${CARGO_TARGET_DIR:-$PWD/target}
MACHINE=$(uname -m)-unknown-linux-gnu
export WOODY_TEST_SWARM_PROGRAMS=$TARGET/$MACHINE/$WOODY_IMAGE_PROFILE WOODY_TEST_SWARM_VALIDATION=$TARGET/debug/examples/validation_service
started_engine='' made_swarm=''

die() {
    printf '%s\n' "test-swarm: $*" >&2
    exit 1
}

finish() {
    local code=$?
    trap - EXIT INT TERM
    if [ "$job" ]; then
        kill -TERM -- "-$job" 2>/dev/null || true
        wait "$job" 2>/dev/null || true
    fi
    if [ -z "$keep" ]; then
        drop_host one
        drop_host two
        drop_host load
        if [ "$(docker info --format '{{.Swarm.ControlAvailable}}' 2>/dev/null)" = true ]; then
            # One that was interrupted in the midst of what is waited for.
            docker stack rm woodywait >/dev/null 2>&1 || true
            docker ps --all --quiet --filter label=com.docker.compose.project=woodycompose | xargs -r docker rm --force --volumes >/dev/null || true
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
drop_images() {
    local of
    for of in "$REGISTRY/*" 'woodywait/*'; do
        docker image ls --format '{{.Repository}}:{{.Tag}}' "$of" 2>/dev/null | xargs -r docker image rm --force >/dev/null || true
    done
}

# --- getting there ---
for needed in curl ip openssl nsenter; do command -v "$needed" >/dev/null || die "$needed is missing"; done
suite --list >/dev/null # a test that does not build is known before anything is deployed
cargo build --quiet --workspace --all-features --example validation_service
if ! docker info >/dev/null 2>&1; then
    started_engine=yes made_swarm=yes
elif [ "$(docker info --format '{{.Swarm.LocalNodeState}}')" != active ]; then
    made_swarm=yes
elif grep -qx "$WOODY_STACK" <<<"$(docker stack ls --format '{{.Name}}' 2>/dev/null)"; then
    die "the stack $WOODY_STACK is deployed: take it down first"
fi
# The tests have a process group of their own: Ctrl-C reaches this script alone, which ends them, then the stack.
set -m
job=''
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
drop_images # of a run that was killed
host one 1 && host two 2 && host load 3
export WOODY_RATE_EXEMPT=10.97.3.2
suite --include-ignored "${names[@]}" </dev/null &
job=$!
code=0
wait "$job" || code=1
job=''
exit "$code"
