#!/bin/bash
# What our stack uses of the official postgres image's entry point: a new cluster with a user, a password from a file and
# a database, where there is none; then the server.
set -e

[ "${1:-}" = postgres ] || exec "$@"
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    mkdir -p "$PGDATA"
    chmod 700 "$PGDATA"
    # shellcheck disable=SC2086 # several arguments
    initdb --pgdata "$PGDATA" --username "$POSTGRES_USER" --pwfile "$POSTGRES_PASSWORD_FILE" --encoding UTF8 \
        --locale C.UTF-8 ${POSTGRES_INITDB_ARGS:-}
    echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
    # No client from outside is let in before it is ready.
    pg_ctl --pgdata "$PGDATA" --options "-c listen_addresses='' -c unix_socket_directories=/tmp" --wait start
    if [ "${POSTGRES_DB:-postgres}" != postgres ]; then
        PGPASSWORD=$(cat "$POSTGRES_PASSWORD_FILE") psql --host /tmp --username "$POSTGRES_USER" --dbname postgres \
            --quiet --command "CREATE DATABASE \"$POSTGRES_DB\""
    fi
    pg_ctl --pgdata "$PGDATA" --mode fast --wait stop
fi
exec "$@"
