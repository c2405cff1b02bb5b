# shellcheck shell=bash
# Where an image comes from. Sourced, never run.

# is_from_registry IMAGE: whether its name begins with a registry's host. Docker would ask Docker Hub for any other, where
# the name may be a stranger's: ours are on this machine then, or nowhere.
is_from_registry() { case $1 in *[.:]*/* | localhost/*) ;; *) return 1 ;; esac }
