#!/usr/bin/env bash
# axe.sh: prints where axe-core is, which looks for what keeps people from using a page. Kept under target/tools, out of a
# package of the Python registry that has it in it, checked by hash.
set -euo pipefail
cd "$(dirname "$0")/../.."

PACKAGE='axe-playwright-python==0.1.8'
SHA256=fdd263c998388f1a8e67cad02677e612d946248bd44d163be5e8650ea31f95f8
axe=$PWD/target/tools/$PACKAGE.min.js

if ! [ -s "$axe" ]; then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    echo "$PACKAGE --hash=sha256:$SHA256" >"$work/wanted"
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all: \
        --dest "$work" -r "$work/wanted" >&2
    python3 -m zipfile -e "$work"/*.whl "$work"
    mkdir -p target/tools
    # Another that does the same at this moment leaves the same file.
    install -m 644 "$work/axe_playwright_python/axe.min.js" "$work/axe.min.js"
    mv "$work/axe.min.js" "$axe"
fi
echo "$axe"
