#!/usr/bin/env bash
# woodyctl against the deployed stack: ./stack/ctl.sh orders audit --promised /dev/stdin <ids
# It runs in the network of one of the stack's containers on this node, since the data network lets no other client in.
set -euo pipefail

# shellcheck source=stack/secrets.sh
. "$(dirname "$0")/secrets.sh"
# shellcheck source=stack/registry.sh
. "$(dirname "$0")/registry.sh"

die() {
    printf 'ctl: %s\n' "$*" >&2
    exit 1
}
case ${1:-} in
'' | --usage) die "Usage: ./stack/ctl.sh COMMAND...; ./stack/ctl.sh --help shows woodyctl's own" ;;
esac
# An order-service, or, where those are on other nodes, the database.
mapfile -t beside < <(for service in order-service database; do
    docker ps --quiet --filter "label=com.docker.swarm.service.name=${STACK}_$service"
done)
[ ${#beside[@]} -gt 0 ] || die "no order-service and no database of the stack $STACK runs on this node: ask the one with the database"
image=$(docker service inspect --format '{{.Spec.TaskTemplate.ContainerSpec.Image}}' "${STACK}_order-service")
image=${image%%@*}
image=${image/order-service/woodyctl}
pull=missing
is_from_registry "$image" || pull=never
load_passwords || die "the passwords of deploy-swarm.sh are not in $SECRETS_DIR"
# By way of our environment: an argument of docker's is for all to see.
WOODY_STORE_URL=$(secret store_url) WOODY_BROKER_URL=$(secret broker_url)
# In the container there is no such user.
WOODY_BY=${WOODY_BY:-${SUDO_USER:-$(id -un)} at $(uname -n)}
export WOODY_STORE_URL WOODY_BROKER_URL WOODY_BY
tty=()
if [ -t 0 ] && [ -t 1 ]; then tty=(--tty); fi # where a person sits, who may be asked
exec docker run --rm --interactive "${tty[@]}" --pull "$pull" --network "container:${beside[0]}" --read-only --cap-drop ALL \
    --env WOODY_STORE_URL --env WOODY_BROKER_URL --env WOODY_BY "$image" "$@"
