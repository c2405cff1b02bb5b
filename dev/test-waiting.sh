#!/usr/bin/env bash
# What stands in a deployment's way is said at once, and what is merely slow is waited for: on stacks of a service or two.
set -euo pipefail
cd "$(dirname "$0")/../stack"

usage() {
    cat <<'END'
Usage: ./dev/test-waiting.sh IMAGE

Needs a docker engine that is in a Swarm, and an IMAGE that is here and has bash and sleep. A minute and a half.
dev/test-swarm.sh runs it.
END
}
case ${1:-} in
--help | -h)
    usage
    exit
    ;;
'' | -*)
    usage >&2
    exit 2
    ;;
esac
IMAGE=$1
export WOODY_STACK=woodywait
WORK=$(mktemp -d)
export WOODY_SECRETS_DIR=$WORK/secrets
# shellcheck source=stack/secrets.sh
. ./secrets.sh
# shellcheck source=stack/ports.sh
. ./ports.sh
# shellcheck source=stack/waiting.sh
. ./waiting.sh
# shellcheck source=stack/stack-file.sh
. ./stack-file.sh

said=$WORK/said
say() { printf '%s\n' "$*" >>"$said"; }
passed=0 failed_tests=0
# says WORDS WHAT: whether the words were said.
says() {
    if grep -qE -- "$1" "$said"; then
        passed=$((passed + 1))
        printf '  ok      %s: %s\n' "$2" "$(grep -oE -- "$1" "$said" | head -n 1)"
    else
        failed_tests=$((failed_tests + 1))
        printf '  FAILED  %s: nobody said: %s\n' "$2" "$1"
        sed 's/^/      /' "$said" | tail -n 20
    fi
}

listener=''
finish() {
    trap - EXIT
    [ -z "$listener" ] || kill "$listener" 2>/dev/null || true
    docker stack rm "$STACK" >/dev/null 2>&1 || true
    docker image rm --force woodywait/other-architecture:1 >/dev/null 2>&1 || true
    for _ in {1..60}; do
        [ "$(docker ps --all --quiet --filter "label=com.docker.stack.namespace=$STACK" &&
            docker network ls --quiet --filter "label=com.docker.stack.namespace=$STACK")" ] || break
        sleep 0.5
    done
    rm -rf "$WORK"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# A port that somebody has, and one that nobody has.
taken=18097 free=18098
openssl s_server -accept "$taken" -nocert -quiet >/dev/null 2>&1 </dev/null &
listener=$!
for _ in {1..50}; do if holder "$taken" tcp >/dev/null; then break; else sleep 0.1; fi; done

# --- before ---
# `timeout` is for the day when it waits again.
if WOODY_HTTP_PORT=$taken WOODY_MANAGEMENT_PORT=$free timeout 20 ./deploy-swarm.sh >"$said" 2>&1; then say 'it was deployed'; fi
says "port $taken, for gateway, is held by openssl \\(process $listener\\).* set WOODY_HTTP_PORT" 'deploy-swarm.sh says who has its port'
says 'nothing was deployed' 'and deploys nothing'
if [ "$(docker service ls --quiet --filter "name=${STACK}_")" ]; then say 'services are there'; else say 'no service is there'; fi
says 'no service is there' 'indeed'

sed "s|rabbitmq/rabbitmq.conf|$WORK/nowhere.conf|; s|postgres/postgresql.conf|$PWD/postgres/postgresql.conf|" stack.yml >"$WORK/stack.yml"
WOODY_HTTP_PORT=$taken WOODY_HTTPS_PORT=$free WOODY_MANAGEMENT_PORT=$taken WOODY_NEEDS_DISK=999999999 \
    timeout 20 ./preflight.sh --only "$WORK/stack.yml" -c tls.yml >"$said" 2>&1 || true
for words in "for gateway, is held" "for rabbitmq, is held" 'published twice' 'MB are free' 'nowhere.conf is missing' \
    "the secret ${STACK}_tls_key_1 is missing"; do
    says "$words" 'preflight.sh says all of it'
done
WOODY_HTTP_PORT=$free WOODY_MANAGEMENT_PORT=$((free + 1)) WOODY_PREFLIGHT_IMAGE=$IMAGE timeout 60 ./preflight.sh >"$said" 2>&1 || true
says 'nothing stands in the way' 'and where there is nothing, that'

# With and without docker's help a stack file asks for the same.
{
    stack_file stack.yml tls.yml | needs
    docker_shows_stack_files() { false; }
    stack_file stack.yml tls.yml | needs
} | grep -E '^(port|secret) ' | sort | uniq -c | awk '$1 != 2' >"$said"
if [ -s "$said" ]; then :; else say 'the same'; fi
says '^the same$' 'an old docker that cannot show a stack file'

# --- while it waits ---
# waits WHAT SECONDS WORDS: deploys what standard input says of the services, and waits.
waits() {
    {
        echo 'version: "3.9"'
        echo 'x-deploy: &deploy { endpoint_mode: dnsrr, restart_policy: { condition: any, delay: 500ms } }'
        echo 'services:'
        # One that is well, beside it.
        printf '  well: { image: "%s", command: [sleep, "1000"], init: true, deploy: *deploy }\n' "$IMAGE"
        cat
    } >"$WORK/waits.yml"
    : >"$said"
    wait_notes_the_past swarm_look
    docker stack deploy --prune --resolve-image never -c "$WORK/waits.yml" "$STACK" >"$WORK/docker" 2>&1 || cat "$WORK/docker" >>"$said"
    if wait_until_healthy swarm_look "$2"; then say 'all of it is healthy'; fi
    says "$3" "$1"
}

waits 'an image that is nowhere' 60 'nowhere does not come up, .*its image is not on its node and not to be had' <<END
  nowhere: { image: "woodywait/nowhere:1", deploy: *deploy }
END
waits 'a port that is taken meanwhile' 60 "port $taken of its node is held by openssl \\(process $listener\\)" <<END
  port:
    image: $IMAGE
    command: [sleep, "1000"]
    ports: [{ target: 80, published: $taken, mode: host }]
    deploy: *deploy
END
waits 'a folder that is not there' 60 'there is no /nowhere/at/all on its node to mount' <<END
  bind:
    image: $IMAGE
    volumes: [{ type: bind, source: /nowhere/at/all, target: /x }]
    deploy: *deploy
END
# The head of a program for another processor.
printf '\177ELF\002\001\001\000\000\000\000\000\000\000\000\000\002\000\377\000' >"$WORK/program"
chmod +x "$WORK/program"
printf 'FROM scratch\nCOPY program /program\nENTRYPOINT ["/program"]\n' >"$WORK/Dockerfile"
docker build --quiet --tag woodywait/other-architecture:1 "$WORK" >/dev/null 2>&1
waits 'another architecture' 60 'its image is for another architecture' <<END
  other: { image: "woodywait/other-architecture:1", deploy: *deploy }
END
waits 'more memory than its limit' 60 'it takes more memory than its limit' <<END
  greedy:
    image: $IMAGE
    entrypoint: [bash, -c, "x=x; while :; do x=\$\$x\$\$x; done"]
    deploy: { endpoint_mode: dnsrr, restart_policy: { condition: any, delay: 500ms }, resources: { limits: { memory: 32M } } }
END
waits 'no node for it' 60 'no node can take it \(scheduling constraints not satisfied' <<END
  homeless:
    image: $IMAGE
    deploy: { endpoint_mode: dnsrr, placement: { constraints: [node.labels.woodywait == never] } }
END
waits 'a health check that never passes' 90 'its health check does not pass' <<END
  sick:
    image: $IMAGE
    entrypoint: [sleep, "1000"]
    init: true
    healthcheck: { test: [CMD, bash, -c, exit 1], interval: 1s, timeout: 2s, retries: 1 }
    deploy: *deploy
END
waits 'a program that ends again and again' 60 'ends does not come up, .* it ends with exit code 3: no key for the shop' <<END
  ends:
    image: $IMAGE
    entrypoint: [bash, -c, "echo no key for the shop; exit 3"]
    deploy: *deploy
END
# It ends more often than the last one, but for a reason that passes.
mkdir -m 777 "$WORK/shared"
waits 'what it needs comes up slowly: it is waited for' 90 'all of it is healthy' <<END
  impatient:
    image: $IMAGE
    entrypoint: [bash, -c, "[ -e /shared/up ] && exec sleep 1000; echo the slow one is not there; exit 1"]
    init: true
    volumes: ["$WORK/shared:/shared"]
    deploy: *deploy
  slow:
    image: $IMAGE
    entrypoint: [bash, -c, "sleep 15; echo >/shared/up; exec sleep 1000"]
    init: true
    user: "0"
    healthcheck: { test: [CMD, bash, -c, "[ -e /shared/up ]"], interval: 1s, timeout: 2s, retries: 3, start_period: 60s }
    volumes: ["$WORK/shared:/shared"]
    deploy: *deploy
END

echo "$passed passed, $failed_tests failed"
[ "$failed_tests" = 0 ]
