#!/usr/bin/env bash
# Whether the version in Cargo.toml is high enough for what has become of the public API since a release.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
    cat <<'END'
Usage: ./dev/semver.sh [REVISION]

Holds the snapshots of the public API (docs/api/) against those of REVISION, the newest tag vX.Y.Z unless it is given.
A line that is gone or has changed is a breaking change, a new line an addition; the version must have moved as SemVer
asks: 0.1 -> 0.2 or 1.0 -> 2.0 for a break, 0.1.0 -> 0.1.1 or 1.0 -> 1.1 for an addition. Seconds: nothing is built.

What no line shows (a trait method without a default, a variant of an enum that is not #[non_exhaustive]) is found by
cargo-semver-checks, which runs too if it is installed: cargo install --locked cargo-semver-checks.

Exit code 0: the version is high enough, or nothing is released yet. 1: it is not. 2: wrong arguments.
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

revision=${1:-$(git tag --list 'v[0-9]*' --sort=-version:refname | head -n 1)}
if [ -z "$revision" ]; then
    echo 'nothing is released yet: any change may be made'
    exit
fi
git rev-parse --quiet --verify "$revision^{commit}" >/dev/null || {
    echo "semver: $revision is no revision here" >&2
    exit 2
}

# version_of REVISION|'': what Cargo.toml says there, or here.
version_of() { if [ "$1" ]; then git show "$1:Cargo.toml"; else cat Cargo.toml; fi | sed -n 's/^version = "\(.*\)"/\1/p' | head -n 1; }

gone=0 new=0
for file in docs/api/*.txt; do
    # A crate that is new has nothing to break.
    before=$(git show "$revision:$file" 2>/dev/null | LC_ALL=C sort || true)
    now=$(LC_ALL=C sort "$file")
    lost=$(LC_ALL=C comm -23 <(echo "$before") <(echo "$now") | grep -v '^$' || true)
    added=$(LC_ALL=C comm -13 <(echo "$before") <(echo "$now") | grep -v '^$' || true)
    if [ "$lost" ]; then
        echo "$file: gone or changed since $revision"
        printf -- '- %s\n' "${lost//$'\n'/$'\n'- }"
        gone=$((gone + $(wc -l <<<"$lost")))
    fi
    if [ "$added" ]; then new=$((new + $(wc -l <<<"$added"))); fi
done
for file in $(git ls-tree --name-only "$revision" docs/api/); do
    if ! [ -e "$file" ]; then
        echo "$file: the crate is gone since $revision"
        gone=$((gone + 1))
    fi
done

old=$(version_of "$revision") version=$(version_of '')
IFS=. read -r old_major old_minor old_patch <<<"${old%%[-+]*}"
IFS=. read -r major minor patch <<<"${version%%[-+]*}"
# How far it moved: 3 for a break, 2 for an addition, 1 for a mend. Below 1.0 each place counts for the one before it.
moved=0
if [ "$major" -gt "$old_major" ]; then
    moved=3
elif [ "$minor" -gt "$old_minor" ]; then
    moved=$((major == 0 ? 3 : 2))
elif [ "$patch" -gt "$old_patch" ]; then
    moved=$((major == 0 ? 2 : 1))
fi
needed=0
if [ "$gone" -gt 0 ]; then needed=3; elif [ "$new" -gt 0 ]; then needed=2; fi
echo "since $revision ($old): $gone lines gone or changed, $new new; the version is $version"
if [ "$moved" -lt "$needed" ]; then
    echo "semver: $version is not high enough for that: raise the version in Cargo.toml" >&2
    exit 1
fi
if cargo semver-checks --version >/dev/null 2>&1; then
    cargo semver-checks --workspace --all-features --baseline-rev "$revision"
fi
