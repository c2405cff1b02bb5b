#!/usr/bin/env bash
# A docker engine where none runs: Debian's, installed and started by hand, as a machine without systemd needs it.
set -euo pipefail
# shellcheck source=stack/apt.sh
. "$(dirname "$0")/apt.sh"

usage() {
    cat <<'END'
Usage: ./stack/engine.sh up|down|status

  up      does nothing where an engine answers; otherwise, as root, installs docker.io (on Debian) and starts it: by systemd,
          or without one by hand, with its state in $WOODY_ENGINE_DIR (/var/lib/woodytoys-engine)
  down    ends the engine that `up` started by hand, its containers with it, and removes its state
  status  says whether an engine answers, and whose it is
END
}

DIR=${WOODY_ENGINE_DIR:-/var/lib/woodytoys-engine}
say() { printf '%s\n' "$*" >&2; }
die() {
    say "engine: $*"
    exit 1
}
answers() { timeout 10 docker info >/dev/null 2>&1; }
alive() { [ -s "$DIR/$1.pid" ] && kill -0 "$(<"$DIR/$1.pid")" 2>/dev/null; }

# wait_for SECONDS CMD...
wait_for() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.2
    done
}

# start NAME CMD...: in a session of its own, so that it outlives the script that started it.
start() {
    local name=$1 log=$DIR/$1.log
    shift
    # `down` removes the log, so that one which is there is of a process that ended by itself.
    if [ -s "$log" ]; then
        say "engine: $name had ended by itself; it said:"
        { grep -m 1 -A 20 -E '^(panic|fatal error|SIG)' "$log" || tail -n 20 "$log"; } >&2
    fi
    setsid "$@" >"$log" 2>&1 </dev/null &
    echo $! >"$DIR/$name.pid"
}

up() {
    if answers; then
        say "a docker engine answers: $(docker version --format '{{.Server.Version}}')"
        return
    fi
    [ "$UID" = 0 ] || die "no docker engine answers, and starting one takes root"
    if ! command -v dockerd >/dev/null || ! command -v containerd >/dev/null; then
        apt_install docker.io iptables || die "no engine answers, and none could be installed (above)"
    fi
    # Where there is a systemd, the engine is its business.
    if [ -d /run/systemd/system ]; then
        { systemctl start docker && wait_for 60 answers; } || die "docker does not start: see journalctl -u docker"
        say "started docker $(docker version --format '{{.Server.Version}}') with systemd"
        return
    fi
    mkdir -p "$DIR"
    if ! alive containerd; then
        start containerd containerd --root "$DIR/containerd" --state "$DIR/containerd-state" \
            --address "$DIR/containerd.sock"
        wait_for 30 test -S "$DIR/containerd.sock" || die "containerd does not start: see $DIR/containerd.log"
    fi
    if ! alive dockerd; then
        rm -f /var/run/docker.pid
        start dockerd dockerd --containerd "$DIR/containerd.sock" --data-root "$DIR/docker" --exec-root "$DIR/exec" \
            --pidfile "$DIR/docker.pid"
    fi
    wait_for 60 answers || {
        tail -n 5 "$DIR/dockerd.log" >&2
        die "dockerd does not answer: see $DIR/dockerd.log"
    }
    say "started docker $(docker version --format '{{.Server.Version}}') with its state in $DIR"
}

down() {
    [ -d "$DIR" ] || return 0
    local name
    for name in dockerd containerd; do
        if alive "$name"; then
            kill "$(<"$DIR/$name.pid")"
            wait_for 60 eval "! alive $name" || kill -9 "$(<"$DIR/$name.pid")" || true
        fi
    done
    # What a container or a layer still has mounted is not ours to delete.
    awk -v dir="$DIR" 'index($2, dir) == 1 { print $2 }' /proc/mounts | sort -r | xargs -r -n 1 umount -l 2>/dev/null || true
    rm -rf "$DIR"
}

case ${1:-} in
up) up ;;
down) down ;;
status)
    if answers; then
        echo "docker $(docker version --format '{{.Server.Version}}') answers$(alive dockerd && echo ", started by engine.sh")"
    else
        echo "no docker engine answers"
        exit 1
    fi
    ;;
--help | -h) usage ;;
*)
    usage >&2
    exit 2
    ;;
esac
