#!/usr/bin/env bash
# Prints the path of the first Python 3.12 or 3.13 that really runs and can make an environment.
set -euo pipefail

help_message="Usage: $0 [python]

Looks at, in this order: the interpreter given, python3.12, python3.13 and python3 on
PATH, the versions folder of pyenv, and what uv knows. Prints one path, or one sentence
that says what to install (exit status 1)."

if [ "${1:-}" = --help ] || [ "${1:-}" = -h ]; then
    echo "${help_message}"
    exit 0
fi

# A name on PATH is no proof: pyenv's shims exist for versions that are not selected, and
# Debian's python3 comes without ensurepip until python3-venv is installed.
usable() {
    "$1" -c 'if True:
        import sys
        if not (3, 12) <= sys.version_info[:2] <= (3, 13):
            sys.exit(1)
        import ensurepip, venv
        print(sys.executable)' 2>/dev/null
}

candidates() {
    local name
    for name in python3.12 python3.13 python3; do
        type -ap "${name}" || true
    done
    for name in "${PYENV_ROOT:-${HOME:-}/.pyenv}"/versions/3.1[23]*/bin/python3; do
        if [ -x "${name}" ]; then
            echo "${name}"
        fi
    done
    if command -v uv >/dev/null; then
        for name in 3.12 3.13; do
            uv python find "${name}" 2>/dev/null || true
        done
    fi
}

if [ $# -gt 0 ]; then
    if ! usable "$1"; then
        echo "error: $1 is not a running Python 3.12 or 3.13 with ensurepip; give another interpreter." >&2
        exit 1
    fi
    exit 0
fi

while IFS= read -r python; do
    if usable "${python}"; then
        exit 0
    fi
done < <(candidates)
echo "error: no Python 3.12 or 3.13 that can make an environment was found; install one, e.g. 'apt-get install python3.12-venv', 'pyenv install 3.12' or 'uv python install 3.12'." >&2
exit 1
