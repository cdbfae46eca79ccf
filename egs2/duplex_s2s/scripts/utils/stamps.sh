# shellcheck shell=bash
# Sourced: how stages know what is finished. A finished piece of work leaves
# <folder>/.done with the hash of what it was made from; a rerun with the same input
# passes over it. The caller defines log().

# Files below folders, with size and time of change: reading hours of sound takes long.
listed() { # folders
    [ $# -eq 0 ] || find "$@" -type f -printf '%p %s %T@\n' | sort
}

hash_of() { # words, and contents of files given as @file
    local word
    for word in "$@"; do
        case "${word}" in
            @*)
                if [ ! -e "${word#@}" ]; then
                    log "error: ${word#@} does not exist; run the stages before this one first." >&2
                    exit 1
                fi
                cat "${word#@}"
                ;;
            *) echo "${word}" ;;
        esac
    done | sha256sum | cut -d ' ' -f 1
}

is_done() { # folder, hash
    [ "$(cat "$1/.done" 2>/dev/null)" = "$2" ] && log "$1 is up to date"
}

write_stamp() { # file, hash
    echo "$2" >"$1.tmp"
    mv "$1.tmp" "$1"
}

mark_done() { # folder, hash
    mkdir -p "$1"
    write_stamp "$1/.done" "$2"
}

# Begins a folder anew if what is in it was made from something else, or nobody knows.
begin() { # folder, hash
    if [ -n "$(ls -A "$1" 2>/dev/null)" ] && [ "$(cat "$1/.made_from" 2>/dev/null)" != "$2" ]; then
        log "$1 was made from other input: making it anew"
        # Out of the way first: a kill in the middle of rm must not leave half of it here.
        rm -rf "$1.replaced"
        mv "$1" "$1.replaced"
        rm -rf "$1.replaced"
    fi
    mkdir -p "$1"
    write_stamp "$1/.made_from" "$2"
}

# Training is too dear to be thrown away by itself: there other input is an error.
begin_training() { # folder, hash, option that names the folder
    if [ -e "$1/.made_from" ] && [ "$(cat "$1/.made_from")" != "$2" ]; then
        log "error: $1 was trained on other data; remove it, or name another folder with $3."
        exit 1
    fi
    mkdir -p "$1"
    write_stamp "$1/.made_from" "$2"
}
