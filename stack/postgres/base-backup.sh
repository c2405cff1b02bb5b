#!/usr/bin/env bash
# base-backup.sh ARCHIVE KEEP: inside the database's container, a base backup into ARCHIVE/base/DATE, DATE being when it was done.
# Keeps the newest KEEP of them, and the WAL since the first of those. backup.sh runs it.
set -euo pipefail
umask 077
archive=$1 keep=$2 bases=$1/base

die() {
    printf 'backup.sh: %s\n' "$*" >&2
    exit 1
}
bases() { find "$bases" -mindepth 1 -maxdepth 1 -name '????????T??????Z' -printf '%f\n' | sort; }
said() { psql --no-psqlrc --tuples-only --no-align --command "$1" </dev/null; }

[ "$(said 'SHOW archive_mode')" = on ] || die "PostgreSQL keeps no WAL in an archive: deploy with -c stack/pitr.yml first"
mkdir -p "$bases"
exec 9>"$bases/lock"
flock --nonblock 9 || die "another base backup is under way"
mapfile -t all < <(bases)
identifier() { LC_ALL=C pg_controldata "$1" | grep '^Database system identifier'; }
if [ ${#all[@]} -gt 0 ] && [ "$(identifier "$bases/${all[-1]}")" != "$(identifier "$PGDATA")" ]; then
    die "the archive is of another database, whose base backups would be dropped: bring that one back (restore.sh --to-latest), or deploy with another WOODY_ARCHIVE"
fi
# Without what comes after it a base backup is the last moment that can be gone back to.
segment=$(said 'SELECT pg_walfile_name(pg_switch_wal())')
deadline=$((SECONDS + 60))
until [ -e "$archive/wal/$segment.gz" ]; do
    [ "$SECONDS" -lt "$deadline" ] || die "the archive does not take the WAL ($segment): see the log of the database; nothing was made and nothing dropped"
    sleep 0.2
done
rm -rf "$bases"/*.part # of one that was broken off
part=$bases/$(date --utc +%s).part
trap 'rm -rf "$part"' EXIT
pg_basebackup --pgdata "$part" --checkpoint fast --wal-method stream --no-password </dev/null
# Each file by its checksum, and the WAL that it cannot do without.
pg_verifybackup --quiet "$part" </dev/null || die "what was written is not what was read: this base backup is dropped, and those before it stay"
name=$(date --utc +%Y%m%dT%H%M%SZ)
[ ! -e "$bases/$name" ] || die "there is a base backup of this second"
mv "$part" "$bases/$name"
sync "$bases"

# first_segment BASE: the first that it needs, without its timeline: WAL counts on over a restore, and bases of both sides of one may
# be kept.
first_segment() { sed -nE 's/^START WAL LOCATION: .*\(file [0-9A-F]{8}([0-9A-F]{16})\)$/\1/p' "$bases/$1/backup_label"; }
mapfile -t all < <(bases)
dropped=0 first=''
for base in "${all[@]:0:${#all[@]}>keep?${#all[@]}-keep:0}"; do
    rm -rf "${bases:?}/$base"
    dropped=$((dropped + 1))
done
for base in "${all[@]:dropped}"; do
    segment=$(first_segment "$base")
    [ "$segment" ] || die "$bases/$base has no backup_label: it is no base backup; no WAL was removed"
    [[ $first && ! $segment < $first ]] || first=$segment
done
segments() { find "$archive/wal" -name '*.gz' 2>/dev/null | wc -l; }
before=$(segments)
pg_archivecleanup -b -x .gz "$archive/wal" "00000001$first"
printf '%s: %s, verified\nkept: %s base backups since %s, %s of WAL; dropped: %s, and %s files of WAL\n' "$name" "$(du -sh "$bases/$name" | cut -f1)" \
    "$((${#all[@]} - dropped))" "${all[dropped]}" "$(du -sh "$archive/wal" | cut -f1)" "$dropped" "$((before - $(segments)))"
