# shellcheck shell=bash
# What backup.sh, restore.sh and point-in-time.sh share: commands in the container of the database, and the shop's services
# stopped meanwhile. Sourced, never run.

STACK=${WOODY_STACK:-woodytoys}
# Where pitr.yml has the archive.
# shellcheck disable=SC2034 # for the scripts that source this
ARCHIVE=/var/tmp

die() {
    printf '%s\n' "${0##*/}: $*" >&2
    exit 1
}

# a_database: the container of a healthy one on this node; fails where there is none.
a_database() {
    local id
    id=$(docker ps --quiet --filter "label=com.docker.swarm.service.name=${STACK}_database" --filter health=healthy | head -n 1)
    [ "$id" ] && echo "$id"
}
container() { a_database || die "no healthy database of the stack $STACK runs on this node"; }

# in_database CMD...: with the right to talk to the database.
in_database() { in_database_with /dev/null "$@"; }

# in_database_with FILE CMD...: FILE is its standard input.
in_database_with() {
    local file=$1 id
    shift
    id=$(container)
    # shellcheck disable=SC2016 # expanded in there
    docker exec --interactive "$id" sh -c 'PGPASSWORD=$(cat /run/secrets/postgres_password) PGHOST=127.0.0.1 PGUSER=woody PGDATABASE=woody exec "$@"' sh "$@" <"$file"
}

# --- the services that use the database ---
# shellcheck disable=SC2034 # for the scripts that source this
USERS=(misc-service product-service order-service order-worker)
declare -A replicas=()
scale() {
    local pairs=()
    while [ $# -gt 0 ]; do
        pairs+=("${STACK}_$1=$2")
        shift 2
    done
    docker service scale --detach "${pairs[@]}" >/dev/null
}

# stop_services NAME...: until none of their tasks runs: a worker may take a minute to end what it has begun. Fails when they do not end, or
# nothing can be known of them. services_back starts as many of each as there were.
stop_services() {
    local service states to_none=()
    for service in "$@"; do
        replicas[$service]=$(docker service inspect --format '{{.Spec.Mode.Replicated.Replicas}}' "${STACK}_$service")
        to_none+=("$service" 0)
    done
    scale "${to_none[@]}"
    for _ in {1..120}; do
        if states=$(docker service ps --format '{{.CurrentState}}' "${@/#/${STACK}_}") && ! grep -q '^Running' <<<"$states"; then return; fi
        sleep 1
    done
    die "not all of $* have ended (docker service ps says what runs): nothing was changed, and they come back"
}
services_back() {
    local service pairs=()
    for service in "${!replicas[@]}"; do pairs+=("$service" "${replicas[$service]}"); done
    [ ${#pairs[@]} = 0 ] || scale "${pairs[@]}"
}
