#!/usr/bin/env bash
# A RabbitMQ for tests, on loopback ports of its own that stay the same over a restart.
#   rabbitmq.sh start|stop|restart DIR   start waits until it answers
#   rabbitmq.sh kill DIR                 kill -9
#   rabbitmq.sh wipe DIR                 kill -9 and delete all its data; `start` gives an empty broker, same user
#   rabbitmq.sh freeze|thaw DIR          SIGSTOP and SIGCONT: connections stay open, the server is silent
#   rabbitmq.sh alive DIR                whether it runs
#   rabbitmq.sh ctl DIR ARGS...          rabbitmqctl
#   rabbitmq.sh env|version|remove DIR   lines for the shell; its version; the end of it all
set -euo pipefail
# shellcheck source=dev/services/lib.sh
. "$(dirname "$0")/lib.sh"

SERVICE=rabbitmq STOP_SIGNAL=TERM
action=${1:-}
open_dir "${2:-}"
shift 2
find_source

settings() {
    if [ ! -s "$DIR/rabbitmq.settings" ]; then
        (umask 077 && cat >"$DIR/rabbitmq.settings") <<END
AMQP_PORT=$(free_port)
AMQPS_PORT=$(free_port)
MANAGEMENT_PORT=$(free_port)
DIST_PORT=$(free_port)
EPMD_PORT=$(free_port)
PASSWORD=$(password)
END
    fi
    # A node of a cluster has the settings that cluster.sh wrote: an epmd and a cookie that its peers share.
    PEERS='' COOKIE=''
    # shellcheck source=/dev/null
    . "$DIR/rabbitmq.settings"
    # An epmd, a node name and ports of its own: brokers on one machine never hear of each other.
    local loopback='-kernel inet_dist_use_interface {127,0,0,1}'
    ENVIRONMENT=(
        ERL_EPMD_PORT="$EPMD_PORT" ERL_EPMD_ADDRESS=127.0.0.1
        RABBITMQ_NODENAME="woody-$DIST_PORT@localhost" RABBITMQ_DIST_PORT="$DIST_PORT"
        RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="$loopback" RABBITMQ_CTL_ERL_ARGS="$loopback"
        RABBITMQ_CONFIG_FILE=/srv/rabbitmq.conf RABBITMQ_ENABLED_PLUGINS_FILE=/srv/enabled_plugins
        RABBITMQ_MNESIA_BASE=/srv/data RABBITMQ_LOGS=- RABBITMQ_LOG_BASE=/srv/log
        RABBITMQ_CONF_ENV_FILE=/dev/null RABBITMQ_PID_FILE=/srv/pid
        RUNNING_UNDER_SYSTEMD=true # no shell between us and the server: signals reach it
    )
    [ -z "$COOKIE" ] || ENVIRONMENT+=(RABBITMQ_ERLANG_COOKIE="$COOKIE")
}

ctl() { run_in rabbitmq env "${ENVIRONMENT[@]}" rabbitmqctl "$@"; }

# What a node of a cluster is told besides: its peers, and that queues grow back to three members. What the stack says
# in minutes is in seconds here.
cluster_lines() {
    local peer number=0
    [ "$PEERS" ] || return 0
    echo 'cluster_formation.peer_discovery_backend = classic_config'
    for peer in $PEERS; do echo "cluster_formation.classic_config.nodes.$((++number)) = $peer"; done
    cat <<'END'
cluster_partition_handling = pause_minority
quorum_queue.continuous_membership_reconciliation.enabled = true
quorum_queue.continuous_membership_reconciliation.auto_remove = false
quorum_queue.continuous_membership_reconciliation.interval = 2000
quorum_queue.continuous_membership_reconciliation.trigger_interval = 1000
quorum_queue.continuous_membership_reconciliation.target_group_size = 3
END
}

start() {
    ! alive || die "is running already"
    # The user comes from the configuration, so that a wiped broker has it again.
    # Quorum as the default type of the vhost: what the stack uses, and a client need not say.
    certificates
    cat "$DIR/rabbitmq.key" "$DIR/rabbitmq.pem" | run_in root sh -c 'umask 077 && cat >/srv/tls.pem'
    run_in root sh -c 'umask 077 && cat >/srv/rabbitmq.conf && echo "[rabbitmq_management]." >/srv/enabled_plugins &&
        mkdir -p /srv/data /srv/log && chown rabbitmq /srv /srv/*' <<END
listeners.tcp.1 = 127.0.0.1:$AMQP_PORT
listeners.ssl.1 = 127.0.0.1:$AMQPS_PORT
ssl_options.certfile = /srv/tls.pem
ssl_options.keyfile = /srv/tls.pem
management.tcp.ip = 127.0.0.1
management.tcp.port = $MANAGEMENT_PORT
default_user = woody
default_pass = $PASSWORD
default_vhost = /
default_queue_type = quorum
log.console.level = info
$(cluster_lines)
END
    launch rabbitmq env "${ENVIRONMENT[@]}" rabbitmq-server
    wait_for 90 answers "$AMQP_PORT"
    # The port opens when the broker has booted; this asks the vhost too.
    wait_for 60 run_in rabbitmq env "${ENVIRONMENT[@]}" rabbitmq-diagnostics -q check_virtual_hosts
}

settings
case $action in
start) start ;;
stop) stop ;;
restart)
    stop
    start
    ;;
kill) kill_hard ;;
wipe)
    kill_hard
    run_in root rm -rf /srv/data
    ;;
alive) alive ;;
freeze) freeze ;;
thaw) thaw ;;
ctl) ctl "$@" ;;
env)
    echo "export WOODY_TEST_AMQP_URL=amqp://woody:$PASSWORD@127.0.0.1:$AMQP_PORT/%2f"
    printf 'export WOODY_TEST_AMQPS_URL=amqps://woody:%s@localhost:%s/%%2f\n' "$PASSWORD" "$AMQPS_PORT"
    printf 'export WOODY_TEST_RABBITMQ_CA=%q\n' "$DIR/rabbitmq.ca.pem"
    echo "export WOODY_TEST_RABBITMQ_MANAGEMENT_URL=http://woody:$PASSWORD@127.0.0.1:$MANAGEMENT_PORT"
    ;;
version) run_in rabbitmq env "${ENVIRONMENT[@]}" rabbitmqctl version ;;
remove)
    remove
    release_ports "$AMQP_PORT" "$AMQPS_PORT" "$MANAGEMENT_PORT" "$DIST_PORT" "$EPMD_PORT"
    ;;
*) die "what is '$action'? start stop restart kill wipe freeze thaw alive ctl env version remove" ;;
esac
