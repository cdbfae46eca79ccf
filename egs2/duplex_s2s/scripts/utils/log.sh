# shellcheck shell=bash
# Sourced: messages with time and place, and the end of a script's options.

log() {
    echo "$(date '+%Y-%m-%dT%H:%M:%S') (${BASH_SOURCE[1]##*/}:${BASH_LINENO[0]}:${FUNCNAME[1]}) $*"
}

# What parse_options.sh left over is a mistake where a script has options only.
no_arguments_left() { # "$@"
    [ $# -eq 0 ] || {
        log "error: '$1' is not an option; --help lists the options." >&2
        exit 2
    }
}
