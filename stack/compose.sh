#!/usr/bin/env bash
# The shop on one machine without Swarm: makes the secrets as files the first time, then runs docker compose.
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source=stack/secrets.sh
. ./secrets.sh

case ${1:-} in
'' | --help | -h)
    cat <<'END'
Usage: ./stack/compose.sh up -d | ps | logs -f order-worker | down ...

docker compose with compose.yml; arguments are its own. Passwords and secrets are kept in ~/.woodytoys/STACK. Images are
those of build_push.sh; VERSION, REGISTRY, RABBITMQ_IMAGE, POSTGRES_IMAGE and WOODY_HTTP_PORT work as in stack.yml.
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
if docker compose version >/dev/null 2>&1; then
    exec docker compose --project-name "$STACK" --file compose.yml "$@"
fi
exec docker-compose --project-name "$STACK" --file compose.yml "$@"
