#!/usr/bin/env bash
# A RabbitMQ cluster of three nodes for tests, in DIR/1, DIR/2 and DIR/3: each is a server for rabbitmq.sh, which kills,
# freezes and starts it.
#   cluster.sh start DIR         starts the nodes that do not run, all at once; returns when the cluster answers
#   cluster.sh env DIR           a line for the shell: the URL with all three
#   cluster.sh remove DIR        the end of the epmd; down.sh ends the nodes too
set -euo pipefail
# shellcheck source=dev/services/lib.sh
. "$(dirname "$0")/lib.sh"

SERVICE=cluster STOP_SIGNAL=TERM
NODES=(1 2 3)
action=${1:-}
open_dir "${2:-}"
find_source

# What all nodes share; each has ports of its own besides.
make() {
    if [ -s "$DIR/cluster.settings" ]; then return; fi
    local node peers='' epmd cookie password
    epmd=$(free_port) cookie=$(password) password=$(password)
    for node in "${NODES[@]}"; do
        mkdir -p "$DIR/$node"
        local port
        port=$(free_port)
        peers+="${peers:+ }woody-$port@localhost"
        (umask 077 && cat >"$DIR/$node/rabbitmq.settings") <<END
AMQP_PORT=$(free_port)
AMQPS_PORT=$(free_port)
MANAGEMENT_PORT=$(free_port)
DIST_PORT=$port
EPMD_PORT=$epmd
PASSWORD=$password
COOKIE=$cookie
END
    done
    for node in "${NODES[@]}"; do echo "PEERS='$peers'" >>"$DIR/$node/rabbitmq.settings"; done
    # Last: settings without it were not finished, and are written anew.
    (umask 077 && printf 'EPMD_PORT=%s\n' "$epmd" >"$DIR/cluster.settings")
}

# A node's own epmd would end with it, and its peers could not be found any more.
names() {
    # shellcheck source=/dev/null
    . "$DIR/cluster.settings"
    if alive; then return; fi
    mkdir -p "$DIR/$SERVICE"
    launch root epmd -port "$EPMD_PORT" -address 127.0.0.1
    wait_for 10 answers "$EPMD_PORT"
}

case $action in
start)
    make
    names
    starting=()
    for node in "${NODES[@]}"; do
        if "$SERVICES/rabbitmq.sh" alive "$DIR/$node"; then continue; fi
        "$SERVICES/rabbitmq.sh" start "$DIR/$node" &
        starting+=($!)
    done
    failed=''
    for pid in "${starting[@]}"; do wait "$pid" || failed=yes; done
    [ -z "$failed" ] || die "not every node started"
    ;;
env)
    hosts=''
    for node in "${NODES[@]}"; do
        # shellcheck source=/dev/null
        . "$DIR/$node/rabbitmq.settings"
        hosts+="${hosts:+,}127.0.0.1:$AMQP_PORT"
    done
    # shellcheck disable=SC2153 # PASSWORD is the settings'
    echo "export WOODY_BROKER_URL=amqp://woody:$PASSWORD@$hosts/%2f"
    ;;
remove)
    # shellcheck source=/dev/null
    . "$DIR/cluster.settings"
    remove
    release_ports "$EPMD_PORT"
    ;;
*) die "what is '$action'? start env remove" ;;
esac
