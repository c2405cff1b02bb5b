#!/usr/bin/env bash
# jail.sh ROOT SRV USER CMD...: becomes CMD in ROOT, with SRV as /srv. Run by lib.sh in a mount namespace of its own.
set -euo pipefail

root=$1 srv=$2 user=$3
shift 3

# The cached ROOT is shared by all runs and stays read-only; a server writes to /srv and to memory.
mount --bind "$root" "$root"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
for dir in dev/shm run tmp var/lib/nginx var/log/nginx; do
    mount -t tmpfs -o mode=1777 tmpfs "$root/$dir"
done
mount --bind "$srv" "$root/srv"
mount -o remount,ro,bind "$root"

cd /
exec chroot --userspec="$user" "$root" /usr/bin/env -i HOME=/srv LANG=C.UTF-8 \
    PATH=/usr/lib/rabbitmq/bin:/usr/lib/postgresql/18/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
