#!/usr/bin/env bash
# woodyctl against the deployed stack: ./stack/ctl.sh orders audit --promised /dev/stdin <ids
# It runs in the network of one of the stack's containers on this node, since the data network lets nobody else in.
set -euo pipefail

# shellcheck source=stack/secrets.sh
. "$(dirname "$0")/secrets.sh"

die() {
    printf 'ctl: %s\n' "$*" >&2
    exit 1
}
case ${1:-} in
'' | --usage) die "Usage: ./stack/ctl.sh COMMAND...; ./stack/ctl.sh --help shows woodyctl's own" ;;
esac
beside=$(docker ps --quiet --filter "label=com.docker.swarm.service.name=${STACK}_order-service" | head -n 1)
[ "$beside" ] || die "no order-service of the stack $STACK runs on this node"
image=$(docker inspect --format '{{.Config.Image}}' "$beside")
image=${image%%@*}
load_passwords || die "the passwords of deploy-swarm.sh are not in $KEPT"
# By way of our environment: an argument of docker's is for all to see.
WOODY_STORE_URL=$(secret store_url) WOODY_BROKER_URL=$(secret broker_url)
export WOODY_STORE_URL WOODY_BROKER_URL
exec docker run --rm --interactive --network "container:$beside" --read-only --cap-drop ALL \
    --env WOODY_STORE_URL --env WOODY_BROKER_URL "${image/order-service/woodyctl}" "$@"
