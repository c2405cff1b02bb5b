#!/usr/bin/env bash
# The quick check, for every few minutes: format, scripts, arrows, lints, and the tests that need nothing but this machine.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=dev/steps.sh
. dev/steps.sh

usage() {
    cat <<'END'
Usage: ./dev/check.sh [NAME]

Format, scripts, arrows between crates, lints, and the unit and contract tests on the backends that are embedded (memory and
SQLite). Minutes where little has changed. What a change must pass in the end is .ci/run.

  NAME     only tests whose name contains NAME
  --help   this text

Exit code 0: all of it is well. 1: something is not. 2: wrong arguments.
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

scripts() {
    if command -v shellcheck >/dev/null; then look_at_scripts; else echo 'left out: shellcheck is not here'; fi
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
# As in dev/test.sh, the same packages and features: what one has built the other need not.
tests() {
    cargo test --quiet --workspace --all-features --no-fail-fast --lib --bins --test it ${1:+"$1"} 2>&1 | tee "$log" |
        sed -E '/^$|^running 0 tests$|^test result: ok\. 0 passed/d'
}

step 'format' cargo fmt --all --check
step 'scripts' scripts
step 'arrows' dev/check-arrows.sh
step 'lints' dev/lints.sh
step 'tests' tests "${1:-}"
read -r passed failed skipped < <(count_tests "$log")
echo "== $SECONDS s: ${took#, }"
echo "$passed passed, $failed failed; $skipped need servers or a browser: ./dev/test.sh"
