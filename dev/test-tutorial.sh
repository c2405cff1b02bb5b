#!/usr/bin/env bash
# The tutorial, as a reader follows it: every file that it shows is written, every command is run, and what it prints is compared.
set -Eeuo pipefail
cd "$(dirname "$0")/.."

usage() {
    cat <<'END'
Usage: ./dev/test-tutorial.sh [PAGE]

Follows docs/tutorial.md, or another PAGE, in an empty folder. Of its blocks
  - one that begins with a comment that is a path (`# Cargo.toml`, `// src/main.rs`) is that file;
  - one of `sh` is run, all of them by one shell;
  - one of `text` is what the commands before it print, where … stands for anything.
The clone beside the reader's package is this one. Shares the workspace's target directory and lock file, so that it builds little that
is not there already.

Exit code 0: all was as the page says. 1: something was not. 2: wrong arguments.
END
}
case ${1:-} in
--help | -h)
    usage
    exit
    ;;
-*)
    usage >&2
    exit 2
    ;;
esac
root=$PWD page=$PWD/${1:-docs/tutorial.md}
[ -r "$page" ] || { usage >&2 && exit 2; }

# As the workspace is built and with the same versions, so that what both need is there already.
export CARGO_PROFILE_DEV_DEBUG=line-tables-only
target=${CARGO_TARGET_DIR:-$root/target}
mkdir -p "$target" # in a fresh clone it is not there
unset CARGO_TARGET_DIR # a reader's package has its own, which leads there
work=$(mktemp -d) package=''
finish() {
    local code=$?
    trap - EXIT
    # shellcheck disable=SC2046 # one word for each job
    kill -KILL $(jobs -p) 2>/dev/null || true
    # Its path is another each time, so nobody will use again what was built of it.
    if [ "$package" ]; then (cd "$work/$package" && command cargo clean --quiet --package "$package") || true; fi
    rm -rf "$work"
    exit "$code"
}
trap finish EXIT

# The reader's cargo; a new package builds where everything here is built.
cargo() {
    command cargo "$@" || return
    if [ "${1:-}" = new ]; then
        package=${*: -1}
        ln -s "$target" "$package/target"
        cp "$root/Cargo.lock" "$package/Cargo.lock"
    fi
}

passed=0 failed=0
ok() {
    echo "tutorial: $1 ... ok"
    passed=$((passed + 1))
}
exec 4>&1 # a command's output is elsewhere when it fails
no() {
    failed=$((failed + 1))
    printf 'tutorial: %s ... FAILED\n%s\n%s passed, %s failed\n' "$1" "$2" "$passed" "$failed" >&4
    exit 1
}

# is_like GOT WANTED: line by line.
is_like() {
    local got wanted pattern i
    mapfile -t got <<<"$1"
    mapfile -t wanted <<<"$2"
    [ ${#got[@]} = ${#wanted[@]} ] || return
    for i in "${!wanted[@]}"; do
        pattern=$(sed 's/[][*?\\]/\\&/g; s/…/*/g' <<<"${wanted[i]}")
        # shellcheck disable=SC2053 # a pattern
        [[ ${got[i]} == $pattern ]] || return
    done
}

# block LANGUAGE LINE TEXT: what a reader does with it.
printed=''
block() {
    local language=$1 name="line $2" text=$3 first path
    first=${text%%$'\n'*}
    path=${first#'# '}
    path=${path#'// '}
    if [ "$path" != "$first" ] && [[ $path =~ ^[A-Za-z0-9_/-]+\.(toml|rs)$ ]]; then
        mkdir -p "$(dirname "$path")"
        # The clone is where this script is.
        printf '%s\n' "${text//..\/woodytoys/$root}" >"$path"
        ok "$name: $path is written"
    elif [ "$language" = sh ]; then
        # In this shell: what it starts and where it goes is there for the next. Its errors end it (not in an `if`).
        eval "$text" >"$work/printed" 2>"$work/complained" </dev/null
        printed=$(<"$work/printed")
        ok "$name: ${first:0:60}"
    elif [ "$language" = text ]; then
        if is_like "$printed" "$text"; then ok "$name: it prints that"; else no "$name" "it printed:"$'\n'"$printed"; fi
    fi
}

cd "$work"
language='' text='' number=0 began=0 is_open=''
exec 3<"$page"
running=''
trap 'no "${running:-the page}" "$(cat "$work/complained" "$work/printed" 2>/dev/null)"' ERR
while IFS= read -r line <&3; do
    number=$((number + 1))
    if [[ $line != '```'* ]]; then
        if [ "$is_open" ]; then text+=${text:+$'\n'}$line; fi
    elif [ -z "$is_open" ]; then
        is_open=yes language=${line#'```'} text='' began=$number
    else
        is_open='' running="line $began"
        block "$language" "$began" "$text"
    fi
done
[ "$passed" -gt 0 ] || no 'the page' 'it has no blocks'
echo "$passed passed, $failed failed"
