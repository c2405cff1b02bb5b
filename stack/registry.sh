# shellcheck shell=bash
# Where an image comes from: a registry, this machine, or this checkout. Sourced, never run.

# is_from_registry IMAGE: whether its name begins with a registry's host. Docker would ask Docker Hub for any other, where
# the name may be a stranger's: ours are on this machine then, or nowhere.
is_from_registry() { case $1 in *[.:]*/* | localhost/*) ;; *) return 1 ;; esac }

# name_images: exports the names of all images, ours by REGISTRY and VERSION, and notes whether ours are on this machine alone
# (on_this_machine) and whether you named none of the others (default_images).
name_images() {
    export REGISTRY=${REGISTRY:-woodytoys} VERSION=${VERSION:-latest}
    on_this_machine='' default_images=yes
    is_from_registry "$REGISTRY/gateway" || on_this_machine=yes
    [ -z "${RABBITMQ_IMAGE:-}${POSTGRES_IMAGE:-}${NGINX_IMAGE:-}" ] || default_images=''
    export RABBITMQ_IMAGE=${RABBITMQ_IMAGE:-rabbitmq:4-management} POSTGRES_IMAGE=${POSTGRES_IMAGE:-postgres:18}
}

here() { docker image inspect "$1" >/dev/null 2>&1; }
to_be_had() { here "$1" || docker pull --quiet "$1" >/dev/null 2>&1; }
theirs() { to_be_had "$RABBITMQ_IMAGE" && to_be_had "$POSTGRES_IMAGE"; }
# What they are is given our secrets, so they are never looked for at a stranger's.
ours() {
    local name find=to_be_had
    if [ "$on_this_machine" ]; then find=here; fi
    for name in gateway front misc-service product-service order-service order-worker; do
        $find "$REGISTRY/$name:$VERSION" || return
    done
}

# stand_ins DEPLOYED: they are for a shop that begins with them: never is one put in the place of an official image. DEPLOYED
# prints the image of the RabbitMQ that is there already, if one is.
stand_ins() {
    case $("$1") in '' | woody-stand-in/*) ;; *) return 1 ;; esac
    eval "$(./stand-ins/build.sh)"
    export NGINX_IMAGE
    case $RABBITMQ_IMAGE in woody-stand-in/*)
        say "no registry can be reached: $RABBITMQ_IMAGE, $POSTGRES_IMAGE and $NGINX_IMAGE
    are stand-ins, for trying things out and not for production"
        ;;
    esac
    theirs
}

# have_images DEPLOYED: sees that every image is here or to be had, by stand-ins and by building ours where it must; otherwise it
# fails, and has said what is missing. In this folder, after name_images; the caller has `say`.
have_images() {
    # Images that you named are not replaced by others.
    theirs || { [ "$default_images" ] && stand_ins "$1"; } || {
        say "not here, and not to be had: $RABBITMQ_IMAGE or $POSTGRES_IMAGE (RABBITMQ_IMAGE and POSTGRES_IMAGE name others)"
        return 1
    }
    ours && return
    if [ "${on_this_machine:+$VERSION}" != latest ]; then
        say "not all of $REGISTRY/{gateway,front,misc-service,product-service,order-service,order-worker}:$VERSION are here or to be
    had: stack/build_push.sh $VERSION builds them"
        return 1
    fi
    say "our images are not here: building them from this checkout (some minutes)"
    ./build_push.sh --no-push --no-sbom >&2
}
