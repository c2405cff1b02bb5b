#!/usr/bin/env bash
# The shop on one machine without Swarm: makes the secrets as files the first time, then runs docker compose.
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source=stack/secrets.sh
. ./secrets.sh
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

docker compose with compose.yml; arguments are its own. Passwords and secrets are kept in ~/.woodytoys/STACK. Images are
those of build_push.sh; VERSION, REGISTRY, RABBITMQ_IMAGE, POSTGRES_IMAGE and WOODY_HTTP_PORT work as in stack.yml.
`up` looks first at what it needs (stack/preflight.sh); with -d it waits until every container is healthy, or says at once
why one will not be. WOODY_DEPLOY_TIMEOUT=300 is for how many seconds.
END
    exit
    ;;
esac

for part in "${PARTS[@]}"; do make_password "$(kept "$part")"; done
load_passwords
export WOODY_SECRETS_FILES=$SECRETS_DIR/files
if [ ! -d "$WOODY_SECRETS_FILES" ]; then
    # The folder is yours alone; the files are for the containers' users, who are nobody here.
    (umask 077 && mkdir -p "$WOODY_SECRETS_FILES")
    for part in "${PARTS[@]}"; do
        for name in ${SECRETS[$part]}; do (umask 022 && secret "$name" >"$WOODY_SECRETS_FILES/$name"); done
    done
fi
say() { printf '%s\n' "$*" >&2; }
TIMEOUT=${WOODY_DEPLOY_TIMEOUT:-300}
if ! [[ $TIMEOUT =~ ^[1-9][0-9]{0,4}$ ]]; then
    say "compose: WOODY_DEPLOY_TIMEOUT must be a number of seconds from 1 to 99999, not $TIMEOUT"
    exit 2
fi
[ "$1" != up ] || ./preflight.sh --compose || { say "compose: nothing was started" && exit 1; }
# Where the image is still to be pulled, the service itself refuses a bad file.
planner=${REGISTRY:-woodytoys}/misc-service:${VERSION:-latest}
if [ "$1" = up ] && docker image inspect "$planner" >/dev/null 2>&1; then
    check_workshop "$planner" || { say "compose: nothing was started" && exit 1; }
fi
compose=(docker-compose)
if docker compose version >/dev/null 2>&1; then compose=(docker compose); fi
compose+=(--project-name "$STACK" --file compose.yml)
case "$1 $* " in
'up '*' -d '* | 'up '*' --detach '*)
    wait_notes_the_past compose_look
    "${compose[@]}" "$@"
    wait_until_healthy compose_look "$TIMEOUT" || { say "compose: not everything is healthy (./stack/compose.sh logs SERVICE says more)" && exit 1; }
    say "[$SECONDS s] everything is healthy"
    ;;
*) exec "${compose[@]}" "$@" ;;
esac
