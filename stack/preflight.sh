#!/usr/bin/env bash
# Looks at what a deployment needs before it begins, and says in a line each what would stop it. Changes nothing.
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source=stack/secrets.sh
. ./secrets.sh
# shellcheck source=stack/stack-file.sh
. ./stack-file.sh
# shellcheck source=stack/ports.sh
. ./ports.sh

usage() {
    cat <<'END'
Usage: ./stack/preflight.sh [-c FILE]... [--only FILE] [--compose]

Looks at what a deployment of stack.yml needs, in seconds, and says all that would stop it: the engine and its version, ports
and who has them, disk and memory, the kernel, name resolution among containers, files, secrets and networks. What this stack
itself has, as in an update, is no finding. deploy-swarm.sh and compose.sh begin with it.

  -c FILE       one more stack file on top, e.g. stack/tls.yml; may be given several times
  --only FILE   this stack file instead of stack.yml
  --compose     compose.yml on this machine without Swarm, instead of stack.yml
  --help        this text

Variables: those of the deployment (stack.yml's table).
  WOODY_NEEDS_DISK=2000   MB that must be free where docker keeps its images and volumes; 1000 when the stack is there already

Exit code 0: nothing stands in the way. 1: something does, and is said. 2: wrong arguments.
END
}

say() { printf 'preflight: %s\n' "$*" >&2; }
die() {
    say "$*"
    exit 1
}
findings=0
finding() {
    findings=$((findings + 1))
    say "$*"
}

files=(stack.yml) more=() compose=''
while [ $# -gt 0 ]; do
    case $1 in
    -c | --only)
        [ -n "${2:-}" ] || die "$1 needs a file"
        file=$2
        [ -f "$file" ] || file=../$file
        [ -f "$file" ] || die "there is no file $2"
        if [ "$1" = -c ]; then more+=("$file"); else files=("$file"); fi
        shift
        ;;
    --compose) compose=yes files=(compose.yml) ;;
    --help | -h)
        usage
        exit
        ;;
    *)
        usage >&2
        exit 2
        ;;
    esac
    shift
done
files+=("${more[@]}")

# --- what it asks for ---
whole=''
if [ "$compose" ]; then
    export WOODY_SECRETS_FILES=${WOODY_SECRETS_FILES:-$SECRETS_DIR/files}
    stated=$(for file in "${files[@]}"; do interpolate <"$file"; done)
else
    if docker_shows_stack_files; then whole=yes; fi
    stated=$(stack_file "${files[@]}" 2>&1) || die "${files[*]}: ${stated##*$'\n'}"
fi
asked=$(needs <<<"$stated")
wants() { grep "^$1 " <<<"$asked" || true; }

# --- the engine ---
info=$(timeout 10 docker info --format \
    '{{.ServerVersion}}|{{.Swarm.LocalNodeState}}|{{.Swarm.ControlAvailable}}|{{.Swarm.Nodes}}|{{.DockerRootDir}}|{{.MemTotal}}|{{.MemoryLimit}}|{{.PidsLimit}}|{{.OSType}}' \
    2>/dev/null) || info=''
IFS='|' read -r version state manager nodes root memory limits_memory limits_pids os <<<"$info"
# Whether the engine is on this machine, whose ports and disks we see.
local_engine=yes
host=${DOCKER_HOST:-$(docker context inspect --format '{{.Endpoints.docker.Host}}' 2>/dev/null || true)}
case $host in '' | unix://*) ;; *) local_engine='' ;; esac
deployed=''
# Whether the script that begins with this one may install what is missing: as root on Debian.
may_install='' beginner=deploy-swarm.sh
if [ "$UID" = 0 ] && command -v apt-get >/dev/null; then may_install=yes; fi
[ -z "$compose" ] || beginner=compose.sh
engine() {
    if [ -z "$version" ]; then
        if [ "$may_install" ] && [ "$local_engine" ]; then
            say "(no docker engine answers: $beginner will bring one)"
        else
            finding "no docker engine answers${host:+ at $host}: start it, or install one (stack/engine.sh up does, as root on Debian)"
        fi
        return
    fi
    local first=${version%%.*} second=${version#*.}
    second=${second%%.*}
    if [[ $first =~ ^[0-9]+$ ]] && { [ "$first" -lt 20 ] || { [ "$first" = 20 ] && [ "${second:-0}" -lt 10 ]; }; }; then
        finding "the docker engine is version $version: 20.10 or later is needed"
    fi
    [ "$os" = linux ] || finding "the docker engine runs $os containers: the images are for linux"
    if [ "$compose" ]; then
        if [ "$(docker ps --quiet --filter "label=com.docker.compose.project=$STACK")" ]; then deployed=yes; fi
        if ! docker compose version >/dev/null 2>&1 && ! command -v docker-compose >/dev/null; then
            if [ "$may_install" ]; then say "(docker compose is missing: $beginner will bring it)"; else finding "docker compose is missing: install it"; fi
        fi
        return
    fi
    case $state/$manager in
    active/true) if grep -qxF "$STACK" <<<"$(docker stack ls --format '{{.Name}}')"; then deployed=yes; fi ;;
    active/*) finding "this node is a worker of its Swarm: run this on a manager" ;;
    inactive/*) ;;
    locked/*) finding "this node's Swarm is locked: docker swarm unlock" ;;
    *) finding "this node's Swarm is in the state $state: see docker info" ;;
    esac
}

# --- ports ---
# setting PORT: the variable that says which port it is, as a hint.
setting() {
    local text name
    while read -r text; do
        if [ "$(interpolate <<<"$text")" = "$1" ]; then
            name=${text#??}
            printf ', or set %s to another port' "${name%%[!A-Z_]*}"
            return
        fi
    done < <(grep -ohE '\$\{[A-Z_]+_PORT[^}]*\}' "${files[@]}")
}
published_ports() {
    local service port protocol mode who others=''
    if [ "${nodes:-1}" -gt 1 ] 2>/dev/null; then others=yes; fi
    while read -r _ service port protocol mode; do
        if ! [[ $port =~ ^[0-9]{1,5}$ ]] || [ "$port" = 0 ] || [ "$port" -gt 65535 ]; then
            finding "$service: $port is no port"
            continue
        fi
        if ! who=$(holder "$port" "$protocol"); then continue; fi
        # Another node may have it free.
        if [ "$others" ] && [ "$mode" = host ]; then
            say "($protocol port $port of this node, for $service, is held by $who: another node must take it)"
        else
            finding "$protocol port $port, for $service, is held by $who: end that$(setting "$port")"
        fi
    done < <(wants port)
    while read -r port; do finding "port $port is published twice by the stack"; done < <(wants port | awk '{ print $3 "/" $4 }' | sort | uniq -d)
    [ "${state:-inactive}" = inactive ] && [ -z "$compose" ] || return 0
    for port in 2377/tcp 7946/tcp 7946/udp 4789/udp; do
        # A VXLAN of the kernel's shares its port with others.
        if who=$(holder "${port%/*}" "${port#*/}") && [ "$who" != 'the kernel' ]; then
            finding "${port#*/} port ${port%/*}, which a Swarm needs, is held by $who: end that"
        fi
    done
}

# --- room ---
disk() {
    local at=${root:-/var/lib} free inodes needed=${WOODY_NEEDS_DISK:-2000}
    [ -z "$deployed" ] || needed=${WOODY_NEEDS_DISK:-1000}
    [[ $needed =~ ^[0-9]{1,9}$ ]] || die "WOODY_NEEDS_DISK must be a number of MB, not $needed"
    while [ ! -d "$at" ] && [ "$at" != / ]; do at=$(dirname "$at"); done
    read -r free inodes < <(df --output=avail,iavail -B1M "$at" 2>/dev/null | tail -n 1)
    if [[ ${free:-} =~ ^[0-9]+$ ]] && [ "$free" -lt "$needed" ]; then
        finding "$free MB are free in $at, where docker keeps images and volumes: $needed are needed (docker system prune makes room)"
    fi
    # Some file systems count none.
    if [[ ${inodes:-} =~ ^[0-9]+$ ]] && [ "$inodes" -gt 0 ] && [ "$inodes" -lt 100000 ]; then
        finding "$inodes files more can be made in $at: 100000 are needed (docker system prune makes room)"
    fi
}
room_in_memory() {
    local needed available
    needed=$(wants memory | awk '{ sum += $3 * $4 } END { print int(sum / 1048576) }')
    if [ -z "$whole" ]; then needed=800; fi # as stack.yml; the anchors of the file were not followed
    if [ "${memory:-0}" -gt 0 ] && [ "${nodes:-1}" -le 1 ] && [ $((memory / 1048576)) -lt "$needed" ]; then
        finding "this machine has $((memory / 1048576)) MB of memory: the stack reserves $needed"
        return
    fi
    available=$(awk '$1 == "MemAvailable:" { print int($2 / 1024) }' /proc/meminfo)
    # What is deployed has its memory already.
    if [ -z "$deployed" ] && [ "${nodes:-1}" -le 1 ] && [ "$available" -lt "$needed" ]; then
        finding "$available MB of memory are available: the stack reserves $needed"
    fi
}

# --- the kernel ---
# lacks OPTION: surely; a kernel that does not say how it was built is believed.
built=$(zcat /proc/config.gz 2>/dev/null || cat "/boot/config-$(uname -r)" 2>/dev/null || true)
lacks() { [ "$built" ] && [[ $'\n'$built$'\n' != *$'\n'"$1"=[ym]$'\n'* ]]; }
kernel() {
    local option through
    for option in CONFIG_VETH:'containers have no network' CONFIG_BRIDGE:'containers have no network' CONFIG_VXLAN:'a Swarm has no networks'; do
        [ -z "$compose" ] || [ "${option%%:*}" != CONFIG_VXLAN ] || continue
        if lacks "${option%%:*}"; then finding "the kernel ($(uname -r)) is built without ${option%%:*}: ${option#*:}"; fi
    done
    through=$(wants mesh | awk '{ print $2 }' | xargs)
    if [ "$whole" ] && [ "$through" ] && lacks CONFIG_IP_VS; then
        finding "the kernel ($(uname -r)) is built without CONFIG_IP_VS: the virtual addresses of $through will not answer (endpoint_mode: dnsrr needs none)"
    fi
    [ -z "$version" ] || [ "$limits_memory" = true ] || finding "the engine cannot limit memory: the kernel needs its memory cgroup (cgroup_enable=memory)"
    [ -z "$version" ] || [ "$limits_pids" = true ] || finding "the engine cannot limit processes: the kernel needs its pids cgroup"
}

# --- name resolution ---
# In a network for a moment, with an image that is here already and can ask; the gateway finds the replicas in this way.
names() {
    local image found='' network=woody-preflight-$$ said
    [ "$version" ] || return 0
    for image in "${REGISTRY:-woodytoys}/gateway:${VERSION:-latest}" "${NGINX_IMAGE:-nginx:1.30}" "${POSTGRES_IMAGE:-postgres:18}" "${WOODY_PREFLIGHT_IMAGE:-}"; do
        if [ "$image" ] && docker image inspect "$image" >/dev/null 2>&1; then found=$image && break; fi
    done
    [ "$found" ] || return 0
    said=$(docker network create "$network" 2>&1) || {
        finding "docker cannot make a network: ${said##*$'\n'}"
        return
    }
    said=$(timeout 30 docker run --rm --pull never --network "$network" --network-alias asked --cap-drop ALL --read-only --entrypoint '' \
        "$found" sh -c 'getent hosts asked || nslookup asked' 2>&1 </dev/null) ||
        finding "containers do not find each other by name (in a network of its own, docker's resolver said: ${said##*$'\n'}): look at the host's firewall and nat tables"
    docker network rm "$network" >/dev/null 2>&1 || true
}

# --- what must be there ---
# is_made SECRET: by deploy-swarm.sh, if it is missing.
is_made() {
    local part name
    for part in "${PARTS[@]}"; do
        for name in ${SECRETS[$part]}; do [[ $1 != "${STACK}_${name}_"[0-9]* ]] || return 0; done
    done
    return 1
}
things() {
    local kind name path
    while read -r kind name path; do
        case $kind in
        file) path=$name ;;
        bind) [ "$local_engine" ] || continue ;;
        esac
        # Those of compose.sh, which it makes.
        [[ $path != "${WOODY_SECRETS_FILES:-/nowhere}"/* ]] || continue
        [ -e "$path" ] || finding "$path is missing${name:+ (for ${name##*/})}"
    done < <(wants file && wants bind)
    [ -z "$compose" ] || return 0
    local part
    for part in "${PARTS[@]}"; do
        # Its password is made up once: later it is needed.
        if [ "$state" = active ] && [ ! -s "$(kept "$part")" ] && [ "$(docker secret ls --quiet --filter "name=${STACK}_${SECRETS[$part]%% *}_")" ]; then
            finding "the password of $part is not in $(kept "$part"), but the Swarm has secrets made of it: copy that file from where deploy-swarm.sh ran first"
        fi
    done
    while read -r kind name; do
        if [ "$kind" = secret ] && is_made "$name"; then continue; fi
        if [ "$state" = active ] && docker "$kind" inspect "$name" >/dev/null 2>&1; then continue; fi
        finding "the $kind $name is missing: docker $kind create $name …$([ "$state" = active ] || echo ' (after docker swarm init)')"
    done < <(wants secret && wants config && wants network)
}

engine
if [ "$local_engine" ]; then
    published_ports
    disk
    room_in_memory
    kernel
fi
things
# The one that takes a second, where nothing is in its way.
[ "$findings" -gt 0 ] || names
if [ "$findings" -gt 0 ]; then exit 1; fi
say "nothing stands in the way"
