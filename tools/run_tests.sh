#!/usr/bin/env bash
# Every check of the project: style, shell scripts, tests. Makes the environment if need be.
set -euo pipefail

help_message="Usage: $0 [pytest option ...]

Runs black, isort, flake8, shellcheck and pytest, all of them even if one fails, and
exits with status 1 if one did. Options are handed to pytest, for example
    $0 -k alignment
    $0 test/test_recipe.py -x"

if [ "${1:-}" = --help ] || [ "${1:-}" = -h ]; then
    echo "${help_message}"
    exit 0
fi

cd "$(dirname "${BASH_SOURCE[0]}")/.."
tools/setup_venv.sh
. tools/activate_python.sh

export HF_HUB_OFFLINE=1
export TOKENIZERS_PARALLELISM=false
# Tiny tensors: more threads only get in each other's way.
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}

python_files=(espnet2_duplex test tools/*.py egs2/duplex_s2s/local egs2/duplex_s2s/scripts setup.py)
shell_files=(.ci/run tools/*.sh egs2/duplex_s2s/*.sh)
while IFS= read -r file; do
    shell_files+=("${file}")
done < <(grep -lE '^#!.*\bbash' -r egs2/duplex_s2s/local egs2/duplex_s2s/scripts egs2/duplex_s2s/utils)

failed=()
check() { # name, command
    echo "=== $1"
    "${@:2}" || failed+=("$1")
}

check black python -m black --check --quiet "${python_files[@]}"
check isort python -m isort --check-only "${python_files[@]}"
check flake8 python -m flake8 "${python_files[@]}"
# SC1091: sourced files that are generated; SC2086: options meant to be split, as in ESPnet.
check shellcheck shellcheck -x -P SCRIPTDIR:egs2/duplex_s2s -e SC1091 -e SC2086 "${shell_files[@]}"
check pytest python -m pytest -q --durations 10 "$@"

if [ "${#failed[@]}" -gt 0 ]; then
    echo "=== FAILED: ${failed[*]}"
    exit 1
fi
echo "=== all checks passed"
