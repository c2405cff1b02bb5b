#!/bin/sh
# rustdoc with what is not stable yet: for cargo, as RUSTDOC. Only rustdoc sees the variable: build scripts that did would
# ask for a nightly compiler's features, and everything would be built again.
RUSTC_BOOTSTRAP=1 exec rustdoc "$@"
