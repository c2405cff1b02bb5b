#!/usr/bin/env bash
# The documentation of every crate, as docs.rs builds it: with a mark on what is behind a feature, which rustdoc has not
# stabilised. A warning fails it. Then the public API, which rustdoc tells too, held against its snapshots.
set -euo pipefail
cd "$(dirname "$0")/.."
RUSTDOC=$PWD/dev/rustdoc.sh RUSTDOCFLAGS='-Dwarnings --cfg docsrs' \
    cargo doc --quiet --workspace --no-deps --all-features
dev/api.sh
echo "rustdoc has nothing to say ($SECONDS s)"
