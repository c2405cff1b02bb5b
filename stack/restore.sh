#!/usr/bin/env bash
# Brings the shop's database back, from a file of backup.sh, or as it was at a moment (point-in-time.sh).
set -euo pipefail
# shellcheck source=stack/database.sh
. "$(dirname "$0")/database.sh"

usage() {
    cat <<'END'
Usage: ./stack/restore.sh FILE --yes
       ./stack/restore.sh --to-time TIME|--to-latest [--timeline N] [--keep-promises] --yes|--check
       ./stack/restore.sh --drop-old

Replaces everything in the database by what FILE holds, in one transaction: it succeeds whole, or nothing changes. Orders
that were accepted after the backup are lost, but for those whose messages RabbitMQ still has. The shop's services are
stopped meanwhile (scaled to 0) and come back after.

  --to-time TIME   instead, the database as it was at TIME ('2026-11-30 07:10:00+00', with its offset from UTC), of a base backup
                   and the WAL in the archive (stack/pitr.yml). A copy is made beside the database and tried; only then does it
                   take the database's place, whose files are kept until --drop-old. Everything later is lost, but as above
  --to-latest      the same, as far as the archive goes
  --timeline N     along another timeline than the database's: back to what a restore has left behind
  --keep-promises  the order-services go on, accepting orders; and each writes again what it remembers of those that it has accepted
                   and that are not there any more
  --check          only makes the copy, tries it, says what is in it, and removes it: the shop goes on
  --drop-old       removes the files that restores have kept
  --yes            you have read the sentences above

  WOODY_STACK=woodytoys        the stack's name
  WOODY_RESTORE_TIMEOUT=7200   seconds that the WAL may take to be replayed, 10 to 999999
  WOODY_SECRETS_DIR            where the passwords are kept: ~/.woodytoys/STACK
END
}
case ${1:-} in
--help | -h)
    usage
    exit
    ;;
--to-time | --to-latest | --drop-old) exec "$(dirname "$0")/point-in-time.sh" "$@" ;;
'' | -*)
    usage >&2
    exit 2
    ;;
esac
file=$1
[ -s "$file" ] || die "there is no file $file"
[ "${2:-}" = --yes ] || die "this replaces the database: say --yes"
in_database_with "$file" pg_restore --list >/dev/null || die "$file is no dump of backup.sh"

trap services_back EXIT
stop_services "${USERS[@]}"
in_database_with "$file" pg_restore --clean --if-exists --no-owner --single-transaction --exit-on-error --dbname woody
printf 'restored %s orders from %s; the services come back now\n' "$(in_database psql -tAc 'SELECT count(*) FROM orders')" "$file"
