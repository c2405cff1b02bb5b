# shellcheck shell=bash
# The workshop's file. Sourced, never run, in this folder.

# check_workshop IMAGE: fails, and says the line that is wrong, where workshop.toml cannot be used. The service that plans with
# it reads it, from a pipe: an engine elsewhere sees none of our files.
check_workshop() {
    local said
    said=$(docker run --rm --interactive --pull never --network none --read-only --cap-drop ALL "$1" \
        --workshop /dev/stdin --check-workshop <workshop.toml 2>&1) && return
    said=${said##*$'\n'}
    printf 'workshop.toml cannot be used: %s\n' "${said//\/dev\/stdin/stack\/workshop.toml}" >&2
    return 1
}
