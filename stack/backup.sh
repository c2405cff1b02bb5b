#!/usr/bin/env bash
# Saves the shop's database, while the shop goes on: to a file, or as a base backup beside the archive of its WAL. What a broker
# holds need not be saved: orders that are pending are published again.
set -euo pipefail
# shellcheck source=stack/database.sh
. "$(dirname "$0")/database.sh"

usage() {
    cat <<'END'
Usage: ./stack/backup.sh [FILE]
       ./stack/backup.sh --base [--keep N]

Dumps the database, as it is at one moment, to FILE (woodytoys-DATE.dump). Runs on the node of the database.

  --base     instead, copies PostgreSQL's files into its archive (stack/pitr.yml), verifies the copy, and then drops older ones,
             with the WAL that none of those that are left needs: restore.sh --to-time goes back to any moment since the oldest
  --keep N   how many base backups are left, this one included: 1 to 99, by default 2

  WOODY_STACK=woodytoys   the stack's name
END
}
wrong() {
    usage >&2
    exit 2
}
case ${1:-} in
--help | -h)
    usage
    exit
    ;;
--base)
    keep=2
    if [ $# = 3 ] && [ "$2" = --keep ]; then keep=$3; elif [ $# != 1 ]; then wrong; fi
    [[ $keep =~ ^[1-9][0-9]?$ ]] || wrong
    in_database_with "$(dirname "$0")/postgres/base-backup.sh" bash -s -- "$ARCHIVE" "$keep"
    exit
    ;;
-*) wrong ;;
esac
file=${1:-woodytoys-$(date --utc +%Y%m%dT%H%M%SZ).dump}
trap 'rm -f "$file.part"' EXIT
(umask 077 && in_database pg_dump --format custom >"$file.part")
# A dump that broke off has no table of contents.
in_database_with "$file.part" pg_restore --list >/dev/null
mv "$file.part" "$file"
printf '%s: %s, %s orders\n' "$file" "$(du -h "$file" | cut -f1)" "$(in_database psql -tAc 'SELECT count(*) FROM orders')"
