#!/usr/bin/env bash
# Packs every published crate as a registry would get it, and checks that what is packed builds on its own.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}

# Packages that are never published are not packed.
mapfile -t packages < <(cargo metadata --quiet --no-deps --format-version 1 |
    python3 -c 'import json, sys
for package in json.load(sys.stdin)["packages"]:
    if package["publish"] != []: print(package["name"], package["version"])')
wanted=()
for package in "${packages[@]}"; do wanted+=(--package "${package% *}"); done
# Tests and benches stay here, which cargo finds worth a warning for each.
cargo package --quiet --no-verify --allow-dirty "${wanted[@]}" 2>&1 | grep -vE 'warning: ignoring (test|benchmark|binary) `' >&2 || true

# One workspace of the unpacked crates, with our versions of others and our profile, so that only they are built.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
{
    echo '[workspace]'
    echo 'resolver = "3"'
    echo 'members = ["*"]'
    echo '[patch.crates-io]'
    for package in "${packages[@]}"; do
        crate=$CARGO_TARGET_DIR/package/${package/ /-}.crate
        tar -xzf "$crate" -C "$work"
        echo "${package% *} = { path = '${package/ /-}' }"
        size=$(($(stat -c %s "$crate") / 1024))
        echo "$package: $size KiB, $(tar -tzf "$crate" | wc -l) files" >&2
    done
    # From the first profile on.
    sed -n '/^\[profile\./,/^\[\(lints\|features\|dev-dep\|dep\)/p' Cargo.toml | sed '/^\[\(lints\|features\|dev-dep\|dep\)/d'
} >"$work/Cargo.toml"
cp Cargo.lock "$work/"
cd "$work"
cargo check --quiet --workspace --all-targets --all-features
