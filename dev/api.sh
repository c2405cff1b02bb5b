#!/usr/bin/env bash
# The public API of every published crate, held against the snapshots in docs/api/.
#   dev/api.sh            prints what differs, and fails if anything does
#   dev/api.sh --update   writes the snapshots anew
set -euo pipefail
cd "$(dirname "$0")/.."
case ${1:-} in
'' | --update) ;;
*)
    sed -n 's/^# \?//p' "$0" | sed 1d >&2
    exit 2
    ;;
esac
RUSTDOC=$PWD/dev/rustdoc.sh RUSTDOCFLAGS='-Zunstable-options --output-format json' \
    cargo doc --quiet --workspace --lib --no-deps --all-features
exec cargo run --quiet --package woody-public-api -- "${CARGO_TARGET_DIR:-target}/doc" "$@"
