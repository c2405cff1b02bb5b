#!/usr/bin/env bash
# Whether the versions that the manifests ask for are enough: checks a copy of the repository, as it is on disk, with the oldest
# version of each direct dependency that Cargo.toml allows. Where it fails, raise that floor in the root's Cargo.toml.
#   dev/minimal.sh             resolves and checks: everything is built anew, for minutes
#   dev/minimal.sh --resolve   resolves only: seconds
# The resolver's switch is not stable, so it is let in by RUSTC_BOOTSTRAP, for `cargo update` alone.
set -euo pipefail
cd "$(dirname "$0")/.."
case ${1:-} in
'' | --resolve) ;;
*)
    sed -n 's/^# \?//p' "$0" | sed 1d >&2
    exit 2
    ;;
esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git ls-files -z --cached --others --exclude-standard | xargs -0 tar -c --ignore-failed-read -f - | tar -x -C "$work"
target=${CARGO_TARGET_DIR:-$PWD/target}/minimal
cd "$work"
RUSTC_BOOTSTRAP=1 cargo update --quiet -Z direct-minimal-versions
echo 'the oldest versions that are asked for go together'
if [ "${1:-}" = '--resolve' ]; then exit; fi
CARGO_TARGET_DIR=$target cargo check --quiet --locked --workspace --all-features
echo 'and everything builds with them'
