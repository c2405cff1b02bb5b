#!/usr/bin/env bash
# The nginx of the gateway, for tests of its configuration. DIR is the state directory of the other services,
# CONF-DIR holds nginx.conf and what it includes; it is copied, so a running nginx does not see later edits.
#   nginx.sh test DIR CONF-DIR
#   nginx.sh start DIR CONF-DIR     waits until it runs; the ports are the configuration's business
#   nginx.sh stop|version|remove DIR
set -euo pipefail
# shellcheck source=dev/services/lib.sh
. "$(dirname "$0")/lib.sh"

SERVICE=nginx STOP_SIGNAL=QUIT
action=${1:-}
open_dir "${2:-}"
shift 2
find_source

nginx=(nginx -p /srv -c /srv/conf/nginx.conf -g 'daemon off; pid /srv/nginx.pid;')

copy_conf() {
    [ -f "${1:-}/nginx.conf" ] || die "CONF-DIR has no nginx.conf"
    run_in root sh -c 'rm -rf /srv/conf && mkdir /srv/conf && tar -C /srv/conf -x && chown -R nobody /srv' \
        < <(tar -C "$1" -c .)
}

case $action in
test)
    copy_conf "${1:-}"
    run_in nobody "${nginx[@]}" -t
    ;;
start)
    ! alive || die "is running already"
    copy_conf "${1:-}"
    launch nobody "${nginx[@]}"
    wait_for 10 test -s "$DIR/nginx/nginx.pid"
    ;;
stop) stop ;;
version) run_in nobody nginx -v 2>&1 | sed 's|.*/||' ;;
remove) remove ;;
*) die "what is '$action'? test start stop version remove" ;;
esac
