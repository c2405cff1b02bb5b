# shellcheck shell=bash
# What backup.sh and restore.sh share: commands in the container of the database. Sourced, never run.

STACK=${WOODY_STACK:-woodytoys}

die() {
    printf '%s\n' "${0##*/}: $*" >&2
    exit 1
}

container() {
    local id
    id=$(docker ps --quiet --filter "label=com.docker.swarm.service.name=${STACK}_database" --filter health=healthy | head -n 1)
    [ "$id" ] || die "no healthy database of the stack $STACK runs on this node"
    echo "$id"
}

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
