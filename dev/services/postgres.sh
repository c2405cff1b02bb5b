#!/usr/bin/env bash
# A PostgreSQL for tests, on a loopback port of its own that stays the same over a restart. As durable as in
# production: what it says is committed is on the disk.
#   postgres.sh start|stop|restart DIR   start waits until it answers
#   postgres.sh start-tls DIR            the same with TLS, by the authority in DIR/postgres.ca.pem
#   postgres.sh follow DIR PRIMARY_DIR   starts a standby of the server in PRIMARY_DIR; `promote DIR` ends that
#   postgres.sh kill DIR                 kill -9, of every process
#   postgres.sh freeze|thaw DIR          SIGSTOP and SIGCONT: connections stay open, the server is silent
#   postgres.sh psql DIR ARGS...
#   postgres.sh env|version|remove DIR   lines for the shell; its version; the end of it all
set -euo pipefail
# shellcheck source=dev/services/lib.sh
. "$(dirname "$0")/lib.sh"

SERVICE=postgres STOP_SIGNAL=INT # INT is its fast shutdown; TERM would wait for the clients to leave
action=${1:-}
open_dir "${2:-}"
shift 2
find_source

# A standby has its primary's users, with their passwords.
if [ ! -s "$DIR/postgres.settings" ]; then
    secret=$(password)
    # shellcheck source=/dev/null
    if [ "$action" = follow ]; then secret=$(. "$1/postgres.settings" && echo "$PASSWORD"); fi
    (umask 077 && printf 'PORT=%s\nPASSWORD=%s\n' "$(free_port)" "$secret" >"$DIR/postgres.settings")
fi
# shellcheck source=/dev/null
. "$DIR/postgres.settings"

# shellcheck disable=SC2153 # PORT and PASSWORD are the settings'
psql() { run_in postgres env PGPASSWORD="$PASSWORD" psql --host 127.0.0.1 --port "$PORT" --username woody "$@"; }

init() {
    run_in root sh -c 'umask 077 && cat >/srv/password && chown -R postgres /srv && chmod 700 /srv' <<<"$PASSWORD"
    run_in postgres initdb --pgdata /srv/data --username woody --pwfile /srv/password --auth scram-sha-256 \
        --encoding UTF8 --locale C.UTF-8 >>"$DIR/postgres.log"
    run_in postgres sh -c 'cat >>/srv/data/postgresql.conf' <<END
listen_addresses = '127.0.0.1'
port = $PORT
unix_socket_directories = '/srv'
max_connections = 200
fsync = on
synchronous_commit = on
END
}

# copy PRIMARY_DIR
copy() {
    local port
    # shellcheck source=/dev/null
    port=$(. "$1/postgres.settings" && echo "$PORT")
    run_in root sh -c 'chown postgres /srv && chmod 700 /srv'
    run_in postgres env PGPASSWORD="$PASSWORD" pg_basebackup --host 127.0.0.1 --port "$port" --username woody \
        --pgdata /srv/data --checkpoint fast --write-recovery-conf >>"$DIR/postgres.log"
    run_in postgres sh -c 'cat >>/srv/data/postgresql.conf' <<<"port = $PORT"
    touch "$DIR/postgres.ready"
}

with_tls() {
    certificates
    init
    run_in root sh -c 'umask 077 && cat >/srv/key.pem && chown postgres /srv/key.pem' <"$DIR/postgres.key"
    run_in postgres sh -c 'cat >/srv/certificate.pem' <"$DIR/postgres.pem"
    run_in postgres sh -c 'cat >>/srv/data/postgresql.conf' <<END
ssl = on
ssl_cert_file = '/srv/certificate.pem'
ssl_key_file = '/srv/key.pem'
END
    start
    psql --dbname postgres --quiet --command 'CREATE DATABASE woody'
    touch "$DIR/postgres.ready"
}

start() {
    ! alive || die "is running already"
    local fresh=''
    if [ ! -e "$DIR/postgres.ready" ] && [ "$action" = start ]; then
        fresh=yes
        init
    fi
    launch postgres postgres -D /srv/data
    wait_for 60 run_in postgres pg_isready --quiet --host 127.0.0.1 --port "$PORT"
    if [ "$fresh" ]; then
        psql --dbname postgres --quiet --command 'CREATE DATABASE woody'
        touch "$DIR/postgres.ready"
    fi
}

case $action in
start) start ;;
start-tls) with_tls ;;
follow)
    copy "$1"
    start
    ;;
promote) psql --dbname postgres --quiet --command 'SELECT pg_promote()' >/dev/null ;;
stop) stop ;;
restart)
    stop
    start
    ;;
kill) kill_hard ;;
freeze) freeze ;;
thaw) thaw ;;
psql) psql --dbname woody "$@" ;;
env) echo "export WOODY_TEST_POSTGRES_URL=postgres://woody:$PASSWORD@127.0.0.1:$PORT/woody" ;;
version) run_in postgres postgres --version | awk '{print $3}' ;;
remove)
    remove
    release_ports "$PORT"
    ;;
*) die "what is '$action'? start start-tls follow promote stop restart kill freeze thaw psql env version remove" ;;
esac
