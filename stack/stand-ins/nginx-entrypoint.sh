#!/bin/sh
# What our images use of the official nginx image's entry point: settings sourced from /docker-entrypoint.d/*.envsh,
# then the templates, then nginx.
set -e

for file in /docker-entrypoint.d/*.envsh; do
    # shellcheck source=/dev/null
    [ ! -x "$file" ] || . "$file"
done

output=${NGINX_ENVSUBST_OUTPUT_DIR:-/etc/nginx/conf.d}
if [ -d /etc/nginx/templates ]; then
    # shellcheck disable=SC2016
    names=$(env | sed -n "s/^\(${NGINX_ENVSUBST_FILTER:-.*}[A-Za-z0-9_]*\)=.*/\${\1}/p" | tr '\n' ' ')
    (cd /etc/nginx/templates && find . -name '*.template') | while read -r template; do
        target=$output/${template%.template}
        mkdir -p "$(dirname "$target")"
        envsubst "$names" <"/etc/nginx/templates/$template" >"$target"
    done
fi
exec "$@"
