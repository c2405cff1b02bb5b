#!/usr/bin/env bash
# Brings the shop's database back from a file of backup.sh.
set -euo pipefail
# shellcheck source=stack/database.sh
. "$(dirname "$0")/database.sh"

usage() {
    cat <<'END'
Usage: ./stack/restore.sh FILE --yes

Replaces everything in the database by what FILE holds, in one transaction: it succeeds whole, or nothing changes. Orders
that were accepted after the backup are lost, but for those whose messages RabbitMQ still has. The shop's services are
stopped meanwhile (scaled to 0) and come back after.

  --yes                   you have read the sentences above
  WOODY_STACK=woodytoys   the stack's name
END
}
case ${1:-} in
--help | -h)
    usage
    exit
    ;;
'' | -*)
    usage >&2
    exit 2
    ;;
esac
file=$1
[ -s "$file" ] || die "there is no file $file"
[ "${2:-}" = --yes ] || die "this replaces the database: say --yes"
in_database_with "$file" pg_restore --list >/dev/null || die "$file is no dump of backup.sh"

declare -A replicas
for service in misc-service product-service order-service order-worker; do
    replicas[$service]=$(docker service inspect --format '{{.Spec.Mode.Replicated.Replicas}}' "${STACK}_$service")
done
back() {
    local service
    for service in "${!replicas[@]}"; do echo "${STACK}_$service=${replicas[$service]}"; done | xargs docker service scale --detach >/dev/null
}
trap back EXIT
for service in "${!replicas[@]}"; do echo "${STACK}_$service=0"; done | xargs docker service scale --detach >/dev/null
for _ in {1..60}; do
    [ "$(in_database psql -tAc "SELECT count(*) FROM pg_stat_activity WHERE datname = 'woody' AND pid <> pg_backend_pid()")" != 0 ] || break
    sleep 1
done
in_database_with "$file" pg_restore --clean --if-exists --no-owner --single-transaction --exit-on-error --dbname woody
printf 'restored %s orders from %s; the services come back now\n' "$(in_database psql -tAc 'SELECT count(*) FROM orders')" "$file"
