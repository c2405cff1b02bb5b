#!/usr/bin/env bash
# down.sh DIR: ends every server that has its state in DIR or below it, and removes DIR.
set -euo pipefail
# shellcheck source=dev/services/lib.sh
. "$(dirname "$0")/lib.sh"

[ -d "${1:-}" ] || exit 0
open_dir "$1"
# Only ever a directory of ours, whatever was typed.
[ -z "$(ls -A "$DIR")" ] || [ -e "$DIR/source" ] || [ -e "$DIR/source.new" ] || [ -e "$DIR/owner" ] ||
    [ -n "$(find "$DIR" -maxdepth 1 -name '*.settings')" ] || die "$DIR has no services"

# Deepest first: a directory below uses the source that is noted here.
while read -r at log; do
    "$SERVICES/${log%.log}.sh" remove "$at" </dev/null || say "down: ${log%.log} in $at could not be removed"
done < <(find "$DIR" -depth -name 'rabbitmq.log' -printf '%h %f\n' -o -name 'postgres.log' -printf '%h %f\n' \
    -o -name 'nginx.log' -printf '%h %f\n' -o -name 'cluster.log' -printf '%h %f\n' 2>/dev/null)
rm -rf "$DIR"
find "$PORT_LOCKS" -xtype l -delete 2>/dev/null || true # ports of directories that are gone
