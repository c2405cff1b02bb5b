#!/usr/bin/env bash
# rooms.sh [FOLDER]: what the rooms of each package import of each other, here or in another checkout, by the rules of
# tests/it/rooms, and whether that leads one way. Needs nothing but rustc: seconds.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/main.rs" <<END
#![allow(dead_code)]
#[path = "$PWD/tests/it/repository.rs"]
mod repository;
#[path = "$PWD/tests/it/rooms/mod.rs"]
mod rooms;
END
CARGO_MANIFEST_DIR=$(realpath "${1:-.}") rustc --edition 2024 --test -o "$work/rooms" "$work/main.rs"
"$work/rooms" --nocapture --test-threads 1
