#!/usr/bin/env bash
# run.pl for debugging: the output goes to the terminal instead of the log.
set -euo pipefail

arguments=()
while [[ "${1:-}" == --?* ]] && [ $# -ge 2 ]; do
    arguments+=("$1" "$2")
    shift 2
done
if [[ "${1:-}" == *=* ]]; then
    arguments+=("$1")
    shift
fi
if [ $# -lt 2 ]; then
    echo "Usage: stdout.pl [options] [JOB=1:N] LOG COMMAND [ARGUMENT...]   (LOG is left aside)"
    exit 1
fi
exec run.pl "${arguments[@]}" - "${@:2}"
