#!/usr/bin/env bash
# Brings the shop's database back as it was at a moment: restore.sh --to-time and --to-latest, whose --help says how.
set -euo pipefail
export LC_ALL=C
# shellcheck source=stack/secrets.sh
. "$(dirname "$0")/secrets.sh"
# shellcheck source=stack/database.sh
. "$(dirname "$0")/database.sh"
HERE=$(cd "$(dirname "$0")" && pwd)

say() { printf '%s\n' "restore.sh: $*" >&2; }
die() {
    say "$*"
    exit 1
}
wrong() {
    say "$*"
    exit 2
}

# --- what is asked for ---
target='' timeline='' check='' yes='' drop='' stopped=("${USERS[@]}")
while [ $# -gt 0 ]; do
    case $1 in
    --to-time)
        [[ ${2:-} =~ ^[0-9]{4}-[0-9]{2}-[0-9]{2}[\ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}(:?[0-9]{2})?)$ ]] ||
            wrong "--to-time wants a moment with its offset from UTC, such as '2026-11-30 07:10:00+00'"
        target=$(date --utc --date "$2" '+%Y-%m-%d %H:%M:%S.%6N+00' 2>/dev/null) || wrong "$2 is no moment"
        [[ $target < $(date --utc '+%Y-%m-%d %H:%M:%S.%6N+00') ]] || wrong "$2 is yet to come"
        shift
        ;;
    --to-latest) target=latest ;;
    --timeline)
        [[ ${2:-} =~ ^[1-9][0-9]{0,8}$ ]] || wrong "--timeline wants a number"
        timeline=$2
        shift
        ;;
    --keep-promises) stopped=(misc-service product-service order-worker) ;;
    --check) check=yes ;;
    --yes) yes=yes ;;
    --drop-old) drop=yes ;;
    *) wrong "what is $1? --help says what there is" ;;
    esac
    shift
done
TIMEOUT=${WOODY_RESTORE_TIMEOUT:-7200}
[[ $TIMEOUT =~ ^[1-9][0-9]{1,5}$ ]] || wrong "WOODY_RESTORE_TIMEOUT must be a number of seconds from 10 to 999999, not $TIMEOUT"
[ "$drop$target" ] || wrong "--to-time or --to-latest? --help says what there is"
[ "$drop$check$yes" ] || wrong "this replaces the database: say --yes, or --check to try it beside the database"

# --- the database's files ---
# of_service FORMAT: from the service of the database.
of_service() { docker service inspect --format "$1" "${STACK}_database" 2>/dev/null || die "there is no service ${STACK}_database"; }
image=$(of_service '{{.Spec.TaskTemplate.ContainerSpec.Image}}')
# mounted TARGET: what is mounted there.
mounted() { of_service "{{range .Spec.TaskTemplate.ContainerSpec.Mounts}}{{if eq .Target \"$1\"}}{{.Source}}{{end}}{{end}}"; }
data=$(mounted /var/lib/postgresql) archive=$(mounted "$ARCHIVE")
[ "$archive" ] || die "PostgreSQL keeps no WAL in an archive: deploy with -c stack/pitr.yml, and make a base backup, before you need it"
for volume in "$data" "$archive"; do
    [[ $volume == /* ]] || docker volume inspect "$volume" >/dev/null 2>&1 || die "the volume $volume is not on this node: run this where the database is"
done
load_password database || die "the passwords of deploy-swarm.sh are not in $SECRETS_DIR"
exec 9<"$SECRETS_DIR"
flock --nonblock 9 || die "another restore is under way"
# beside ARGUMENTS...: recover.sh, beside the files.
BESIDE=$STACK-restore
beside() {
    docker run --rm --name "$BESIDE" --pull never --network none --read-only --cap-drop ALL --user 999:999 --tmpfs /tmp --tmpfs /dev/shm \
        --volume "$data:/var/lib/postgresql" --volume "$archive:$ARCHIVE:ro" --volume "$HERE/postgres:/etc/postgresql:ro" \
        --entrypoint bash "$image" /etc/postgresql/recover.sh "$@" </dev/null
}
if [ "$drop" ]; then
    beside drop old
    exit
fi

# --- the shop ---
stamp=$(date --utc +%Y%m%dT%H%M%SZ) swapped=''
# until_it_does SECONDS CMD...
until_it_does() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.5
    done
}
tasks() { docker ps --quiet --filter "label=com.docker.swarm.service.name=${STACK}_database" --filter status=running; }
# has_ended: neither does a container use the files, nor is one about to.
has_ended() {
    local states users
    states=$(docker service ps --format '{{.CurrentState}}' "${STACK}_database") && users=$(docker ps --quiet --filter "volume=$data") || return 1
    [ -z "$users" ] && ! grep -qE '^(New|Allocated|Pending|Assigned|Accepted|Preparing|Ready|Starting|Running)' <<<"$states"
}
# stop_database: never is a folder renamed that PostgreSQL works in. It writes global/pg_control by its whole path, and so into the folder
# that took the place of its own. A task that Swarm was about to make shows within seconds.
stop_database() {
    local deadline=$((SECONDS + 120)) seen=0
    scale database 0
    while [ "$seen" -lt 8 ]; do
        [ "$SECONDS" -lt "$deadline" ] || { say "the database does not end" && return 1; }
        if has_ended; then seen=$((seen + 1)); else seen=0; fi
        sleep 0.5
    done
}
# Inside its container, which asks for no password while pg_hba.conf is that of recover.sh.
inside() {
    local id
    id=$(tasks | head -n 1)
    [ "$id" ] && docker exec --interactive "$id" psql --no-psqlrc --tuples-only --no-align --username woody --dbname woody --set ON_ERROR_STOP=1 "$@"
}
is_its_own() { [ "$(inside --command 'SELECT pg_is_in_recovery()' 2>/dev/null </dev/null)" = f ]; }
finish() {
    local code=$? start=yes
    trap - EXIT INT TERM
    docker rm --force "$BESIDE" >/dev/null 2>&1 || true
    if [ "$swapped" ]; then
        say "the database that was there before takes its place again"
        if ! { stop_database && beside undo "$stamp"; }; then
            say "it could not: its files are in a folder that ends with .before-$stamp; nothing is started until you have seen to it"
            start=''
        fi
    fi
    if [ "$check" ]; then
        beside drop new || true
    elif [ "$start" ]; then
        scale database 1 || true
        services_back || true
    fi
    exit "$code"
}

# The newest WAL is not in the archive yet. What is committed here is later than any moment that can be asked for.
archive_the_rest() {
    local last
    last=$(in_database psql -tAc "SELECT pg_logical_emit_message(true, 'woody', 'restore')" -tAc 'SELECT pg_walfile_name(pg_switch_wal())' | tail -n 1)
    is_archived() { [ "$(in_database psql -tAc "SELECT coalesce(last_archived_wal, '') COLLATE \"C\" >= '$last' FROM pg_stat_archiver")" = t ]; }
    until_it_does 60 is_archived && return
    say "the archive does not take the newest WAL, $last: $(in_database psql -tAc 'SELECT last_failed_wal, last_failed_time FROM pg_stat_archiver')"
    [ "$target" != latest ] || die "as far as the archive goes is not as far as the database is; nothing was changed"
}

trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
if [ -z "$check" ]; then
    say "stopping ${stopped[*]}"
    stop_services "${stopped[@]}"
fi
if ! a_database >/dev/null; then
    say "no healthy database is here: what the archive has not got is lost"
elif ! beside same; then
    say "the database that is here is not the one that the archive is of"
else
    archive_the_rest
fi
found=$(beside copy "$target" "$timeline" "$TIMEOUT") || die "nothing was changed"
if [ "$check" ]; then
    echo "can be brought back: $found"
    exit
fi
say "the copy is good: $found"
stop_database
swapped=yes
beside swap "$stamp" || die "its files could not be put in place"
scale database 1
until_it_does 300 is_its_own || die "the database that was brought back does not start: docker service logs ${STACK}_database says why"
{
    printf "ALTER ROLE woody PASSWORD '%s';\n" "$POSTGRES_PASSWORD"
    printf 'ALTER SYSTEM RESET %s;\n' restore_command recovery_target_time recovery_target_timeline recovery_target_action
} | inside --quiet
# shellcheck disable=SC2016 # expanded in there
docker exec "$(tasks | head -n 1)" sh -c 'mv "$PGDATA/pg_hba.conf.before" "$PGDATA/pg_hba.conf"'
inside --quiet --command 'SELECT pg_reload_conf()' >/dev/null </dev/null
is_healthy() { a_database >/dev/null; }
until_it_does 120 is_healthy || die "the database that was brought back is not healthy"
orders=$(in_database psql -tAc 'SELECT count(*) FROM orders')
swapped=''
printf 'brought back %s, on timeline %s: %s orders; the services come back now\n' "$found" \
    "$(in_database psql -tAc 'SELECT timeline_id FROM pg_control_checkpoint()')" "$orders"
say "the files of before are kept as …/docker.before-$stamp: restore.sh --drop-old removes them once you are content"
