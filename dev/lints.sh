#!/usr/bin/env bash
# The lints of Rust and clippy over every crate, target and feature; one that has something to say fails it.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo clippy --quiet --workspace --all-targets --all-features -- -D warnings
echo "clippy has nothing to say ($SECONDS s)"
