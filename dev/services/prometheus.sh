#!/usr/bin/env bash
# prometheus.sh: prints the folder of Prometheus' programs, `prometheus` and `promtool`. Kept under target/tools, out of a package
# of Debian: it is not installed, which would start it.
set -euo pipefail
cd "$(dirname "$0")/../.."

folder=$PWD/target/tools/prometheus
if ! [ -x "$folder/promtool" ]; then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    # Into a folder that is root's alone.
    fetch() { (cd "$work" && apt-get -qq -o APT::Sandbox::User=root download prometheus >&2); }
    fetch || { apt-get -qq -o DPkg::Lock::Timeout=300 update >&2 && fetch; }
    dpkg -x "$work"/prometheus_*.deb "$work"
    mkdir -p "$folder"
    # Another that does the same at this moment leaves the same files.
    for program in prometheus promtool; do
        install -m 755 "$work/usr/bin/$program" "$work/$program"
        mv "$work/$program" "$folder/$program"
    done
fi
echo "$folder"
