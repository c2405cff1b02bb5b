#!/usr/bin/env bash
# Deploys WoodyToys on this machine's Docker Swarm, or updates what is deployed, and waits until all of it is healthy.
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
# shellcheck source=stack/workshop.sh
. ./workshop.sh

usage() {
    cat <<'END'
Usage: ./stack/deploy-swarm.sh [VERSION] [-c FILE]...

Looks at what it needs (stack/preflight.sh, which says all that is in the way), makes the machine a Swarm of one node if it is
in none, makes passwords and secrets the first time, deploys stack.yml, waits until every replica is healthy, and prints where
everything is. Deploying again updates. The wait ends early where waiting does not help, with the reason.

On a machine of your own that has nothing yet, it brings what is missing, and says so: the docker engine (as root on
Debian), our images (built from this checkout, unless you name a VERSION or a registry), and, where no registry can be reached,
stand-ins for those of RabbitMQ, PostgreSQL and nginx, made from Debian's packages.

  VERSION   of our images: latest by default. Name one in production, so that an update can be told from the last
  -c FILE   one more stack file on top, e.g. stack/tls.yml; may be given several times
  --help    this text

Variables (the table at the top of stack.yml has the others):
  REGISTRY=woodytoys        where our images come from, on Docker Hub docker.io/NAME; without a host in it they are on this
                            machine
  WOODY_STACK=woodytoys     the stack's name
  WOODY_SECRETS_DIR         where the passwords are kept for you: ~/.woodytoys/STACK; stack/rotate.sh makes new ones
  WOODY_DEPLOY_TIMEOUT=300  seconds until it gives up waiting
  WOODY_ADVERTISE           address for `docker swarm init`, on a machine with several

Exit code 0: everything is healthy. 1: it is not, and what is wrong is above. 2: wrong arguments.
END
}

say() { printf '%s\n' "$*" >&2; }
die() {
    say "deploy: $*"
    exit 1
}

version=latest files=(-c stack.yml)
while [ $# -gt 0 ]; do
    case $1 in
    -c)
        [ -f "${2:-}" ] || [ -f "../${2:-}" ] || die "there is no file ${2:-}"
        if [ -f "$2" ]; then files+=(-c "$2"); else files+=(-c "../$2"); fi
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
    *) version=$1 ;;
    esac
    shift
done
export VERSION=$version
export WOODY_STACK=$STACK
TIMEOUT=${WOODY_DEPLOY_TIMEOUT:-300}
[[ $TIMEOUT =~ ^[1-9][0-9]{0,4}$ ]] || die "WOODY_DEPLOY_TIMEOUT must be a number of seconds from 1 to 99999, not $TIMEOUT"
name_images

look_first() { ./preflight.sh "${files[@]:2}" || die "nothing was deployed"; }

check_engine() {
    if ! docker info >/dev/null 2>&1; then
        ./engine.sh up || die "no docker engine answers, and none could be started (above)"
        look_first # it has more to say now
    fi
    case $(docker info --format '{{.Swarm.LocalNodeState}}/{{.Swarm.ControlAvailable}}') in
    active/true) ;;
    active/false) die "this node is a worker: run this on a manager" ;;
    *)
        say "making this machine a Swarm of one node"
        docker swarm init ${WOODY_ADVERTISE:+--advertise-addr "$WOODY_ADVERTISE"} >/dev/null ||
            die "docker swarm init failed (above); with several addresses, set WOODY_ADVERTISE to one"
        ;;
    esac
}

# The volumes of RabbitMQ and PostgreSQL are on one node for good.
label_node() {
    local nodes
    nodes=$(docker node ls --quiet)
    [ -z "$on_this_machine" ] || [ "$(wc -l <<<"$nodes")" = 1 ] ||
        die "this Swarm has other nodes, and $REGISTRY is no registry that they could pull from: set REGISTRY"
    # shellcheck disable=SC2086 # one word for each node
    if ! grep -q true <<<"$(docker node inspect --format '{{index .Spec.Labels "woodytoys.data"}}' $nodes)"; then
        docker node update --label-add woodytoys.data=true "$(docker info --format '{{.Swarm.NodeID}}')" >/dev/null
    fi
}

# Services go to workers, where there are any.
placement() {
    if [ -z "${WOODY_SERVICES_ON:-}" ] && grep -q Ready <<<"$(docker node ls --filter role=worker --format '{{.Status}}')"; then
        export WOODY_SERVICES_ON='node.role == worker'
    fi
}

make_secrets() {
    local part name
    name_of() { echo "${STACK}_$1_$(version "$1")"; }
    there() { docker secret inspect "$(name_of "$1")" >/dev/null 2>&1; }
    for part in "${PARTS[@]}"; do
        for name in ${SECRETS[$part]}; do
            there "$name" && continue
            # A password that others of its secrets hold already is not made up anew.
            if [ ! -s "$(kept "$part")" ] && there "${SECRETS[$part]%% *}"; then
                die "the secret $(name_of "$name") is missing, and its password is not in $(kept "$part"): copy that file
    from where deploy-swarm.sh ran first"
            fi
            make_password "$(kept "$part")"
            load_password "$part"
            secret "$name" | docker secret create --label woodytoys.stack="$STACK" "$(name_of "$name")" - >/dev/null
            say "made the secret $(name_of "$name"); its password is kept in $(kept "$part")"
        done
    done
}

services() { docker stack services "$STACK" --format '{{.Name}} {{.Replicas}}' | sed 's/ *(.*//' | sort; }

report() {
    local host
    host=$(docker node inspect self --format '{{.Status.Addr}}' 2>/dev/null || echo localhost)
    [ "$host" != 0.0.0.0 ] || host=localhost
    echo
    printf '%-28s %s\n' SERVICE REPLICAS
    services | awk '{ printf "%-28s %s\n", $1, $2 }'
    echo
    printf '%-28s %s\n' 'shop and API' "http://$host:${WOODY_HTTP_PORT:-80}/" \
        'RabbitMQ management' "http://$host:${WOODY_MANAGEMENT_PORT:-15672}/ (user woody, password in $SECRETS_DIR)"
    echo
    echo "try it: ./stack/test-services.sh http://$host:${WOODY_HTTP_PORT:-80}"
}

look_first
check_engine
# The RabbitMQ that is deployed already, if one is.
deployed_rabbitmq() { docker service inspect --format '{{.Spec.TaskTemplate.ContainerSpec.Image}}' "${STACK}_rabbitmq" 2>/dev/null || true; }
have_images deployed_rabbitmq || die "nothing was deployed"
check_workshop "$REGISTRY/misc-service:$VERSION" || die "nothing was deployed"
label_node
placement
make_secrets
WOODY_DATABASE_SECRETS=$(version store_url) WOODY_RABBITMQ_SECRETS=$(version broker_url)
WOODY_RABBITMQ_DEFINITIONS=$(version rabbitmq_definitions)
# Each for itself: what changes RabbitMQ's must not restart the database.
WOODY_RABBITMQ_CONF=$(digest rabbitmq/rabbitmq.conf) WOODY_POSTGRESQL_CONF=$(digest postgres/postgresql.conf)
WOODY_WORKSHOP_CONF=$(digest workshop.toml) WOODY_WAL_SCRIPT=$(digest postgres/wal.sh)
export WOODY_DATABASE_SECRETS WOODY_RABBITMQ_SECRETS WOODY_RABBITMQ_DEFINITIONS WOODY_RABBITMQ_CONF WOODY_POSTGRESQL_CONF \
    WOODY_WORKSHOP_CONF WOODY_WAL_SCRIPT
# A tag that moved is looked up again for `latest` alone: a new version of ours must not bring a new RabbitMQ with it.
resolve=changed
if [ "$on_this_machine" ]; then resolve=never; elif [ "$VERSION" = latest ]; then resolve=always; fi
wait_notes_the_past swarm_look
docker stack deploy "${files[@]}" --prune --with-registry-auth --resolve-image "$resolve" "$STACK" >&2
if ! wait_until_healthy swarm_look "$TIMEOUT"; then
    docker stack ps "$STACK" --no-trunc --format 'table {{.Name}}\t{{.DesiredState}}\t{{.CurrentState}}\t{{.Error}}' |
        grep -Ev 'Running +Running' | cut -c1-300 >&2 || true
    die "not everything is healthy (above; docker service logs NAME says more)"
fi
say "[$SECONDS s] everything is healthy"
report
