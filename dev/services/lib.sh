# shellcheck shell=bash
# What rabbitmq.sh, postgres.sh and nginx.sh share: where a server's files come from, and how its processes are
# started, found, frozen and ended. Sourced, never run. The caller sets DIR (the state directory) and SERVICE.
#
# A server runs in namespaces of its own, as a container does (with a docker engine it is one): when its first
# process ends, the kernel takes the rest and the mounts with it, so nothing is ever left over.

SERVICES=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# Below the kernel's ephemeral ports (32768 and up): no outgoing connection takes one while its server restarts.
PORT_FIRST=20000 PORT_COUNT=10000
PORT_LOCKS=${TMPDIR:-/tmp}/woody-ports-$UID

say() { printf '%s\n' "$*" >&2; }
die() { say "${SERVICE:+$SERVICE: }$*"; exit 1; }

# Creates DIR if need be and makes it absolute.
open_dir() {
    [ -n "${1:-}" ] || die "DIR is missing"
    mkdir -p "$1"
    DIR=$(cd "$1" && pwd)
}

# free_port: reserves a loopback port for DIR. The link is the lock: two runs on one machine never get the same one.
free_port() {
    mkdir -p "$PORT_LOCKS"
    local try port lock
    for try in {1..200}; do
        port=$((PORT_FIRST + (RANDOM * 32768 + RANDOM) % PORT_COUNT))
        lock=$PORT_LOCKS/$port
        # A link to a directory that is gone was left by a run that was killed.
        if [ -L "$lock" ] && [ ! -e "$lock" ]; then rm -f "$lock"; fi
        ln -sn "$DIR" "$lock" 2>/dev/null || continue
        if ! answers "$port"; then
            echo "$port"
            return
        fi
        rm -f "$lock"
    done
    die "no free port in $try tries"
}

release_ports() {
    local port
    for port in "$@"; do rm -f "$PORT_LOCKS/$port"; done
}

# answers PORT: something accepts connections there.
answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

password() { head -c 24 /dev/urandom | base64 | tr -d '+/=\n'; }

# Sets SOURCE (`docker`, or `forky ROOT`). Asked once per run; a directory below a run's own uses what that run uses.
find_source() {
    local at=$DIR
    while [ "$at" != / ] && [ ! -s "$at/source" ]; do at=$(dirname "$at"); done
    if [ ! -s "$at/source" ]; then
        at=$DIR
        "$SERVICES/../../stack/stand-ins/source.sh" >"$at/source.new"
        mv "$at/source.new" "$at/source"
    fi
    SOURCE=$(<"$at/source")
}

image() {
    case $SERVICE in
    rabbitmq | cluster) echo rabbitmq:4-management ;;
    postgres) echo postgres:18 ;;
    nginx) echo nginx:1.30 ;;
    esac
}

container() { echo "woody-${DIR//[^A-Za-z0-9]/-}-$SERVICE"; }

# certificates: an authority of the server's own, in DIR/SERVICE.ca.pem, and what it has signed for this machine, in
# DIR/SERVICE.pem and DIR/SERVICE.key.
certificates() {
    local at=$DIR/$SERVICE
    if [ -s "$at.ca.pem" ]; then return; fi
    command -v openssl >/dev/null || die "openssl is missing"
    (
        umask 077
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj '/CN=woody tests' \
            -addext 'basicConstraints=critical,CA:TRUE' -keyout "$at.ca.key" -out "$at.ca.new" &&
            openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost \
                -keyout "$at.key" -out "$at.request" &&
            openssl x509 -req -days 30 -in "$at.request" -CA "$at.ca.new" -CAkey "$at.ca.key" -out "$at.pem" \
                -extfile <(echo 'subjectAltName=DNS:localhost,IP:127.0.0.1')
    ) 2>>"$at.log" || die "openssl made no certificate; see $at.log"
    rm -f "$at.ca.key" "$at.request"
    mv "$at.ca.new" "$at.ca.pem"
}

# run_in USER CMD...: one command in the server's file system, to its end. DIR/SERVICE is /srv in there.
run_in() {
    local user=$1
    shift
    mkdir -p "$DIR/$SERVICE"
    : >>"$DIR/$SERVICE.log" # from here on down.sh knows of it
    if [ "$SOURCE" = docker ]; then
        docker run --rm --interactive --network host --user "$user" --volume "$DIR/$SERVICE:/srv" \
            --tmpfs /var/lib/nginx:mode=1777 --tmpfs /var/cache/nginx:mode=1777 \
            --entrypoint /usr/bin/env "$(image)" HOME=/srv LANG=C.UTF-8 "$@"
    else
        unshare --mount --propagation private bash "$SERVICES/jail.sh" "${SOURCE#* }" "$DIR/$SERVICE" "$user" "$@"
    fi
}

# launch USER CMD...: starts the server in the background; its output goes to DIR/SERVICE.log.
launch() {
    local user=$1
    shift
    # What a distribution's service file would allow; the shell that runs the tests often allows 1024.
    ulimit -n "$(ulimit -Hn)" 2>/dev/null || true
    if [ "$SOURCE" = docker ]; then
        docker rm --force --volumes "$(container)" >/dev/null 2>&1 || true
        docker run --detach --name "$(container)" --network host --user "$user" --volume "$DIR/$SERVICE:/srv" \
            --tmpfs /var/lib/nginx:mode=1777 --tmpfs /var/cache/nginx:mode=1777 \
            --stop-signal "$STOP_SIGNAL" --entrypoint /usr/bin/env "$(image)" HOME=/srv LANG=C.UTF-8 "$@" >/dev/null
        docker logs --follow "$(container)" >>"$DIR/$SERVICE.log" 2>&1 </dev/null &
    else
        rm -f "$DIR/$SERVICE.pid"
        # It notes its number before it leaves our session: from then on a signal to our group no longer reaches it,
        # but `remove` finds it.
        (
            self=$BASHPID # inside $(…) it would be another's number
            echo "$self $(birth "$self")" >"$DIR/$SERVICE.pid"
            exec setsid unshare --mount --pid --ipc --fork --kill-child --propagation private \
                bash "$SERVICES/jail.sh" "${SOURCE#* }" "$DIR/$SERVICE" "$user" "$@"
        ) >>"$DIR/$SERVICE.log" 2>&1 </dev/null &
        until [ -n "$(namespace)" ] || ! kill -0 $!; do sleep 0.01; done 2>/dev/null
    fi
}

# birth PID: when it started. Tells a process from a later one with the same number; a zombie counts as gone.
birth() {
    local stat
    { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 0
    read -ra stat <<<"${stat##*) }"
    if [ "${stat[0]}" != Z ]; then echo "${stat[19]}"; fi
}

# The pid namespace of the server; nothing until it has left ours.
namespace() {
    local pid name
    [ -s "$DIR/$SERVICE.pid" ] || return 0
    read -r pid _ <"$DIR/$SERVICE.pid"
    name=$(readlink "/proc/$pid/ns/pid_for_children") || return 0
    if [ "$name" != "$(readlink /proc/self/ns/pid)" ]; then echo "$name"; fi
}

alive() {
    if [ "$SOURCE" = docker ]; then
        [ "$(docker inspect --format '{{.State.Running}}' "$(container)" 2>/dev/null)" = true ]
    else
        local pid born
        [ -s "$DIR/$SERVICE.pid" ] && read -r pid born <"$DIR/$SERVICE.pid" && [ "$(birth "$pid")" = "$born" ]
    fi
}

# Every process of the server (of its pid namespace), its first one first.
members() {
    local name pid first='' rest=''
    name=$(namespace)
    [ -n "$name" ] || return 0
    for pid in $(find /proc/[0-9]*/ns/pid -maxdepth 0 -lname "${name//[][]/?}" 2>/dev/null | cut -d/ -f3); do
        if grep -qs $'^NSpid:.*\t1$' "/proc/$pid/status"; then first+=" $pid"; else rest+=" $pid"; fi
    done
    echo "$first$rest"
}

signal_all() {
    local pid
    for pid in $(members); do kill -"$1" "$pid" 2>/dev/null || true; done
}

# SIGSTOP for the server and all its children: the connections stay open and the server is silent.
freeze() {
    alive || die "is not running"
    if [ "$SOURCE" = docker ]; then docker pause "$(container)" >/dev/null; else
        signal_all STOP
        signal_all STOP # children that were born during the first round
    fi
}

thaw() {
    if [ "$SOURCE" = docker ]; then docker unpause "$(container)" >/dev/null 2>&1 || true; else
        local pid
        read -r pid _ <"$DIR/$SERVICE.pid"
        kill -CONT "$pid" 2>/dev/null || true # unshare may stop along with its child
        signal_all CONT
    fi
}

# kill -9, as a crash would.
kill_hard() {
    local until=$((SECONDS + 10))
    while alive; do
        ((SECONDS < until)) || die "outlives SIGKILL"
        if [ "$SOURCE" = docker ]; then docker kill "$(container)" >/dev/null || true; else signal_all KILL; fi
        sleep 0.02
    done
}

# The orderly way, with a deadline.
stop() {
    alive || return 0
    thaw
    if [ "$SOURCE" = docker ]; then docker kill --signal "$STOP_SIGNAL" "$(container)" >/dev/null; else
        local first
        read -r first _ <<<"$(members)"
        kill -"$STOP_SIGNAL" "$first"
    fi
    wait_gone 30 || kill_hard
}

# wait_gone SECONDS
wait_gone() {
    local until=$((SECONDS + $1))
    while alive; do
        if ((SECONDS >= until)); then return 1; fi
        sleep 0.05
    done
}

# wait_for SECONDS CMD...: polls until CMD succeeds; a server that died or took too long shows the end of its log.
wait_for() {
    local until=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        if ! alive; then
            tail -n 30 "$DIR/$SERVICE.log" >&2
            die "ended while starting; the end of $DIR/$SERVICE.log is above"
        fi
        if ((SECONDS >= until)); then
            tail -n 30 "$DIR/$SERVICE.log" >&2
            die "does not answer; the end of $DIR/$SERVICE.log is above"
        fi
        sleep 0.1
    done
}

# Removes the server and its data. Its files belong to its own user, so they are removed from inside.
remove() {
    kill_hard
    if [ "$SOURCE" = docker ]; then docker rm --force --volumes "$(container)" >/dev/null 2>&1 || true; fi
    if [ -d "$DIR/$SERVICE" ]; then
        run_in root sh -c 'rm -rf /srv/* /srv/.[!.]*'
        rm -rf "${DIR:?}/$SERVICE"
    fi
    kill_hard # one that an interrupted start was just about to make; without its directory no other can follow
    rm -f "$DIR/$SERVICE".*
}
