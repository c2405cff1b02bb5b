#!/usr/bin/env bash
# A program outside the workspace, killed with -9 in the middle of its orders and started again.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
    cat <<'END'
Usage: ./dev/test-outside.sh [--orders N]

Builds examples/outside as an embedder would: a package of its own that depends on the facade alone. Gives it orders,
kills it with -9 while it takes them, starts it again with none, and holds what it promised to what its store says in
the end. Shares the workspace's target directory and lock file, so that it builds little that is not there already.

  --orders N   kill it once it has promised N orders (1 to 500); 40
  --help       this text

Exit code 0: every check passed. 1: one failed. 2: wrong arguments.
END
}

orders=40
while [ $# -gt 0 ]; do
    case $1 in
    --orders)
        orders=${2:-}
        shift
        ;;
    --help | -h)
        usage
        exit
        ;;
    *) orders='' ;;
    esac
    if ! [[ $orders =~ ^[1-9][0-9]{0,2}$ ]] || [ "$orders" -gt 500 ]; then
        usage >&2
        exit 2
    fi
    shift
done

passed=0 failed=0
# check NAME COMMAND...: passes when the command succeeds; what it prints is shown when it does not.
check() {
    local name=$1 said
    shift
    if said=$("$@" 2>&1); then
        echo "outside: $name ... ok${said:+ ($said)}"
        passed=$((passed + 1))
    else
        printf 'outside: %s ... FAILED\n%s\n' "$name" "$said"
        failed=$((failed + 1))
    fi
}

manifest=examples/outside/Cargo.toml source=examples/outside/src/main.rs

is_short() {
    local lines
    lines=$(grep -cvE '^ *(//|use |$)' "$source")
    echo "$lines lines of its own"
    [ "$lines" -le 25 ]
}

carries_nothing_heavy() {
    ! cargo tree --manifest-path "$manifest" --edges normal,build --prefix none |
        grep -E '^(bin-packing|rayon|lapin|sqlx-postgres|hyper|clap) '
}

is_silent() {
    ! cat -- "$@" | grep .
}

# What the store says: its orders as {id: [status, when it ended, how many toppings]}.
store() {
    python3 - "$@" <<'END'
import json, sqlite3, sys, time, uuid

def stored():
    rows = sqlite3.connect("orders.db").execute("SELECT id, status, finished_at, details FROM orders")
    return {str(uuid.UUID(bytes=i)): [s, at, len(json.loads(d)["toppings"])] for i, s, at, d in rows}

def queued():
    queue = sqlite3.connect("queue.db")
    return sum(queue.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in ["messages", "delayed", "dead"])

def snapshot():
    orders = stored()
    json.dump(orders, open("killed.json", "w"))
    pending = sum(status == "pending" for status, *_ in orders.values())
    print(f"{len(orders) - pending} had ended, {pending} had not")
    return pending > 0

def settles():
    deadline = time.monotonic() + 60
    while any(status == "pending" for status, *_ in stored().values()):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True

def all_ended_once():
    promised, orders = open("promised").read().split(), stored()
    wrong = [f"{i} was promised twice" for i in set(promised) if promised.count(i) > 1]
    wrong += [f"{i} was promised and is lost" for i in promised if i not in orders]
    for i, [status, _, toppings] in orders.items():
        if status != ("rejected" if toppings > 8 else "success"):
            wrong.append(f"{i} with {toppings} toppings is {status}")
    for i, ended in json.load(open("killed.json")).items():
        if ended[0] != "pending" and ended != orders.get(i):
            wrong.append(f"{i} ended as {ended} and then as {orders.get(i)}")
    print("\n".join(wrong) or f"{len(promised)} promised, {len(orders)} stored")
    return not wrong

def nothing_is_queued():
    print(f"{queued()} messages")
    return queued() == 0

sys.exit(not globals()[sys.argv[1]]())
END
}

# order FIRST LAST: orders as lines; every tenth has more toppings than the kitchen takes.
order() {
    local n toppings
    for n in $(seq "$1" "$2"); do
        toppings='"tomato", "basil 🌿"'
        if [ $((n % 10)) = 0 ]; then toppings+=$(printf ', "cheese"%.0s' {1..7}); fi
        echo "{\"toppings\": [$toppings], \"email\": \"guest$n@example.org\"}"
    done
}

# As the workspace is built and with the same versions, so that what both need is there already.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target} CARGO_PROFILE_DEV_DEBUG=line-tables-only
cp Cargo.lock examples/outside/Cargo.lock
began=$SECONDS
cargo build --quiet --manifest-path "$manifest"
echo "outside: built in $((SECONDS - began)) s"

check 'its own logic is at most 25 lines' is_short
check 'it is formatted as the workspace is' cargo fmt --check --manifest-path "$manifest"
check 'nothing heavy comes with it' carries_nothing_heavy

program=$CARGO_TARGET_DIR/debug/outside work=$(mktemp -d) child=''
finish() {
    if [ -n "$child" ]; then kill -KILL "$child" 2>/dev/null || true; fi
    rm -rf "$work"
}
trap finish EXIT
cd "$work"
mkfifo orders promises

"$program" <orders >promises 2>first.log &
child=$!
exec 3>orders 4<promises
# Twice as many as are waited for, so that it dies with some on its hands.
order 1 $((orders * 2)) >&3 &
for _ in $(seq "$orders"); do
    read -r -t 60 id <&4 || break
    echo "$id"
done >promised
kill -KILL "$child"
wait "$child" 2>/dev/null || true
exec 3>&-
# What it promised beyond that is promised too, but for a line that it died on.
grep -E '^[0-9a-f-]{36}$' <&4 >>promised || true
exec 4<&-

check 'it took what it was asked to' test "$(wc -l <promised)" -ge "$orders"
check 'it was killed in the middle' store snapshot

"$program" <orders >again 2>second.log &
child=$!
exec 3>orders
check 'all end when it is started again' store settles
exec 3>&-
code=0
wait "$child" || code=$?
child=''
check 'it ends with its input' test "$code" = 0
check 'every promised order has ended once' store all_ended_once
check 'nothing is left in the queue' store nothing_is_queued
check 'it did not complain' is_silent first.log second.log

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
