# shellcheck shell=bash
# The passwords of a deployment, and the secrets made of them. Sourced, never run.
#
# One password for the database and one for RabbitMQ, each with a generation of its own, so that they are rotated one after
# the other. They are kept for the operator in $SECRETS_DIR as PART.GENERATION, readable by no other user: Swarm never shows a
# secret again.

STACK=${WOODY_STACK:-woodytoys}
SECRETS_DIR=${WOODY_SECRETS_DIR:-$HOME/.woodytoys/$STACK}
# shellcheck disable=SC2034 # these two are for the scripts that source this
PARTS=(database rabbitmq)
declare -A SECRETS=([database]='store_url postgres_password' [rabbitmq]='broker_url rabbitmq_definitions')
DEFINITIONS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/rabbitmq/definitions.json

# generation PART: the newest that is kept here, or that the Swarm has; 1 before there is any.
generation() {
    {
        echo 1
        find "$SECRETS_DIR" -maxdepth 1 -name "$1.*" 2>/dev/null || true
        docker secret ls --format '{{.Name}}' 2>/dev/null | grep -E "^${STACK}_(${SECRETS[$1]// /|})_[0-9]+\$" | tr _ . || true
    } | sed -nE 's/^(.*\.)?([0-9]+)$/\2/p' | sort -n | tail -n 1
}

# kept PART: the file of its password.
kept() { echo "$SECRETS_DIR/$1.$(generation "$1")"; }

# make_password FILE: once.
make_password() {
    [ ! -s "$1" ] || return 0
    (umask 077 && mkdir -p "$SECRETS_DIR" && head -c 24 /dev/urandom | base64 | tr -d '+/=\n' >"$1")
}

# load_password PART: sets POSTGRES_PASSWORD or RABBITMQ_PASSWORD, or fails.
load_password() {
    local file
    file=$(kept "$1")
    [ -r "$file" ] || return 1
    case $1 in database) POSTGRES_PASSWORD=$(<"$file") ;; rabbitmq) RABBITMQ_PASSWORD=$(<"$file") ;; esac
}
load_passwords() { load_password database && load_password rabbitmq; }

# RabbitMQ's own form: base64(salt + sha256(salt + password)), with four bytes of salt.
rabbitmq_hash() {
    local salt digest
    salt=$(head -c 4 /dev/urandom | od -An -v -tx1 | tr -d ' \n')
    # shellcheck disable=SC2059 # the escapes are the point
    unhex() { printf "$(sed 's/../\\x&/g')"; }
    digest=$({ unhex <<<"$salt" && printf %s "$1"; } | sha256sum | cut -d' ' -f1)
    unhex <<<"$salt$digest" | base64
}

# secret NAME: its content, from the passwords.
secret() {
    case $1 in
    store_url) printf 'postgres://woody:%s@database/woody' "$POSTGRES_PASSWORD" ;;
    broker_url) printf 'amqp://woody:%s@rabbitmq/%%2f' "$RABBITMQ_PASSWORD" ;;
    postgres_password) printf %s "$POSTGRES_PASSWORD" ;;
    rabbitmq_definitions) sed "s|@PASSWORD_HASH@|$(rabbitmq_hash "$RABBITMQ_PASSWORD")|" "$DEFINITIONS" ;;
    esac
}

# version NAME: what ends its name in the Swarm. Nothing there ever changes, so another content has another name.
version() {
    case $1 in
    store_url | postgres_password) generation database ;;
    broker_url) generation rabbitmq ;;
    rabbitmq_definitions) echo "$(generation rabbitmq)_$(digest "$DEFINITIONS")" ;;
    esac
}
digest() { sha256sum <"$1" | cut -c1-8; }
