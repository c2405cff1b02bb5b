#!/usr/bin/env bash
# Takes WoodyToys off this machine's Docker Swarm.
set -euo pipefail
# shellcheck source=stack/secrets.sh
. "$(dirname "$0")/secrets.sh"

usage() {
    cat <<'END'
Usage: ./stack/teardown.sh [--volumes] [--leave]

Removes the stack with its networks and configurations, and waits until all of it is gone. Data and secrets stay, so that
deploy-swarm.sh brings the same shop back.

  --volumes   the data of RabbitMQ and PostgreSQL too, and the secrets, and the passwords that were kept for you
  --leave     and this machine leaves its Swarm, if it is the only node
  --help      this text

  WOODY_STACK=woodytoys   the stack's name
END
}

say() { printf '%s\n' "$*" >&2; }
volumes='' leave=''
while [ $# -gt 0 ]; do
    case $1 in
    --volumes) volumes=yes ;;
    --leave) leave=yes ;;
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
OURS=label=com.docker.stack.namespace=$STACK
ONE=label=com.docker.swarm.task

if [ "$(docker info --format '{{.Swarm.ControlAvailable}}' 2>/dev/null)" != true ]; then
    say "this machine is no manager of a Swarm: nothing to take down"
    exit
fi
# deploy-swarm.sh labels the node that has the data; no such node: nothing was ever deployed here.
with_data=$(docker node ls --quiet | xargs -r docker node inspect \
    --format '{{if index .Spec.Labels "woodytoys.data"}}{{.ID}}{{end}}')
# Volumes are seen from their own node alone, and without their passwords they are of no use.
if [ "$volumes" ] && [[ $with_data =~ [^[:space:]] ]] && ! grep -q "$(docker info --format '{{.Swarm.NodeID}}')" <<<"$with_data"; then
    say "teardown: the volumes are on another node, the one labelled woodytoys.data: run this there"
    exit 1
fi
found=$(
    docker service ls --quiet --filter "$OURS"
    docker network ls --quiet --filter "$OURS"
    docker config ls --quiet --filter "$OURS"
    [ -z "$volumes" ] || docker volume ls --quiet --filter "$OURS"
    [ -z "$volumes" ] || docker secret ls --quiet --filter "label=woodytoys.stack=$STACK"
)
if [ "$found" ]; then docker stack rm "$STACK" >&2 || true; fi
# Tasks end after their services are gone, and networks after their tasks.
for _ in {1..120}; do
    left=$(docker ps --all --quiet --filter "$OURS" --filter "$ONE" && docker network ls --quiet --filter "$OURS")
    [ "$left" ] || break
    sleep 1
done
[ -z "$left" ] || { say "teardown: something of $STACK is still there after two minutes: docker ps --all, docker network ls" && exit 1; }
docker config ls --quiet --filter "$OURS" | xargs -r docker config rm >/dev/null
if [ "$volumes" ]; then
    docker volume ls --quiet --filter "$OURS" | xargs -r docker volume rm >/dev/null
    docker secret ls --quiet --filter "label=woodytoys.stack=$STACK" | xargs -r docker secret rm >/dev/null
    # Nothing but what is ours: the folder may hold other things.
    for part in "${PARTS[@]}"; do rm -f "$SECRETS_DIR/$part".[0-9]*; done
    rm -rf "$SECRETS_DIR/files"
    rmdir "$SECRETS_DIR" 2>/dev/null || true
fi
if [ "$leave" ] && [ "$(docker node ls --quiet | wc -l)" = 1 ]; then docker swarm leave --force >/dev/null; fi
if [ "$found" ]; then
    say "$STACK is gone${volumes:+, its data too}"
else
    say "$STACK was not deployed here: there was nothing to take down"
fi
