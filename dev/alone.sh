#!/usr/bin/env bash
# Whether each backend, each crate and each package builds without the others.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=dev/steps.sh
. dev/steps.sh

# Each backend builds without the others, and each crate with none; the facade and the shop carry what they were asked for, and no more.
features() {
    local crate feature
    for crate in woody-broker:memory,sqlite,rabbitmq woody-store:memory,sqlite,postgres woody-core: \
        woody-adapters:services,otlp woody:sqlite,http; do
        for feature in '' $(tr ',' ' ' <<<"${crate#*:}"); do
            echo "${crate%:*} with ${feature:-nothing}"
            cargo check --quiet -p "${crate%:*}" --no-default-features --features "$feature" || return
        done
    done
    ! cargo tree --quiet -p woody --edges normal --prefix none | grep -E '^(bin-packing|rayon|lapin|sqlx-postgres|hyper|clap) v' &&
        ! cargo tree --quiet -p woody-adapters --edges normal --prefix none | grep -E '^(lapin|sqlx-postgres|regex.*) v'
}

step 'each feature alone' features
step 'packages' dev/package.sh
