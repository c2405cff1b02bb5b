#!/usr/bin/env bash
# All tests of WoodyToys, with the real RabbitMQ, PostgreSQL, nginx and browser they need.
# shellcheck disable=SC2317 # functions called by way of `run` and `trap`
set -euo pipefail
# shellcheck source=dev/services/lib.sh
. "$(dirname "$0")/services/lib.sh"
cd "$SERVICES/../.."
# shellcheck source=stack/apt.sh
. stack/apt.sh
# shellcheck source=dev/steps.sh
. dev/steps.sh

usage() {
    cat <<'END'
Usage: ./dev/test.sh [--filter NAME] [--keep] [--no-swarm] [--beside PROGRAM]...

Runs every test: unit, contract suites on every backend, documentation, the page in a browser, real processes under
faults, examples, a program outside the workspace, the tutorial, the documents for programs and clients made from them
(dev/contracts.sh), and the stack on a Docker Swarm (dev/test-swarm.sh). Starts a RabbitMQ and a PostgreSQL of its own on
free ports with their data in a temporary directory, and takes them down again whatever happens.
They come from the official images if a docker engine can pull them, otherwise from Debian's packages in a root file
system under target/stack (made once; takes root). As root on Debian it installs with apt what is missing.

  --filter NAME   only tests whose name contains NAME; no examples, no Swarm
  --no-swarm      without the Swarm, which takes port 80, a docker engine (as root on Debian it brings one), and minutes
  --beside PROGRAM
                  run PROGRAM too, at the lowest priority while other tests wait; when it fails, so does this; may be given
                  several times: they run one after the other
  --keep          leave the servers running and say how to reach them and how to end them
  --help          this text

WOODY_TEST_SOURCE=docker|forky decides where the servers come from.
Just the servers, without tests: dev/services/up.sh DIR, later dev/services/down.sh DIR.
Exit code 0: everything ran and passed. 1: a test failed, or something could not run. 2: wrong arguments.
END
}

filter='' keep='' swarm=yes beside=()
while [ $# -gt 0 ]; do
    case $1 in
    --filter)
        filter=${2:?--filter needs a NAME}
        shift
        ;;
    --beside)
        beside+=("${2:?--beside needs a PROGRAM}")
        shift
        ;;
    --keep) keep=yes ;;
    --no-swarm) swarm='' ;;
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

bold='' red='' plain=''
if [ -t 1 ]; then bold=$'\e[1m' red=$'\e[31m' plain=$'\e[0m'; fi
note() { printf '%s[%4d s] %s%s\n' "$bold" "$SECONDS" "$*" "$plain"; }

# Everything that did not run or did not pass, for the summary.
problems=()
problem() {
    problems+=("$*")
    printf '%s[%4d s] %s%s\n' "$red" "$SECONDS" "$*" "$plain"
}

# Every job gets a process group of its own: Ctrl-C reaches this script alone, which ends the jobs, then the servers.
set -m
jobs=()
dir=''
finish() {
    local code=$? job
    trap - EXIT INT TERM
    for job in "${jobs[@]}"; do kill -TERM -- "-$job" 2>/dev/null || true; done
    for job in "${jobs[@]}"; do wait "$job" 2>/dev/null || true; done
    if [ -n "$dir" ] && [ -z "$keep" ]; then "$SERVICES/down.sh" "$dir" </dev/null || true; fi
    exit "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# run CMD...: waits for a job of its own, so that a signal is acted on at once.
run() {
    "$@" </dev/null &
    jobs+=($!)
    wait $!
}

# --- what this machine lacks ---
lacks=()
has_modules() { "$1" -c 'import pika, jsonschema' 2>/dev/null; }
command -v cc >/dev/null || lacks+=(gcc libc6-dev)
command -v pgbouncer >/dev/null || lacks+=(pgbouncer) # a pooler before PostgreSQL, which the store is tested behind
command -v chromedriver >/dev/null || lacks+=(chromium-driver) # the browser that the pages are tested in
python3 -m pip --version >/dev/null 2>&1 || lacks+=(python3-pip) # which brings axe-core, that looks at them
python=python3
if ! has_modules python3; then
    python=/usr/bin/python3 # the first python3 of the path need not be the one that apt installs for
    has_modules "$python" || lacks+=(python3-pika python3-jsonschema)
fi
if [ "$UID" = 0 ]; then
    command -v curl >/dev/null || lacks+=(curl)
    command -v ip >/dev/null || lacks+=(iproute2)
    [ -s /etc/ssl/certs/ca-certificates.crt ] || lacks+=(ca-certificates)
fi
if ! command -v cargo >/dev/null; then
    say "cargo is missing: install Rust (https://rustup.rs)"
    exit 1
fi
if [ ${#lacks[@]} -gt 0 ]; then
    run apt_install "${lacks[@]}"
fi
export WOODY_TEST_PYTHON=$python # has pika, for the tests that speak to us as a foreign client, and jsonschema, for those that read what we send

# --- servers, while the tests build ---
# What a run that was killed outright left behind.
for old in "${TMPDIR:-/tmp}"/woody-test.*/owner; do
    [ -s "$old" ] || continue
    read -r pid born <"$old"
    if [ "$(birth "$pid")" != "$born" ]; then "$SERVICES/down.sh" "$(dirname "$old")" </dev/null || true; fi
done
dir=$(mktemp -d "${TMPDIR:-/tmp}/woody-test.XXXXXX")
if [ -z "$keep" ]; then echo "$$ $(birth $$)" >"$dir/owner"; fi

note "starting the servers in $dir, building the tests"
started=''
"$SERVICES/up.sh" "$dir" </dev/null >"$dir/up.log" 2>&1 &
up=$!
jobs+=("$up")
built=yes
run cargo test --workspace --all-features --no-run --quiet || {
    built=''
    problem "the tests do not build"
}
if [ "$built" ]; then note "tests are built"; fi
if wait "$up"; then
    started=yes
    # shellcheck source=/dev/null
    . "$dir/env"
    from=$(<"$dir/source")
    case $from in
    docker) from='official images' ;;
    *) from="Debian forky's packages in ${from#* }" ;;
    esac
    servers="RabbitMQ $("$SERVICES/rabbitmq.sh" version "$dir"), PostgreSQL $("$SERVICES/postgres.sh" version "$dir"), \
nginx $("$SERVICES/nginx.sh" version "$dir") from $from"
    note "servers are up: $servers"
else
    sed 's/^/    /' "$dir/up.log"
    problem "could not run the suites that need RabbitMQ and PostgreSQL: the servers did not start (above)"
fi

# --- tests ---
log=$dir/tests.log
: >"$log"
arguments=()
if [ "$started" ]; then arguments+=(--include-ignored); fi
if [ -t 1 ]; then
    export CARGO_TERM_COLOR=always
    arguments+=(--color=always)
fi
tests() {
    # Those of the Swarm come by themselves, at the end.
    cargo test --workspace --exclude woody-swarm-tests --all-features --no-fail-fast ${filter:+"$filter"} -- "${arguments[@]}" 2>&1 | tee "$log"
}

# join NAME WHAT: waits for what runs aside, shows what it printed, and counts its tests.
declare -A aside=()
join() {
    [ "${aside[$1]:-}" ] || return 0
    note "what ran meanwhile: $2"
    wait "${aside[$1]}" || problem "$2 failed"
    cat "$dir/$1.log"
    count "$dir/$1.log"
}
# count LOG: what cargo or a script says there of tests.
count() { grep -E '^(test result: |[0-9]+ passed, [0-9]+ failed)' "$1" >>"$log" || true; }

# Tests wait for servers, faults and timers more than they compute, and those of the Swarm for containers: what they leave
# of the machine goes to what can wait for them, at the lowest priority. Not before the first has begun, or cargo's lock
# would keep the tests waiting.
at_rest() {
    until grep -q '^ *Running' "$log"; do sleep 1; done
    nice -n 19 "$@"
}
swarm_log=$dir/swarm.log
while_deployed() {
    until grep -q '^\[ *[0-9]* s\]' "$swarm_log" || [ -e "$dir/swarm.over" ]; do sleep 1; done
    nice -n 19 "$@"
}
begin_aside() { # NAME CMD...
    local name=$1
    shift
    "$@" </dev/null >"$dir/$name.log" 2>&1 &
    aside[$name]=$!
    jobs+=($!)
}
# begin_beside WHEN: the programs of --beside, and every one of them whatever the others say.
begin_beside() {
    [ ${#beside[@]} -gt 0 ] || return 0
    # shellcheck disable=SC2016 # for the shell that runs them
    begin_aside beside "$1" bash -c 'code=0; for program; do "$program" || code=1; done; exit $code' beside "${beside[@]}"
}
if [ -z "$filter" ] && [ "$built" ]; then
    if [ "$swarm" ]; then
        export WOODY_IMAGE_PROFILE=${WOODY_IMAGE_PROFILE:-swarm-test}
        begin_aside programs at_rest stack/build_push.sh --programs --no-sbom
    fi
    begin_aside contracts at_rest dev/contracts.sh
    begin_aside outside at_rest dev/test-outside.sh
    begin_aside tutorial at_rest dev/test-tutorial.sh
    if [ -z "$swarm" ]; then begin_beside at_rest; fi
fi
if [ "$built" ]; then
    note "running the tests"
    run tests || problem "cargo test failed"
fi
if [ -z "$filter" ] && [ "$built" ]; then
    note "running the examples"
    examples() { dev/test-examples.sh 2>&1 | tee "$dir/examples.log"; }
    run examples || problem "the examples failed"
    count "$dir/examples.log"
    join outside "a program outside the workspace"
    join tutorial "the tutorial"
    join contracts "the documents, and clients that are made from them"
    # What it lacks is built, and said, by the Swarm's tests.
    if [ "$swarm" ]; then wait "${aside[programs]}" || true; fi
fi
if [ "$swarm" ] && [ -z "$filter" ] && [ "$built" ]; then
    note "deploying the stack on a Swarm"
    : >"$swarm_log"
    begin_beside while_deployed
    swarm() { dev/test-swarm.sh 2>&1 | tee "$swarm_log"; }
    run swarm || problem "the Swarm test failed"
    : >"$dir/swarm.over"
    count "$swarm_log"
fi
join beside "${beside[*]}"

# --- summary ---
read -r passed failed skipped < <(count_tests "$log")
if [ "$((passed + failed))" = 0 ]; then problem "no test ran"; fi
if [ "$started" ] && [ "$skipped" != 0 ]; then problem "$skipped tests did not run"; fi

note "done"
echo "servers: ${servers:-none}"
for line in "${problems[@]}"; do printf '%sproblem: %s%s\n' "$red" "$line" "$plain"; done
if [ -n "$keep" ] && [ "$started" ]; then
    echo "the servers go on running; end them with: dev/services/down.sh $dir"
    cat "$dir/env"
fi
code=$((${#problems[@]} > 0))
if [ -z "$keep" ]; then "$SERVICES/down.sh" "$dir" </dev/null || code=1; fi
dir=''
echo "$passed passed, $failed failed, $skipped skipped"
exit "$code"
