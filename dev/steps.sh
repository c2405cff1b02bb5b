# shellcheck shell=bash
# What scripts that check and test share: steps with their times, the shell scripts there are, and the count of tests.
# Sourced, never run, at the root.

# step NAME CMD...: stops at the first that fails. (In a CMD that is a function `set -e` is off: || return.)
took=''
step() {
    local name=$1 start=$SECONDS
    shift
    echo "== $name"
    if "$@"; then
        echo "== $name: $((SECONDS - start)) s"
        took+=", $name $((SECONDS - start))"
    else
        echo "== $name: FAILED after $((SECONDS - start)) s"
        exit 1
    fi
}

# look_at_scripts: every file that a shell runs, whatever its name: its first line says so.
look_at_scripts() {
    local file first files=()
    while IFS= read -r -d '' file; do
        IFS= read -r first 2>/dev/null <"$file" || continue
        case $first in '#!'*sh | '# shellcheck shell='*) files+=("$file") ;; esac
    done < <(git ls-files --cached --others --exclude-standard -z)
    echo "${#files[@]} scripts"
    shellcheck --external-sources --source-path=. "${files[@]}"
}

# count_tests FILE: how many passed, failed and were left out, by what cargo and our scripts print.
count_tests() {
    sed 's/\x1b\[[0-9;]*m//g' "$1" | awk '
        /^test result: / || /^[0-9]+ passed, [0-9]+ failed/ {
            for (i = 2; i <= NF; i++) {
                if ($i ~ /^passed/) passed += $(i - 1)
                if ($i ~ /^failed/) failed += $(i - 1)
                if ($i ~ /^(ignored|skipped)/) skipped += $(i - 1)
            }
        }
        END { print passed + 0, failed + 0, skipped + 0 }'
}
