#!/usr/bin/env bash
# The images that stack.yml does not build: prints `export RABBITMQ_IMAGE=…`, POSTGRES_IMAGE and NGINX_IMAGE. They are
# the official ones where a registry can be reached; otherwise stand-ins are made from Debian's packages, and the
# images' names say so.
set -euo pipefail
cd "$(dirname "$0")"

source=$(./source.sh)
if [ "$source" = docker ]; then
    echo 'export RABBITMQ_IMAGE=rabbitmq:4-management POSTGRES_IMAGE=postgres:18 NGINX_IMAGE=nginx:1.30'
    exit
fi
root=${source#forky }
# Made again when the root file system or this folder changes.
recipe=$(cat "$root/recipe" ./* | sha256sum | cut -c1-12)
base=woody-stand-in/base:$recipe
if ! docker image inspect "$base" >/dev/null 2>&1; then
    tar -C "$root" --one-file-system -c . | docker import - "$base" >/dev/null
fi
declare -A tags=([rabbitmq]=4-management [postgres]=18 [nginx]=1.30)
for name in rabbitmq postgres nginx; do
    image=woody-stand-in/$name:${tags[$name]}
    docker build --quiet --build-arg BASE="$base" --target "$name" --tag "$image" . >/dev/null
    echo "export ${name^^}_IMAGE=$image"
done
