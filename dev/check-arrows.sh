#!/usr/bin/env bash
# Which crate may depend on which (features all on; development dependencies aside). Fails on any other arrow.
set -euo pipefail
cd "$(dirname "$0")/.."

# crate: the crates of this workspace it may use
declare -A may=(
    [woody-core]='woody-cutting'
    [woody-cutting]=''
    [woody-broker]='woody-core woody-cutting'
    [woody-store]='woody-core woody-cutting'
    [woody-adapters]='woody-core woody-cutting woody-broker woody-store'
    [woodyctl]='woody-adapters woody-core woody-cutting woody-broker woody-store'
    [testkit]='' # development alone; it knows none of what it tests
    [woody]='woody-core woody-cutting woody-broker woody-store woody-adapters' # the facade; examples and benches use development dependencies
    [woody-public-api]=''
    [woody-swarm-tests]='' # it knows the stack by its scripts and its answers
)
# What woody-core must never pull in, however indirectly: the world outside stands behind its traits.
core_never='sqlx lapin hyper'

wrong=0
complain() {
    echo "arrows: $*" >&2
    wrong=1
}

tree() { cargo tree --quiet --package "$1" --edges normal,build --all-features --target all --prefix none --format '{p}'; }

# Path dependencies print their folder: `woody-core v0.1.0 (/folder/woody-core)`.
root=$(pwd -P)
members=$(cargo tree --quiet --workspace --depth 0 --prefix none --format '{p}' | awk 'NF { print $1 }' | sort -u)
for crate in $members; do
    if [ -z "${may[$crate]+known}" ]; then
        complain "$crate has no rule in dev/check-arrows.sh"
        continue
    fi
    packages=$(tree "$crate")
    ours=$(awk -v root="($root" 'index($0, root) { print $1 }' <<<"$packages" | sort -u)
    for used in $ours; do
        case " $crate ${may[$crate]} " in *" $used "*) ;; *) complain "$crate must not depend on $used" ;; esac
    done
    if [ "$crate" = woody-core ]; then
        for never in $core_never; do
            if grep -qE "^$never(-[a-z0-9-]+)? v" <<<"$packages"; then complain "woody-core must not depend on $never"; fi
        done
    fi
done
for crate in "${!may[@]}"; do
    grep -qx "$crate" <<<"$members" || complain "there is a rule for $crate, but no such crate"
done
exit "$wrong"
