#!/bin/sh
# How PostgreSQL keeps its WAL in an archive, and has it back (archive_command and restore_command of pitr.yml):
#   wal.sh keep DIR PATH NAME    keeps the file at PATH as DIR/NAME.gz; succeeds once it is on the disk
#   wal.sh fetch DIR NAME PATH   puts it back at PATH. Exit code 1: it is not there; 126, at which a recovery stops: it is torn
set -u
umask 077
say() { echo "wal: $*" >&2; }

keep() {
    dir=$1 path=$2 name=$3 kept=$1/$3.gz part=$1/.$3.part
    mkdir -p "$dir" || return 1
    if [ -e "$kept" ]; then
        # PostgreSQL may have died after this was kept and before that was noted. It is on the disk then, but for its name.
        if gzip -dc "$kept" 2>/dev/null | cmp -s - "$path"; then
            sync "$dir"
            return
        fi
        say "$kept is there already and is not what $path is: two servers may share this archive, or it was damaged. It is not overwritten"
        return 1
    fi
    # Never under its own name before it is whole; and `ln` puts nothing in the place of a file that another server kept meanwhile.
    gzip -1 <"$path" >"$part" && sync "$part" && ln "$part" "$kept" && rm "$part" && sync "$dir"
}

fetch() {
    dir=$1 name=$2 path=$3
    [ -e "$dir/$name.gz" ] || return 1
    gzip -dc "$dir/$name.gz" >"$path" && return
    # Without this a recovery would take it for the end of the archive.
    say "$dir/$name.gz is torn"
    rm -f "$path"
    return 126
}

case "${1:-} $#" in
'keep 4') keep "$2" "$3" "$4" ;;
'fetch 4') fetch "$2" "$3" "$4" ;;
*)
    say "keep DIR PATH NAME, or fetch DIR NAME PATH"
    exit 2
    ;;
esac
