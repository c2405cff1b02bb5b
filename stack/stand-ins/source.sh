#!/usr/bin/env bash
# Where the test servers come from. Prints `docker` when an engine answers and has, or can pull, the official images;
# otherwise `forky ROOT`, a Debian forky root file system with the same servers, made once and kept under target/.
# WOODY_TEST_SOURCE=docker|forky decides instead.
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=stack/apt.sh
. "$HERE/../apt.sh"

say() { printf '%s\n' "$*" >&2; }
die() {
    say "source: $*"
    exit 1
}

IMAGES=(rabbitmq:4-management postgres:18 nginx:1.30)
PACKAGES=rabbitmq-server,postgresql-18,nginx-light,gettext-base
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
CACHE=${CARGO_TARGET_DIR:-$HERE/../../target}/stack
ROOT=$CACHE/forky
# A root made from another recipe is made again; raise the number when build_root changes.
RECIPE="1 $PACKAGES"

# pull IMAGE: a registry that cannot be reached may hang for minutes, so it has 20 s to say its first word, then 5 minutes.
pull() {
    docker image inspect "$1" >/dev/null 2>&1 && return
    local log pid left=3000 first=200
    log=$(mktemp)
    docker pull "$1" >"$log" 2>&1 </dev/null &
    pid=$!
    while kill -0 "$pid" 2>/dev/null; do
        if ! grep -q 'Pulling from' "$log" && ((--first == 0)) || ((--left == 0)); then
            kill "$pid" 2>/dev/null || true
            break
        fi
        sleep 0.1
    done
    if wait "$pid"; then
        rm -f "$log"
        return
    fi
    say "source: $1 cannot be pulled: $(tail -n 1 "$log")"
    rm -f "$log"
    return 1
}

docker_can() {
    command -v docker >/dev/null || return 1
    if ! timeout 5 docker info >/dev/null 2>&1; then
        say "source: no docker engine answers"
        return 1
    fi
    local image
    for image in "${IMAGES[@]}"; do pull "$image" || return 1; done
}

# use_apt_proxy [MIRROR]: debootstrap fetches with wget, which does not know apt's proxy.
use_apt_proxy() {
    local host=${1#*://} P=''
    host=${host%%/*}
    if [ "$host" ]; then eval "$(apt-config shell P "Acquire::http::Proxy::$host")"; fi
    if [ -z "$P" ]; then eval "$(apt-config shell P Acquire::http::Proxy)"; fi
    case $P in
    '') ;;
    DIRECT) unset http_proxy https_proxy ;;
    *) export http_proxy=$P https_proxy=$P ;;
    esac
}

build_root() {
    local mirror new
    mirror=$(apt_mirror /etc/apt) # none: debootstrap knows one
    use_apt_proxy "$mirror"
    rm -rf "$CACHE"/forky.new.*
    new=$(mktemp -d "$CACHE/forky.new.XXXXXX")
    chmod 755 "$new"
    say "source: making a Debian forky root in $ROOT${mirror:+ from $mirror} (one to two minutes, once)"
    # bookworm's debootstrap has no script called forky; all of them know sid, which forky follows.
    # The archive's signature is checked; an outdated keyring is an error, not a reason to look away.
    debootstrap --foreign --variant=minbase --include="$PACKAGES" --keyring="$KEYRING" \
        forky "$new" "$mirror" sid
    printf '#!/bin/sh\nexit 101\n' >"$new/usr/sbin/policy-rc.d" # no package starts its server
    chmod 755 "$new/usr/sbin/policy-rc.d"
    mkdir -p "$new/etc/dpkg/dpkg.cfg.d" "$new/etc/postgresql-common"
    echo force-unsafe-io >"$new/etc/dpkg/dpkg.cfg.d/fast" # a cache needs no fsync per file
    echo 'create_main_cluster = false' >"$new/etc/postgresql-common/createcluster.conf"
    printf '127.0.0.1 localhost\n' >"$new/etc/hosts"
    chroot "$new" /debootstrap/debootstrap --second-stage
    rm -rf "$new"/var/cache/apt/archives/*.deb "$new"/var/lib/apt/lists/*
    mkdir -p "$new"/srv "$new"/var/{lib,log}/nginx
    rm -rf "$ROOT"
    echo "$RECIPE" >"$new/recipe"
    mv "$new" "$ROOT"
}

# Called again by this script, in namespaces of its own: whatever ends it, its processes and mounts end with it.
if [ "${1:-}" = --build ]; then
    build_root
    exit
fi

wanted=${WOODY_TEST_SOURCE:-}
if [ "$wanted" != forky ] && docker_can; then
    echo docker
    exit
fi
[ "$wanted" != docker ] || die "WOODY_TEST_SOURCE=docker, but docker cannot do it"
[ "$UID" = 0 ] || die "the servers come from Debian's packages here, which takes root; any user may with a docker engine that can pull"

mkdir -p "$CACHE"
ROOT=$(cd "$CACHE" && pwd)/forky
exec 9>"$CACHE/lock"
flock 9 # another run may be making it
if [ "$(cat "$ROOT/recipe" 2>/dev/null)" != "$RECIPE" ]; then
    lacks=()
    command -v debootstrap >/dev/null || lacks+=(debootstrap)
    [ -s "$KEYRING" ] || lacks+=(debian-archive-keyring)
    command -v unshare >/dev/null || lacks+=(util-linux)
    if [ ${#lacks[@]} -gt 0 ]; then apt_install "${lacks[@]}" || die "the servers' packages cannot be fetched (above)"; fi
    log=$CACHE/debootstrap.log
    if ! unshare --mount --pid --fork --kill-child --mount-proc bash "$0" --build >"$log"; then
        tail -n 20 "$log" >&2
        rm -rf "$CACHE"/forky.new.*
        die "no forky root could be made; the end of $log is above"
    fi
fi
echo "forky $ROOT"
