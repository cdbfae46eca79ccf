#!/usr/bin/env bash
# Sourced after a script has set its options' defaults and help_message: every
# "--some-name value" (or "--some_name value") replaces the variable some_name.
# What follows the options stays in "$@". "--config FILE" sources FILE first, so that
# the command line wins over it.

_parse_options_fail() {
    echo "$0: error: $1" >&2
    exit 1
}

for ((_i = 1; _i < $#; _i++)); do
    if [ "${!_i}" = --config ]; then
        _next=$((_i + 1))
        [ -r "${!_next}" ] || _parse_options_fail "the file ${!_next} given with --config cannot be read."
        # shellcheck disable=SC1090  # the user's file
        . "${!_next}"
    fi
done

while [ $# -gt 0 ]; do
    case "$1" in
        --help | -h)
            echo "${help_message:-$0: no help message}"
            exit 0
            ;;
        --)
            shift
            break
            ;;
        --*) ;;
        *) break ;;
    esac
    _name=${1#--}
    _name=${_name//-/_}
    if [ "${_name}" != config ]; then
        [[ "${_name}" =~ ^[A-Za-z][A-Za-z0-9_]*$ && -n "${!_name+set}" ]] ||
            _parse_options_fail "there is no option $1; --help lists the options."
    fi
    [ $# -ge 2 ] || _parse_options_fail "the option $1 needs a value."
    if [ "${_name}" != config ]; then
        case "${!_name}" in
            true | false)
                [ "$2" = true ] || [ "$2" = false ] ||
                    _parse_options_fail "the option $1 is true or false, not '$2'."
                ;;
        esac
        printf -v "${_name}" %s "$2"
    fi
    shift 2
done
unset _i _next _name
