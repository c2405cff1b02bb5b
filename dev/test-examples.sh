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

# As the tests are built, so that nothing is built again.
cargo build --quiet --workspace --all-features --examples
examples=${CARGO_TARGET_DIR:-target}/debug/examples
expect 'embed (memory)' ': success' "$examples/embed"
if [ -n "${WOODY_TEST_AMQP_URL:-}" ]; then
    expect 'embed (RabbitMQ)' ': success' "$examples/embed" "$WOODY_TEST_AMQP_URL"
fi
expect own_validator 'Wooden sword: Some.Rejected' "$examples/own_validator"
expect own_store 'read back: Some' "$examples/own_store"

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
