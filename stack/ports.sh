# shellcheck shell=bash
# Who has a port of this machine. Sourced, never run. The caller has set STACK.

# holder PORT PROTOCOL: says which process has the port; fails where none has, or the stack itself, which gives it up in an update.
holder() {
    local port=$1 protocol=$2 name namespace project inode pid ours=''
    while IFS='|' read -r name namespace project; do
        if [ "$namespace" = "$STACK" ] || [ "$project" = "$STACK" ]; then ours=yes; else
            printf 'the container %s' "$name"
            return
        fi
    done < <(docker ps --filter "publish=$port/$protocol" \
        --format '{{.Names}}|{{.Label "com.docker.stack.namespace"}}|{{.Label "com.docker.compose.project"}}' 2>/dev/null)
    # Those of the routing mesh are held by the engine.
    while IFS='|' read -r name _; do
        if [[ $name == "${STACK}_"* ]]; then ours=yes; else
            printf 'the service %s' "$name"
            return
        fi
    done < <(docker service ls --format '{{.Name}}|{{.Ports}}' 2>/dev/null | grep -E ":$port->[0-9]+/$protocol" || true)
    [ -z "$ours" ] || return 1
    inode=$(socket "$port" "$protocol")
    [ "$inode" ] || return 1
    pid=$(find /proc/[0-9]*/fd -lname "socket:\\[$inode\\]" 2>/dev/null | head -n 1 | cut -d/ -f3)
    if [ "$pid" ]; then printf '%s (process %s)' "$(cat "/proc/$pid/comm" 2>/dev/null || echo '?')" "$pid"
    elif [ "$UID" = 0 ]; then printf 'the kernel'
    else printf 'a program of another user (root can see which)'; fi
}

# socket PORT PROTOCOL: the inode of a socket that is bound there. A TCP port counts while a process listens (state 0A).
socket() {
    awk -v port="$(printf ':%04X' "$1")" -v protocol="$2" \
        'substr($2, length($2) - 4) == port && (protocol == "udp" || $4 == "0A") && $10 > 0 { print $10; exit }' \
        "/proc/net/$2" "/proc/net/${2}6" 2>/dev/null || true
}
