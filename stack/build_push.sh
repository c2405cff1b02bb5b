#!/usr/bin/env bash
# Builds the images of WoodyToys, and pushes them to REGISTRY once all of them are built.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
    cat <<'END'
Usage: ./stack/build_push.sh [VERSION] [--no-push] [--no-sbom] [--only NAME]...
       ./stack/build_push.sh --programs [--no-sbom] [--only NAME]...

Builds the static programs and from them the images misc-service, product-service, order-service, order-worker and
woodyctl (FROM scratch), gateway (nginx with our configuration) and front (the page), each tagged VERSION and latest.
Nothing is pushed unless everything was built, and nothing without a REGISTRY.

  VERSION       the tag besides latest; the version of Cargo.toml by default
  --no-push     for this machine only
  --no-sbom     without the list of crates in each program, which takes a tool that takes a minute to build
  --only NAME   only this image; may be given several times
  --programs    the static programs alone, which takes no docker engine
  --help        this text

  REGISTRY                     where the images go: registry.example.org/woodytoys, on Docker Hub docker.io/NAME; without it
                               they are called woodytoys/… and stay on this machine
  NGINX_IMAGE=nginx:1.30       what gateway and front are made from
  WOODY_IMAGE_PROFILE=dist     cargo's profile: dist (small), release (three times as fast to build)
END
}

say() { printf '%s\n' "$*" >&2; }
die() {
    say "build_push: $*"
    exit 1
}

PROGRAMS=(misc-service product-service order-service order-worker woodyctl)
IMAGES=("${PROGRAMS[@]}" gateway front)
named=${REGISTRY:-}
REGISTRY=${REGISTRY:-woodytoys}
PROFILE=${WOODY_IMAGE_PROFILE:-dist}
TARGET=$(uname -m)-unknown-linux-gnu
version='' push=yes sbom=yes programs='' only=()
while [ $# -gt 0 ]; do
    case $1 in
    --no-push) push='' ;;
    --no-sbom) sbom='' ;;
    --programs) programs=yes ;;
    --only)
        [[ " ${IMAGES[*]} " == *" ${2:-} "* ]] || die "--only takes one of: ${IMAGES[*]}"
        only+=("$2")
        shift
        ;;
    --help | -h)
        usage
        exit
        ;;
    -*)
        usage >&2
        exit 2
        ;;
    *) version=$1 ;;
    esac
    shift
done
[ "$named" ] || push=''
[ ${#only[@]} -gt 0 ] || only=("${IMAGES[@]}")
wanted() { [[ " ${only[*]} " == *" $1 "* ]]; }

# With a bill of materials: cargo-auditable writes the list of crates into the program itself, where scanners find it. Built once.
AUDITABLE_VERSION=0.7.7
tools=${CARGO_TARGET_DIR:-target}/tools
auditable() {
    if [ -z "$sbom" ]; then
        cargo "$@"
        return
    fi
    if ! [ -x "$tools/bin/cargo-auditable" ]; then
        say "installing cargo-auditable $AUDITABLE_VERSION into $tools (a minute, once)"
        cargo install --quiet --locked --root "$tools" "cargo-auditable@$AUDITABLE_VERSION"
    fi
    PATH=$(cd "$tools" && pwd)/bin:$PATH cargo auditable "$@"
}

# With --target, what runs while it is built (procedural macros) stays dynamic.
build_programs() {
    local flags=() program
    for program in "${PROGRAMS[@]}"; do
        if wanted "$program"; then flags+=(--bin "$program"); fi
    done
    [ ${#flags[@]} -gt 0 ] || return 0
    say "building the programs ($PROFILE, static)"
    auditable build --config "target.$TARGET.rustflags = ['-C', 'target-feature=+crt-static']" --target "$TARGET" \
        --locked --quiet --profile "$PROFILE" -p woody-adapters -p woodyctl --features woody-adapters/otlp,woody-adapters/postgres,woody-adapters/rabbitmq \
        "${flags[@]}"
}

if [ "$programs" ]; then
    build_programs
    exit
fi

version=${version:-$(sed -nE 's/^version = "(.*)"/\1/p' Cargo.toml | head -n 1)}
[[ $version =~ ^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$ ]] || die "$version is no tag"
command -v docker >/dev/null || die "docker is missing"
docker info >/dev/null 2>&1 || die "no docker engine answers: start one (stack/engine.sh up does, on Debian)"
revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)
created=$(date --utc +%Y-%m-%dT%H:%M:%SZ)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# image NAME DOCKERFILE ARGS...: from the files that were put into $work/NAME.
image() {
    local name=$1 file=$2
    shift 2
    docker build --quiet --file "stack/images/$file" \
        --build-arg VERSION="$version" --build-arg REVISION="$revision" --build-arg CREATED="$created" "$@" \
        --tag "$REGISTRY/$name:$version" --tag "$REGISTRY/$name:latest" "$work/$name" >/dev/null
    printf '%-16s %s  %s\n' "$name" "$version" \
        "$(docker image inspect --format '{{.Size}}' "$REGISTRY/$name:$version" | awk '{printf "%.1f MB", $1 / 1e6}')"
}

nginx=(--build-arg NGINX_IMAGE="${NGINX_IMAGE:-nginx:1.30}")
build_images() {
    local name programs=${CARGO_TARGET_DIR:-target}/$TARGET/$PROFILE
    for name in "${only[@]}"; do
        mkdir -p "$work/$name"
        case $name in
        gateway)
            cp -r stack/gateway/. "$work/gateway/"
            image gateway gateway.Dockerfile "${nginx[@]}"
            ;;
        front)
            cp -r stack/images/front/nginx.conf "$work/front/"
            cp -r stack/front "$work/front/files"
            image front front.Dockerfile "${nginx[@]}"
            ;;
        woodyctl)
            cp "$programs/woodyctl" "$work/woodyctl/"
            image woodyctl woodyctl.Dockerfile
            ;;
        *)
            cp "$programs/$name" "$work/$name/service"
            image "$name" service.Dockerfile --build-arg NAME="$name"
            ;;
        esac
    done
}

build_programs
build_images
if [ "$push" ]; then
    for name in "${only[@]}"; do
        docker push --quiet "$REGISTRY/$name:$version"
        docker push --quiet "$REGISTRY/$name:latest"
    done
else
    say "on this machine alone${named:+, as you said}"
fi
