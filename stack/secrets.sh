# shellcheck shell=bash
# The passwords of a deployment, and the secrets made of them. Sourced, never run.
#
# They are kept for the operator in $SECRETS_DIR, readable by nobody else: Swarm never shows a secret again.

STACK=${WOODY_STACK:-woodytoys}
SECRETS_DIR=${WOODY_SECRETS_DIR:-$HOME/.woodytoys/$STACK}
GENERATION=${WOODY_SECRETS:-1}
KEPT=$SECRETS_DIR/passwords.$GENERATION
# shellcheck disable=SC2034 # for whoever sources this
SECRETS=(store_url broker_url postgres_password rabbitmq_definitions)

password() { head -c 24 /dev/urandom | base64 | tr -d '+/=\n'; }

# make_passwords: once.
make_passwords() {
    [ ! -s "$KEPT" ] || return 0
    (umask 077 && mkdir -p "$SECRETS_DIR" &&
        printf 'POSTGRES_PASSWORD=%s\nRABBITMQ_PASSWORD=%s\n' "$(password)" "$(password)" >"$KEPT")
}

# load_passwords: sets POSTGRES_PASSWORD and RABBITMQ_PASSWORD, or fails.
load_passwords() {
    [ -r "$KEPT" ] || return 1
    # shellcheck source=/dev/null
    . "$KEPT"
}

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
    rabbitmq_definitions)
        sed "s|@PASSWORD_HASH@|$(rabbitmq_hash "$RABBITMQ_PASSWORD")|" \
            "$(dirname "${BASH_SOURCE[0]}")/rabbitmq/definitions.json"
        ;;
    esac
}
