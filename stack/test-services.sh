#!/usr/bin/env bash
# The checks of the original system's script, as assertions, against a shop at any address.
set -euo pipefail

usage() {
    cat <<'END'
Usage: ./stack/test-services.sh [BASE]

Asks a running shop everything that the original script asked, and looks at the answers: time, heavy work and its cache,
products, an order from its creation to its end, the limit of requests per client, RabbitMQ's management page.

  BASE     http://localhost by default
  --help   this text

  WOODY_MANAGEMENT=http://HOST:15672   RabbitMQ's management page; BASE's host by default, `none` to leave it out
  WOODY_RATE_LIMIT=10                  the limit that the shop was deployed with; 0 leaves the check out
  WOODY_RATE_STATUS=503                what the shop was told that a refusal is: 503 or 429

Exit code 0: all as it should be. 1: something is not. 2: wrong arguments.
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
BASE=${1:-http://localhost}
BASE=${BASE%/}
host=${BASE#*://}
MANAGEMENT=${WOODY_MANAGEMENT:-http://${host%%[:/]*}:15672}
LIMIT=${WOODY_RATE_LIMIT:-10}
REFUSAL=${WOODY_RATE_STATUS:-503}

passed=0 failed=0
ok() {
    passed=$((passed + 1))
    printf '  ok      %s\n' "$*"
}
no() {
    failed=$((failed + 1))
    printf '  FAILED  %s\n' "$*"
}
# expect WHAT PATTERN TEXT: an extended regular expression.
expect() { if [[ $3 =~ $2 ]]; then ok "$1"; else no "$1: got '$3', not $2"; fi; }

body=$(mktemp) headers=$(mktemp)
trap 'rm -f "$body" "$headers"' EXIT
# ask PATH [CURL ARGS...]: sets STATUS, BODY, MILLIS and the file of headers. One that is over the limit is asked again:
# that is the gateway's business, and its turn comes below.
ask() {
    local path=$1
    shift
    for _ in {1..20}; do
        read -r STATUS MILLIS < <(curl --silent --show-error --max-time 60 --output "$body" --dump-header "$headers" \
            --write-out '%{http_code} %{time_total}\n' "$@" "$BASE$path" | awk '{ printf "%s %d\n", $1, $2 * 1000 }')
        BODY=$(cat "$body")
        [ "$STATUS" = "$REFUSAL" ] && [[ $BODY == *'Rate limit exceeded'* ]] || return 0
        sleep 0.3
    done
}
header() { sed -nE "s/^$1: *(.*)\r$/\1/Ip" "$headers" | tail -n 1; }

STAMP='[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}'
UUID='[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'
unique=$(date +%s)$$

echo "WoodyToys at $BASE"
echo '1. misc'
ask /api/ping
expect 'ping' '^ping$' "$BODY"
ask /api/misc/time
expect 'the time' "^misc: $STAMP\$" "$BODY"

echo '2. misc, cached'
ask "/api/misc/heavy?name=test$unique"
first=$BODY first_ms=$MILLIS
expect 'heavy work, computed' "^$STAMP: Woody -test$unique- Woody\$" "$BODY"
expect 'it was not cached' 'fwd=miss' "$(header cache-status)"
ask "/api/misc/heavy?name=test$unique"
expect 'the same again' "^$first\$" "$BODY"
expect "from the cache ($first_ms ms, then $MILLIS ms)" '; hit' "$(header cache-status)"

echo '3. products'
ask "/api/products?product=TestProduct$unique"
expect 'a product is added' "^TestProduct$unique\$" "$BODY"
ask /api/products/last
expect 'it is the last' "^db: $STAMP - [0-9]+ products \(last=TestProduct$unique\)\$" "$BODY"

echo '4. orders, by RabbitMQ'
ask '/api/orders/do?order=TestProduct'
expect 'an order is accepted' "^Your process $UUID has been created with this product : TestProduct\$" "$BODY"
order=$(grep -oE "$UUID" <<<"$BODY" | head -n 1 || true)
began=$SECONDS
until ask "/api/orders/?order_id=$order" && [[ $BODY != *Pending* && $STATUS == 200 ]] || [ $((SECONDS - began)) -gt 30 ]; do
    sleep 0.5
done
expect 'it ends as a success' "^order \"$order\": Success\$" "$BODY"
ask /api/orders --json '{"product": "TestProduct", "quantity": 2}' --header "Idempotency-Key: test-$unique"
expect 'the modern route accepts one too' '^202 .*"status": ?"pending"' "$STATUS $BODY"
promised=$BODY
ask /api/orders --json '{"product": "TestProduct", "quantity": 2}' --header "Idempotency-Key: test-$unique"
expect 'a double submit is one order' "^$(grep -oE "$UUID" <<<"$promised")\$" "$(grep -oE "$UUID" <<<"$BODY")"
id=$(grep -oE "$UUID" <<<"$promised" || true)
ask "/api/orders/$id?wait=30"
expect 'who waits is shown how it ended' '^200 .*"status": ?"success"' "$STATUS $BODY"
ask "/api/events?ids=$id,$order"
expect 'who follows several orders is shown how each ended' "$id.*\"success\".*$order.*\"success\"|$order.*\"success\".*$id.*\"success\"" "$BODY"
ask "/api/orders/$id" --request DELETE
expect 'it is cancelled, or has ended before' '^(200 .*"status": ?"cancelled"|409 .*already-ended)' "$STATUS $BODY"
ask /api/orders/batch --json '[{"product": "TestProduct"}, {"product": ""}]'
expect 'a batch is answered order by order' '^200 \[\{"status": ?202,.*"status": ?422' "$STATUS $BODY"
ask "/api/orders/00000000-0000-4000-8000-000000000000"
expect 'an unknown order is a problem, 404' '^404 .*"status": ?404' "$STATUS $BODY"

echo '5. the limit per client'
if [ "$LIMIT" = 0 ]; then
    echo '  left out (WOODY_RATE_LIMIT=0)'
else
    sleep 3 # the burst is there again
    refused=0 served=0
    # More at once than any burst allows.
    codes=$(for _ in $(seq $((LIMIT * 3 + 40))); do echo "url = $BASE/api/misc/time"; echo 'output = /dev/null'; done |
        curl --silent --no-progress-meter --parallel --parallel-max 30 --write-out '%{http_code}\n' --config -)
    served=$(grep -c 200 <<<"$codes" || true)
    refused=$(grep -c "$REFUSAL" <<<"$codes" || true)
    if [ "$refused" -gt 0 ] && [ "$served" -ge 20 ]; then
        ok "$served served, $refused refused"
    else
        no "of $((LIMIT * 3 + 40)) at once, $served were served and $refused refused"
    fi
    curl --silent --output "$body" --dump-header "$headers" "$BASE/api/misc/time"
    for _ in {1..60}; do
        STATUS=$(curl --silent --output "$body" --dump-header "$headers" --write-out '%{http_code}' "$BASE/api/misc/time")
        [ "$STATUS" != "$REFUSAL" ] || break
    done
    if [ "$REFUSAL" = 429 ]; then
        expect 'a refusal is a problem' '^429 \{"type": ?"urn:woodytoys:problem:rate-limited"' "$STATUS $(cat "$body")"
    else
        expect 'a refusal is the JSON of the original' \
            '^503 \{"error": "Rate limit exceeded", "message": "Too many requests", "status": 503\}$' "$STATUS $(cat "$body")"
    fi
    expect 'and says when to come back' '^[0-9]+$' "$(header retry-after)"
    sleep 1
    # As the original script: one after the other, ten a second.
    served=0
    for _ in {1..30}; do
        [ "$(curl --silent --output /dev/null --write-out '%{http_code}' "$BASE/api/misc/time")" != 200 ] || served=$((served + 1))
        sleep 0.1
    done
    if [ "$served" -ge 28 ]; then ok "ten a second are served ($served of 30)"; else no "of 30 at ten a second, $served were served"; fi
fi

echo '6. RabbitMQ management'
if [ "$MANAGEMENT" = none ]; then
    echo '  left out (WOODY_MANAGEMENT=none)'
else
    code() { curl --silent --max-time 10 --output /dev/null --write-out '%{http_code}' "$@" || true; }
    expect "the page is at $MANAGEMENT" '^200$' "$(code "$MANAGEMENT/")"
    expect 'no access without a password' '^401$' "$(code "$MANAGEMENT/api/overview")"
    expect 'nor as guest' '^401$' "$(code --user guest:guest "$MANAGEMENT/api/overview")"
fi

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
