#!/usr/bin/env bash
# The shop on one machine without Swarm: brings what is missing, makes the secrets as files the first time, then runs docker compose.
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source=stack/secrets.sh
. ./secrets.sh
# shellcheck source=stack/registry.sh
. ./registry.sh
# shellcheck source=stack/apt.sh
. ./apt.sh
# shellcheck source=stack/ports.sh
. ./ports.sh
# shellcheck source=stack/waiting.sh
. ./waiting.sh
# shellcheck source=stack/workshop.sh
. ./workshop.sh

case ${1:-} in
'' | --help | -h)
    cat <<'END'
Usage: ./stack/compose.sh up -d | ps | logs -f order-worker | down ...

docker compose with compose.yml; arguments are its own. Passwords and secrets are kept in ~/.woodytoys/STACK. VERSION, REGISTRY,
RABBITMQ_IMAGE, POSTGRES_IMAGE and WOODY_HTTP_PORT work as in stack.yml.
`up` looks first at what it needs (stack/preflight.sh); with -d it waits until every container is healthy, or says at once
why one will not be. WOODY_DEPLOY_TIMEOUT=300 is for how many seconds.

On a machine of your own that has nothing yet, `up` brings what is missing, and says so: the docker engine and docker compose (as
root on Debian), our images (built from this checkout, unless you name a VERSION or a registry), and, where no registry can be
reached, stand-ins for those of RabbitMQ, PostgreSQL and nginx, made from Debian's packages.

Exit code 0: it is done. 1: it is not, and what is wrong is above. 2: a variable is wrong.
END
    exit
    ;;
esac

say() { printf '%s\n' "$*" >&2; }
die() {
    say "compose: $*"
    exit 1
}
TIMEOUT=${WOODY_DEPLOY_TIMEOUT:-300}
if ! [[ $TIMEOUT =~ ^[1-9][0-9]{0,4}$ ]]; then
    say "compose: WOODY_DEPLOY_TIMEOUT must be a number of seconds from 1 to 99999, not $TIMEOUT"
    exit 2
fi
for part in "${PARTS[@]}"; do make_password "$(kept "$part")"; done
load_passwords
export WOODY_SECRETS_FILES=$SECRETS_DIR/files
if [ ! -d "$WOODY_SECRETS_FILES" ]; then
    # The folder is yours alone; the files are for the containers' users, who are nobody here. All of them are there, or none.
    new=$(mktemp -d "$SECRETS_DIR/new.XXXXXX")
    for part in "${PARTS[@]}"; do
        for name in ${SECRETS[$part]}; do (umask 022 && secret "$name" >"$new/$name"); done
    done
    mv "$new" "$WOODY_SECRETS_FILES"
fi

# The RabbitMQ that is there already, if one is.
started_rabbitmq() {
    docker ps --all --filter "label=com.docker.compose.project=$STACK" --filter label=com.docker.compose.service=rabbitmq \
        --format '{{.Image}}' 2>/dev/null | head -n 1
}
look_first() { ./preflight.sh --compose || die "nothing was started"; }
has_compose() { docker compose version >/dev/null 2>&1 || command -v docker-compose >/dev/null; }
# What `up` needs and is not here yet.
bring_what_is_missing() {
    look_first
    if ! docker info >/dev/null 2>&1; then
        ./engine.sh up || die "no docker engine answers, and none could be started (above)"
        look_first # it has more to say now
    fi
    has_compose || apt_install docker-compose || die "docker compose is missing, and could not be installed (above)"
    name_images
    have_images started_rabbitmq || die "nothing was started"
    check_workshop "$REGISTRY/misc-service:$VERSION" || die "nothing was started"
}

[ "$1" != up ] || bring_what_is_missing
compose=(docker-compose)
if docker compose version >/dev/null 2>&1; then compose=(docker compose); fi
compose+=(--project-name "$STACK" --file compose.yml)
case "$1 $* " in
'up '*' -d '* | 'up '*' --detach '*)
    wait_notes_the_past compose_look
    "${compose[@]}" "$@"
    wait_until_healthy compose_look "$TIMEOUT" || die "not everything is healthy (./stack/compose.sh logs SERVICE says more)"
    say "[$SECONDS s] everything is healthy: the shop is at http://localhost:${WOODY_HTTP_PORT:-80}/"
    ;;
*) exec "${compose[@]}" "$@" ;;
esac
