# shellcheck shell=bash
# Packages for a machine that lacks them. Sourced, never run.

# apt_install PACKAGE...: as root on Debian; elsewhere it says what to install. What apt prints is shown when it fails.
apt_install() {
    if [ "$UID" != 0 ] || ! command -v apt-get >/dev/null; then
        printf '%s\n' "missing: $*. On Debian, as root: apt-get install --no-install-recommends $*" >&2
        return 1
    fi
    printf '%s\n' "installing with apt: $*" >&2
    local log code=0
    log=$(mktemp)
    # RUNLEVEL: without a systemd, nothing that is installed starts by itself.
    apt() { DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -qq -o DPkg::Lock::Timeout=300 "$@" >>"$log" 2>&1; }
    { apt update && apt install -y --no-install-recommends "$@"; } || {
        code=1
        cat "$log" >&2
    }
    rm -f "$log"
    return "$code"
}
