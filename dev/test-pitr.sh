#!/usr/bin/env bash
# The shop brought back to a moment, on a real Swarm: base backups, an archive of the WAL, and what is damaged in it.
# shellcheck disable=SC2317,SC2329 # functions called by way of `check` and `trap`
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
    cat <<'END'
Usage: ./dev/test-pitr.sh [--keep]

Deploys stack.yml with pitr.yml on top (an engine is started if none answers, images are built), places orders all the time, and brings
the database back to a moment among them: what was committed before is there as it was, nothing that came later is. Then once more,
from the timeline that this began, with a segment of the WAL torn, with one missing, and with a password of then. Takes minutes.

  --keep   leave the stack as it is at the end; later: stack/teardown.sh --volumes --leave, stack/engine.sh down
  --help   this text

Exit code 0: every check passed. 1: one failed. 2: wrong arguments.
END
}
keep=''
case ${1:-} in
'') ;;
--keep) keep=yes ;;
--help | -h)
    usage
    exit
    ;;
*)
    usage >&2
    exit 2
    ;;
esac

export WOODY_STACK=woodypitr REGISTRY=woodypitr WOODY_HTTP_PORT=${WOODY_HTTP_PORT:-80} WOODY_MANAGEMENT_PORT=${WOODY_MANAGEMENT_PORT:-15672}
export WOODY_IMAGE_PROFILE=${WOODY_IMAGE_PROFILE:-swarm-test} WOODY_HEALTH_INTERVAL=2s WOODY_UPDATE_DELAY=1s WOODY_UPDATE_MONITOR=5s WOODY_RATE_LIMIT=0
work=$(mktemp -d)
export WOODY_SECRETS_DIR=$work/secrets
# shellcheck source=stack/secrets.sh
. stack/secrets.sh
# shellcheck source=stack/database.sh
. stack/database.sh
woodyctl=${CARGO_TARGET_DIR:-$PWD/target}/$(uname -m)-unknown-linux-gnu/$WOODY_IMAGE_PROFILE/woodyctl
shop=http://127.0.0.1:$WOODY_HTTP_PORT

started_engine='' made_swarm='' job=''
finish() {
    local code=$?
    trap - EXIT INT TERM
    if [ "$job" ]; then kill "$job" 2>/dev/null && wait "$job" 2>/dev/null; fi
    if [ "$keep" ]; then
        echo "kept: stack $STACK, secrets in $WOODY_SECRETS_DIR"
        exit "$code"
    fi
    if [ "$(docker info --format '{{.Swarm.ControlAvailable}}' 2>/dev/null)" = true ]; then
        stack/teardown.sh --volumes ${made_swarm:+--leave} || code=1
    fi
    docker image ls --format '{{.Repository}}:{{.Tag}}' "$REGISTRY/*" 2>/dev/null | xargs -r docker image rm --force >/dev/null || true
    if [ "$started_engine" ]; then stack/engine.sh down || code=1; fi
    rm -rf "$work"
    exit "$code"
}
if ! docker info >/dev/null 2>&1; then
    started_engine=yes made_swarm=yes
elif [ "$(docker info --format '{{.Swarm.LocalNodeState}}')" != active ]; then
    made_swarm=yes
elif grep -qx "$STACK" <<<"$(docker stack ls --format '{{.Name}}')"; then
    die "the stack $STACK is deployed: take it down first"
fi
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

passed=0 failed=0
# check NAME COMMAND...: passes when the command succeeds; what it prints is shown, the last of it where it does.
check() {
    local name=$1 said began=$SECONDS
    shift
    if said=$("$@" 2>&1); then
        echo "pitr: $name ... ok ($((SECONDS - began)) s)"
        said=$(tail -n 6 <<<"$said")
        passed=$((passed + 1))
    else
        echo "pitr: $name ... FAILED ($((SECONDS - began)) s)"
        failed=$((failed + 1))
    fi
    [ -z "$said" ] || printf '        %s\n' "${said//$'\n'/$'\n        '}"
}
sql() { in_database psql --no-psqlrc --tuples-only --no-align --field-separator ' ' --set ON_ERROR_STOP=1 "$@"; }

# --- what is looked at ---
ORDERS='SELECT id, status FROM orders ORDER BY id'
orders() { sql --command "$ORDERS"; }
# moment NAME: what is committed for sure at a moment (NAME.before), the moment (NAME.at), and what may be (NAME.after).
moment() {
    sql --command "$ORDERS" --command "SELECT '@ ' || clock_timestamp()" --command "$ORDERS" >"$work/$1"
    sed '/^@/,$d' "$work/$1" >"$work/$1.before"
    sed -n 's/^@ //p' "$work/$1" >"$work/$1.at"
    sed '1,/^@/d' "$work/$1" >"$work/$1.after"
}
at() { cat "$work/$1.at"; }
place() { "$woodyctl" load "$shop" --rate 20 --for "$1" --output json >/dev/null; }
has_ended() { [ "$(sql --command "SELECT count(*) FROM orders WHERE status = 'pending'")" = 0 ]; }
# eventually SECONDS COMMAND...
eventually() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        if [ "$SECONDS" -ge "$deadline" ]; then
            echo "not in time: $*"
            "$@"
            return
        fi
        sleep 0.5
    done
}
is_whole() {
    docker service ls --filter "label=com.docker.stack.namespace=$STACK" --format '{{.Replicas}}' |
        awk '{ split($1, of, "/"); if (of[1] != of[2]) waits = 1 } END { exit waits }'
}
# is_as_at NAME: all that was committed before the moment is there, as it had ended; and nothing that came after it is.
is_as_at() {
    orders >"$work/now"
    python3 - "$work/$1.before" "$work/now" "$work/$1.after" <<'END'
import sys
before, now, after = (dict(line.split() for line in open(name)) for name in sys.argv[1:])
wrong = [f"{i} is lost" for i in before if i not in now]
wrong += [f"{i} came after that moment" for i in now if i not in after]
# What was pending then has ended since, by itself, and may have ended otherwise.
wrong += [f"{i} had ended as {s} and is {now[i]}" for i, s in before.items() if s != "pending" and now.get(i, s) != s]
print("\n".join(wrong[:10]) or f"{len(before)} to {len(after)} orders at that moment, {len(now)} now")
sys.exit(bool(wrong))
END
}
# fails_with TEXT COMMAND...
fails_with() {
    local text=$1 said
    shift
    if said=$("$@" 2>&1); then
        printf 'it succeeded:\n%s\n' "$said"
        return 1
    fi
    printf '%s\n' "$said"
    grep -qF "$text" <<<"$said"
}
task() { docker ps --quiet --filter "label=com.docker.swarm.service.name=${STACK}_database"; }
# in_archive COMMAND...: in its folder.
in_archive() { docker exec --workdir "$ARCHIVE/wal" "$(task)" "$@"; }
kept_files() { docker exec "$(task)" sh -c 'ls -d "$PGDATA".*' 2>/dev/null; }

# --- deployed ---
check 'the stack comes up with an archive' stack/deploy-swarm.sh -c stack/pitr.yml
[ "$failed" = 0 ] || exit 1
check 'nothing can be brought back before there is a base backup' fails_with 'there is no base backup' stack/restore.sh --to-latest --check
check 'orders are placed' place 3s
check 'a base backup is made and verified' stack/backup.sh --base

# --- to a moment ---
"$woodyctl" load "$shop" --rate 20 --for 1h --output json >"$work/load" 2>&1 &
job=$!
more_than() { [ "$(sql --command 'SELECT count(*) FROM orders')" -gt "$1" ]; }
eventually 60 more_than 100
moment one
eventually 60 more_than "$(($(wc -l <"$work/one.after") + 40))"
kill "$job"
wait "$job" || true
job=''
eventually 60 has_ended
orders >"$work/all"
check 'a moment that is yet to come is refused' fails_with 'yet to come' stack/restore.sh --to-time '2999-01-01 00:00:00+00' --yes
check 'a moment before the base backup is refused' fails_with 'no base backup was done before' stack/restore.sh --to-time '2020-01-01 00:00:00+00' --check
check 'nothing is replaced without --yes' fails_with 'say --yes' stack/restore.sh --to-time "$(at one)"
check 'it can be tried while the shop goes on' stack/restore.sh --to-time "$(at one)" --check
check 'which changes nothing' diff "$work/all" <(orders)
check 'the database is brought back to a moment' stack/restore.sh --to-time "$(at one)" --yes
check 'what was committed then is there, and nothing later' is_as_at one
check 'the services come back' eventually 90 is_whole
check 'what was pending then ends' eventually 120 has_ended
check 'the files of before are kept' kept_files

# --- once more, on the timeline that this began, to a time of another password ---
check 'orders are placed again' eventually 60 place 2s
eventually 60 has_ended
load_password database
moment two
sql --command "ALTER ROLE woody PASSWORD 'of-then'" --command 'SELECT clock_timestamp()' --command "ALTER ROLE woody PASSWORD '$POSTGRES_PASSWORD'" |
    grep -E '^[0-9]{4}-' >"$work/two.at"
docker service scale --detach "${STACK}_order-worker=0" >/dev/null
no_worker() { [ -z "$(docker ps --quiet --filter "label=com.docker.swarm.service.name=${STACK}_order-worker")" ]; }
eventually 60 no_worker
check 'orders are placed that no worker takes' place 1s
orders >"$work/later"
check 'the database is brought back a second time' stack/restore.sh --to-time "$(at two)" --yes
check 'what was committed then is there, and nothing later' is_as_at two
docker service scale --detach "${STACK}_order-worker=2" >/dev/null
there_again() { diff <(cut -d' ' -f1 "$work/later") <(orders | cut -d' ' -f1); }
check 'orders whose messages RabbitMQ has come back' eventually 90 there_again
check 'and end' eventually 90 has_ended
check 'what the first time left behind can be reached' stack/restore.sh --to-latest --timeline 1 --check
lost_once() { stack/restore.sh --to-latest --timeline 1 --check 2>&1 | grep -F "with $(wc -l <"$work/all") orders (0 pending)"; }
check 'all of it' lost_once

# --- with order-services that remember what they have promised ---
eventually 60 place 1s
moment three
check 'orders are placed, and end' place 2s
eventually 60 has_ended
orders >"$work/later"
"$woodyctl" load "$shop" --rate 20 --for 1h --ledger "$work/ledger" --output json >"$work/load" 2>&1 &
job=$!
eventually 30 more_than "$(($(wc -l <"$work/later") + 20))"
check 'the database is brought back while orders are accepted' stack/restore.sh --to-time "$(at three)" --keep-promises --yes
kill "$job"
wait "$job" || true
job=''
none_was_refused() {
    python3 -c 'import json, sys
of = json.load(open(sys.argv[1]))
print(", ".join(f"{of[name]} {name}" for name in ["accepted", "refused", "failed", "longest_gap_ms"]), of["first_failure"] or "")
sys.exit(of["refused"] + of["failed"] > 0)' "$work/load"
}
check 'no order was refused meanwhile' none_was_refused
are_there() { ! orders | cut -d' ' -f1 | sort | comm -13 - <(cut -d' ' -f1 "$work/later" "$work/ledger" | sort -u) | grep .; }
check 'what was promised before, and meanwhile, is there' eventually 90 are_there
check 'and ends' eventually 120 has_ended

# --- damage ---
in_archive_4() { in_archive sh -c 'ls 00000004????????????????.gz' | sort; }
for _ in 1 2 3; do
    place 1s
    last=$(sql --command 'SELECT pg_walfile_name(pg_switch_wal())')
done
check 'the archive grows' eventually 60 in_archive test -e "$last.gz"
first=$(in_archive_4 | head -n 1)
damaged=$(in_archive_4 | tail -n 2 | head -n 1)
eventually 60 has_ended
orders >"$work/all"
in_archive cp -p "$damaged" saved
in_archive sh -c "head -c 1000 saved >$damaged"
check 'a torn segment is named' fails_with "$damaged is torn" stack/restore.sh --to-latest --yes
check 'and changes nothing' diff "$work/all" <(orders)
check 'the services come back all the same' eventually 90 is_whole
in_archive rm "$damaged"
check 'a missing segment is named' fails_with "of segment ${damaged:8:16} of the WAL" stack/restore.sh --to-latest --check
in_archive mv saved "$damaged"
in_archive mv "$first" saved
check 'the first segment of a timeline is missed' fails_with "has no ${first%.gz}" stack/restore.sh --to-latest --check
in_archive mv saved "$first"
check 'once it is there again, so is all' stack/restore.sh --to-latest --check

# --- broken off, when the copy has taken the database's place ---
wanted() { docker service inspect --format '{{.Spec.Mode.Replicated.Replicas}}' "${STACK}_database"; }
is_wanted() { [ "$(wanted)" = "$1" ]; }
eventually 90 is_whole
eventually 60 has_ended
orders >"$work/all"
stack/restore.sh --to-time "$(at three)" --yes >"$work/broken" 2>&1 &
job=$!
eventually 30 test -s "$work/broken"
check 'two restores at once are one too many' fails_with 'another restore is under way' stack/restore.sh --drop-old
eventually 120 is_wanted 0
eventually 60 is_wanted 1
kill "$job"
wait "$job" || true
job=''
check 'a restore that is broken off puts back what was there' grep -F 'takes its place again' "$work/broken"
check 'and starts it' eventually 120 a_database
check 'with all that it had' diff "$work/all" <(orders)
check 'the services come back' eventually 120 is_whole

# --- and on ---
check 'a new base backup takes the place of the old, with its WAL' stack/backup.sh --base --keep 1
check 'the database is brought back as far as the archive goes' stack/restore.sh --to-latest --yes
check 'with all that was there' diff "$work/all" <(orders)

# --- the disk of the database is lost, and a new one is made ---
eventually 60 place 1s
eventually 60 has_ended
orders >"$work/all"
system() { sql --command 'SELECT system_identifier FROM pg_control_system()'; }
lost=$(system)
is_another() {
    local now
    now=$(system) && [ "$now" ] && [ "$now" != "$lost" ]
}
last=$(sql --command 'SELECT pg_walfile_name(pg_switch_wal())')
check 'the WAL is archived' eventually 60 in_archive test -e "$last.gz"
docker exec "$(task)" sh -c 'rm -rf "$PGDATA"'
docker kill "$(task)" >/dev/null
check 'a new database takes its place' eventually 120 is_another
check 'whose base backup would drop those of the old' fails_with 'is of another database' stack/backup.sh --base
check 'the database is brought back' stack/restore.sh --to-latest --yes
check 'with all that was archived' diff "$work/all" <(orders)
check 'it is the one that was lost' test "$(system)" = "$lost"
check 'the services come back' eventually 90 is_whole
check 'what was kept is dropped when it is asked for' stack/restore.sh --drop-old
check 'and is gone' fails_with '' kept_files
database=$(task)
check 'deploying again' stack/deploy-swarm.sh -c stack/pitr.yml
check 'does not restart the database' test "$database" = "$(task)"

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
