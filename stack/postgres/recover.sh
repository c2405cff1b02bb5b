#!/usr/bin/env bash
# Beside the database's files, in a container of its own that reaches no network and reads the archive only; point-in-time.sh runs it.
#   recover.sh same                                   whether the archive is of the database that is here
#   recover.sh copy TIME|latest TIMELINE|'' SECONDS   makes $PGDATA.new of a base backup and of the WAL up to then, and tries it;
#                                                     prints what is in it
#   recover.sh swap STAMP                             puts it in the place of $PGDATA, which becomes $PGDATA.before-STAMP
#   recover.sh undo STAMP                             and back
#   recover.sh drop new|old                           removes the copy, or every $PGDATA.before-…
set -euo pipefail
export LC_ALL=C
umask 077
archive=/var/tmp new=$PGDATA.new

say() { printf '%s\n' "restore.sh: $*" >&2; }
die() {
    say "$*"
    exit 1
}
# lsn TEXT: a place in the WAL as a number.
lsn() { echo $(((16#${1%/*} << 32) + 16#${1#*/})); }
control() { pg_controldata "$1" | sed -n "s/^$2: *//p"; }

# --- which base backup ---
# read_history TIMELINE: sets ended[T], the place at which each timeline that it goes back to was left; branches, the timelines that
# began there and where; and began, the last of these places.
declare -A ended=()
branches=() began=0
read_history() {
    local of from kept
    [ "$1" -gt 1 ] || return 0
    kept=$archive/wal/$(printf %08X "$1").history.gz
    [ -e "$kept" ] || die "the archive does not know where timeline $1 comes from: $kept is missing"
    while read -r of from _; do
        [[ $of =~ ^[0-9]+$ ]] || continue
        [ "$began" = 0 ] || branches+=("$of $began")
        began=$(lsn "$from")
        ended[$of]=$began
    done < <(gzip -dc "$kept")
    branches+=("$1 $began")
}
# segment NUMBER SIZE: its name, without its timeline.
segment() { printf '%08X%08X' $(($1 / (4294967296 / $2))) $(($1 % (4294967296 / $2))); }
# follow BASE: PostgreSQL would take, for the first segment of a timeline that is missing, the one of the timeline before, with what was
# written there after it was left.
follow() {
    local start size of from name
    start=$(lsn "$(sed -nE 's,^START WAL LOCATION: ([0-9A-F/]+) .*,\1,p' "$archive/base/$1/backup_label")")
    size=$(control "$archive/base/$1" 'Bytes per WAL segment')
    while read -r of from; do
        [ "${from:-0}" -gt "$start" ] || continue
        name=$(printf %08X "$of")$(segment $((from / size)) "$size")
        [ -e "$archive/wal/$name.gz" ] ||
            die "the archive has no $name, with which timeline $of begins: --timeline names another, which it left"
    done < <(printf '%s\n' "${branches[@]}")
}
# same: not so on a machine that took the place of one that was lost, where a new and empty database was made.
same() {
    local base identifier='Database system identifier'
    base=$(bases | tail -n 1)
    [ -z "$base" ] || [ "$(control "$archive/base/$base" "$identifier")" = "$(control "$PGDATA" "$identifier" 2>/dev/null)" ]
}
newest_timeline() {
    local name
    name=$(find "$archive/wal" -name '????????.history.gz' -printf '%f\n' 2>/dev/null | sort | tail -n 1)
    name=${name:-00000001}
    echo $((16#${name%%.*}))
}
# leads_to BASE TIMELINE: whether the WAL of that timeline goes on from it.
leads_to() {
    local of end
    of=$((16#$(sed -nE 's/^START WAL LOCATION: .*\(file ([0-9A-F]{8}).*$/\1/p' "$archive/base/$1/backup_label")))
    [ "$of" != "$2" ] || return 0
    # The end is in the manifest alone, which pg_basebackup writes a line for each.
    end=$(sed -nE 's/.*"Timeline": [0-9]+, "Start-LSN": "[0-9A-F/]+", "End-LSN": "([0-9A-F/]+)".*/\1/p' "$archive/base/$1/backup_manifest" | tail -n 1)
    [ "${ended[$of]:-}" ] && [ "$end" ] && [ "$(lsn "$end")" -le "${ended[$of]}" ]
}
bases() { find "$archive/base" -mindepth 1 -maxdepth 1 -name '????????T??????Z' -printf '%f\n' 2>/dev/null | sort; }
# choose TIME TIMELINE: prints the newest base backup that was done before.
choose() {
    local before=99999999T999999Z base all found=''
    [ "$1" = latest ] || before=$(date --utc --date "$1" +%Y%m%dT%H%M%SZ)
    mapfile -t all < <(bases)
    [ ${#all[@]} -gt 0 ] || die "there is no base backup in the archive: backup.sh --base makes one"
    for base in "${all[@]}"; do
        [[ $base < $before ]] && leads_to "$base" "$2" && found=$base
    done
    [ "$found" ] || die "no base backup was done before that moment that leads to timeline $2; there are: ${all[*]}"
    echo "$found"
}

# --- the copy ---
make() {
    local base=$1 target=$2 timeline=$3 needed free
    needed=$(du --summarize --block-size=1M "$archive/base/$base" | cut -f1)
    rm -rf "$new" # of one that was broken off
    free=$(df --output=avail --block-size=1M "$(dirname "$PGDATA")" | tail -n 1)
    # The WAL that is replayed makes it grow.
    [ "$free" -gt $((needed * 5 / 4 + 256)) ] || die "$free MB are free beside the database: a copy takes $((needed * 5 / 4 + 256))"
    cp --archive "$archive/base/$base" "$new"
    rm -f "$new/backup_manifest" "$new/recovery.signal"
    {
        sed -E '/^(restore_command|recovery_target[a-z_]*) *=/d' "$archive/base/$base/postgresql.auto.conf"
        printf "%s = '%s'\n" restore_command 'sh /etc/postgresql/wal.sh fetch /var/tmp/wal %f "%p"' \
            recovery_target_timeline "$timeline" recovery_target_action promote
        [ "$target" = latest ] || printf "recovery_target_time = '%s'\n" "$target"
    } >"$new/postgresql.auto.conf"
    # The password of that moment may be another than today's: whoever is inside the container needs none until that is mended.
    mv "$new/pg_hba.conf" "$new/pg_hba.conf.before"
    {
        echo 'local all all trust'
        cat "$new/pg_hba.conf.before"
    } >"$new/pg_hba.conf"
}

# --- the trial ---
said() { psql --no-psqlrc --tuples-only --no-align --host /tmp --username woody --dbname woody --command "$1" 2>/dev/null </dev/null; }
# complaints: what the server said last that matters.
complaints() { grep '^wal: ' /tmp/log | tail -n 1 | grep . || grep -E 'FATAL|PANIC' /tmp/log | grep -v 'the database system is' | tail -n 5; }
# gap TIMELINE: says what is missing of the WAL where the replay ended, if it is not the end of the archive.
gap() {
    local at size later name has='no file'
    at=$(lsn "$(said 'SELECT pg_last_wal_replay_lsn()')")
    size=$(control "$new" 'Bytes per WAL segment')
    name=$(segment $((at / size)) "$size")
    later=$(find "$archive/wal" -name "$(printf %08X "$1")????????????????.gz" -printf '%f\n' | sort | tail -n 1)
    [[ ${later:8:16} > $name ]] || [ "$at" -lt "$began" ] || return 1
    if [ -e "$archive/wal/$(printf %08X "$1")$name.gz" ]; then has='a file that PostgreSQL does not go on from'; fi
    say "the archive has a gap: of segment $name of the WAL, which comes next, it has $has, though it has later ones"
}
contents() {
    said "SELECT 'with ' || count(*) || ' orders (' || count(*) FILTER (WHERE status = 'pending') || ' pending), the last accepted at ' ||
        coalesce(to_char(max(accepted_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US+00'), '-') FROM orders" || echo 'with no table of orders yet'
}
# try TARGET TIMELINE SECONDS: replays the WAL up to there, and stops before it would be a server of its own.
try() {
    local target=$1 timeline=$2 deadline=$((SECONDS + $3)) server state='' last
    rm -f "$new/recovery.signal"
    touch "$new/standby.signal"
    postgres -D "$new" -c config_file=/etc/postgresql/postgresql.conf -c listen_addresses= -c unix_socket_directories=/tmp \
        -c archive_mode=off -c hot_standby=on -c recovery_target_action=pause >/tmp/log 2>&1 </dev/null &
    server=$!
    while true; do
        kill -0 "$server" 2>/dev/null || die "PostgreSQL cannot use it: $(complaints || tail -n 5 /tmp/log)"
        state=$(said "SELECT pg_get_wal_replay_pause_state() || ' ' || coalesce((SELECT wait_event FROM pg_stat_activity WHERE backend_type = 'startup'), '')" || true)
        # The second is how it waits for more WAL than there is.
        case $state in paused* | *RecoveryRetrieveRetryInterval) break ;; esac
        [ "$SECONDS" -lt "$deadline" ] || die "the WAL was not replayed within $3 s; WOODY_RESTORE_TIMEOUT gives it more"
        sleep 0.2
    done
    last=$(said "SELECT to_char(pg_last_xact_replay_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US+00')")
    case $state in
    # It also pauses where it may have fewer connections than the database had.
    paused*) grep -q 'pausing at the end of recovery' /tmp/log || die "the replay stopped before that moment: $(grep -E 'WARNING|DETAIL' /tmp/log | tail -n 2)" ;;
    *)
        if gap "$timeline"; then die "it can be brought back to ${last:-its base backup}, and no further"; fi
        [ "$target" = latest ] || die "the archive ends with what was committed at ${last:-the base backup}, before that moment"
        ;;
    esac
    echo "up to ${last:-its base backup}, $(contents)"
    kill -INT "$server"
    wait "$server" || die "PostgreSQL did not end well: $(complaints)"
    rm "$new/standby.signal"
    touch "$new/recovery.signal"
    sync --file-system "$new"
}

copy() {
    local target=$1 timeline=$2 base
    # That of the database which is here; where it is not this one's archive, the last in it.
    if [ -z "$timeline" ]; then
        if same; then timeline=$(control "$PGDATA" "Latest checkpoint's TimeLineID"); else timeline=$(newest_timeline); fi
    fi
    read_history "$timeline"
    base=$(choose "$target" "$timeline")
    follow "$base"
    say "copying the base backup $base beside the database, and replaying the WAL of timeline $timeline"
    make "$base" "$target" "$timeline"
    try "$target" "$timeline" "$3"
}

case ${1:-} in
same) same ;;
copy) copy "$2" "$3" "$4" ;;
swap)
    if [ -e "$PGDATA" ]; then mv "$PGDATA" "$PGDATA.before-$2"; fi
    if ! mv "$new" "$PGDATA"; then
        mv "$PGDATA.before-$2" "$PGDATA"
        exit 1
    fi
    sync --file-system "$PGDATA"
    ;;
undo)
    # Nothing was put in its place, or there was nothing.
    [ -e "$PGDATA.before-$2" ] || exit 0
    if [ -e "$PGDATA" ]; then
        rm -rf "$new"
        mv "$PGDATA" "$new"
    fi
    mv "$PGDATA.before-$2" "$PGDATA"
    sync --file-system "$PGDATA"
    ;;
drop)
    case $2 in
    new) rm -rf "$new" ;;
    old)
        for old in "$PGDATA".before-*; do
            [ -e "$old" ] || die "there is none"
            printf 'dropping %s, %s\n' "$old" "$(du -sh "$old" | cut -f1)"
            rm -rf "$old"
        done
        ;;
    esac
    ;;
*) die "what is '${1:-}'?" ;;
esac
