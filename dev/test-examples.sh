#!/usr/bin/env bash
# test-examples.sh: runs every example, and looks at what it prints.
# With WOODY_TEST_AMQP_URL set, the embedded pipeline also runs over RabbitMQ.
set -euo pipefail
cd "$(dirname "$0")/.."

passed=0 failed=0

# expect NAME PATTERN COMMAND...: passes when the command succeeds and its output matches.
expect() {
    local name=$1 pattern=$2 output
    shift 2
    if output=$(timeout 120 "$@" 2>&1) && grep -qE "$pattern" <<<"$output"; then
        echo "example $name ... ok"
        passed=$((passed + 1))
    else
        printf 'example %s ... FAILED: %s\n%s\n' "$name" "$*" "$output"
        failed=$((failed + 1))
    fi
}

# ask HOST:PORT LINE [BODY]: the whole answer to one request.
ask() {
    local body=${3:-}
    exec 3<>"/dev/tcp/${1%:*}/${1#*:}"
    printf '%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s' \
        "$2" "$1" "$(printf %s "$body" | wc -c)" "$body" >&3
    cat <&3
    exec 3>&-
}

# pizza_shop STORE QUEUE: opens the shop, orders over HTTP, follows the order to its end, closes.
pizza_shop() (
    said=$(mktemp -u)
    mkfifo "$said"
    "$examples/pizza_shop" 127.0.0.1:0 "$1" "$2" >"$said" &
    shop=$!
    trap 'kill -KILL $shop 2>/dev/null || true; rm -f "$said"' EXIT
    exec 4<"$said"
    read -r line <&4
    address=${line#open at http://}
    placed=$(ask "$address" 'POST /api/orders' '{"toppings": [{"name": "🍍"}, {"name": "pineapple"}], "email": "ada@example.org"}')
    id=$(grep -oE '[0-9a-f-]{36}' <<<"$placed" | head -n 1)
    ask "$address" "GET /api/orders/$id/events"
    ask "$address" 'POST /api/orders' '{"toppings": [], "email": "ada@example.org"}'
    kill -INT "$shop"
    cat <&4
    wait "$shop"
)

# several_types FOLDER: an order of each type on one address, each followed to its end; a book is no pizza.
several_types() (
    said=$(mktemp -u)
    mkfifo "$said"
    "$examples/several_types" 127.0.0.1:0 "$1" >"$said" &
    shop=$!
    trap 'kill -KILL $shop 2>/dev/null || true; rm -f "$said"' EXIT
    exec 4<"$said"
    read -r line <&4
    address=${line#open at http://}
    for order in '/pizzas {"toppings": ["🍅"]}' ' {"title": "Ulysses", "copies": 20}'; do
        prefix=${order%% *}
        placed=$(ask "$address" "POST $prefix/api/orders" "${order#* }")
        id=$(grep -oE '[0-9a-f-]{36}' <<<"$placed" | head -n 1)
        ask "$address" "GET $prefix/api/orders/$id/events"
    done
    ask "$address" 'POST /pizzas/api/orders' '{"title": "Ulysses", "copies": 20}'
    kill -INT "$shop"
    cat <&4
    wait "$shop"
)

# As the tests are built, so that nothing is built again.
cargo build --quiet --workspace --all-features --examples
examples=${CARGO_TARGET_DIR:-target}/debug/examples
expect 'embed (memory)' ': success' "$examples/embed"
if [ -n "${WOODY_TEST_AMQP_URL:-}" ]; then
    expect 'embed (RabbitMQ)' ': success' "$examples/embed" "$WOODY_TEST_AMQP_URL"
fi
expect mail_when_ended '_success@shop\.example> Train: success' "$examples/mail_when_ended"
expect own_validator 'Wooden sword: rejected' "$examples/own_validator"
expect own_store 'read back: Some' "$examples/own_store"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export -f ask pizza_shop several_types
export examples
for backends in 'memory: memory:' "sqlite:$work/pizzas.db sqlite:$work/queue.db"; do
    # shellcheck disable=SC2086 # two words
    expect "pizza_shop (${backends%%:*})" 'rejected.*not in this kitchen' bash -euc 'pizza_shop "$@"' bash $backends
done
mkdir "$work/types"
# grep looks line by line: all of it becomes one.
said_by_several_types() { several_types "$work/types" | tr '\r\n' '  '; }
export -f said_by_several_types
export work
expect several_types 'success.*1 toppings.*rejected.*10 copies of Ulysses.* 422 .*finished: \(true, true\)' \
    bash -euo pipefail -c said_by_several_types
expect drawings 'sheet.*pieces.*used' "$examples/drawings" "$work/drawings"
expect migrating_a_type 'read by the second: Pizza .*grams: 50.*delivery: Collected' "$examples/migrating_a_type"

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
