#!/usr/bin/env bash
# A new password for the database or for RabbitMQ of the deployed stack, while it goes on.
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source=stack/secrets.sh
. ./secrets.sh
# shellcheck source=stack/database.sh
. ./database.sh

usage() {
    cat <<'END_OF_USAGE'
Usage: ./stack/rotate.sh database|rabbitmq [ARGUMENTS OF deploy-swarm.sh]

Makes a new password, tells it to the server, and deploys: the same VERSION, files and variables as ever, please. Orders are
accepted meanwhile: connections that are open stay open, and what a service cannot write to the one it writes to the other.
So one at a time. On the node of the database and RabbitMQ.

  --help                    this text
  WOODY_STACK=woodytoys     the stack's name
  WOODY_SECRETS_DIR         where the passwords are kept: ~/.woodytoys/STACK

Exit code 0: rotated, and everything is healthy. 1: it is not, and what is wrong is above. 2: wrong arguments.
END_OF_USAGE
}

part=${1:-}
case $part in
database | rabbitmq) shift ;;
--help | -h)
    usage
    exit
    ;;
*)
    usage >&2
    exit 2
    ;;
esac

before=$(generation "$part")
file=$SECRETS_DIR/$part.$((before + 1))
make_password "$file"
load_password "$part"
# By way of standard input: an argument is for all to see.
tell() {
    case $part in
    database) in_database_with <(printf "ALTER ROLE woody PASSWORD '%s'" "$POSTGRES_PASSWORD") psql --quiet --set ON_ERROR_STOP=1 ;;
    rabbitmq)
        local id
        id=$(docker ps --quiet --filter "label=com.docker.swarm.service.name=${STACK}_rabbitmq" | head -n 1)
        [ "$id" ] || die "no RabbitMQ of the stack $STACK runs on this node"
        # A file in the container's memory: rabbitmqctl does not read what docker pipes to it.
        secret rabbitmq_definitions | docker exec --interactive "$id" sh -c \
            'umask 077; cat >/tmp/definitions.json && rabbitmqctl --quiet import_definitions /tmp/definitions.json
             code=$?; rm -f /tmp/definitions.json; exit $code'
        ;;
    esac
}
if ! tell; then
    rm -f "$file"
    die "$part did not take the new password; the old one holds"
fi
./deploy-swarm.sh "$@"
printf 'the password of %s is of generation %s; the secrets of generation %s can go:\n    docker secret rm %s\n' "$part" "$((before + 1))" "$before" \
    "$(docker secret ls --format '{{.Name}}' | grep -E "^${STACK}_(${SECRETS[$part]// /|})_$before(_[0-9a-f]{8})?\$" | xargs)" >&2
