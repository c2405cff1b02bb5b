#!/usr/bin/env bash
# Saves the shop's database to a file, while the shop goes on. What a broker holds need not be saved: orders that are
# pending are published again.
set -euo pipefail
# shellcheck source=stack/database.sh
. "$(dirname "$0")/database.sh"

usage() {
    cat <<'END'
Usage: ./stack/backup.sh [FILE]

Dumps the database, as it is at one moment, to FILE (woodytoys-DATE.dump). Runs on the node of the database.

  WOODY_STACK=woodytoys   the stack's name
END
}
case ${1:-} in
--help | -h)
    usage
    exit
    ;;
-*)
    usage >&2
    exit 2
    ;;
esac
file=${1:-woodytoys-$(date --utc +%Y%m%dT%H%M%SZ).dump}
trap 'rm -f "$file.part"' EXIT
(umask 077 && in_database pg_dump --format custom >"$file.part")
# A dump that broke off has no table of contents.
in_database_with "$file.part" pg_restore --list >/dev/null
mv "$file.part" "$file"
printf '%s: %s, %s orders\n' "$file" "$(du -h "$file" | cut -f1)" "$(in_database psql -tAc 'SELECT count(*) FROM orders')"
