# shellcheck shell=bash
# Packages for a machine that lacks them, and where apt has them from. Sourced, never run.

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

# apt_mirror FOLDER: the Debian mirror that apt is set to in FOLDER (/etc/apt), in the form that debootstrap takes; nothing where
# there is none, as on another system. Neither the security archive nor any other repository is one.
apt_mirror() {
    local etc=$1 file
    {
        { cat "$etc/sources.list" "$etc"/sources.list.d/*.list 2>/dev/null || true; } |
            sed -nE 's/^deb[[:space:]]+(\[[^]]*\][[:space:]]+)?([^[:space:]]+)[[:space:]].*[[:space:]]main([[:space:]].*)?$/\2/p'
        for file in "$etc"/sources.list.d/*.sources; do
            # Stanzas, whose values go on in lines that begin with a blank.
            [ ! -r "$file" ] || awk '
                function end() {
                    if (is["types"] ~ / deb / && is["components"] ~ / main / && is["enabled"] !~ / (no|false|0) /) print is["uris"]
                    split("", is)
                    key = ""
                }
                /^#/ { next }
                /^[[:space:]]*$/ { end(); next }
                /^[^[:space:]]/ { key = tolower($0); sub(/:.*/, "", key); sub(/^[^:]*:/, "") }
                { gsub(/[[:space:]]+/, " "); is[key] = is[key] " " $0 " " }
                END { end() }' "$file"
        done
    } | tr -s ' ' '\n' | sed -nE 's,^((https?|file):.*/debian)/*$,\1,p' | sed -n 1p
}
