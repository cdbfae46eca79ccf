#!/usr/bin/env bash
# Prints the lines whose first field occurs (with --exclude: does not occur) in a list.
set -euo pipefail

exclude=0
if [ "${1:-}" = --exclude ]; then
    exclude=1
    shift
fi
if [ $# -lt 1 ] || [ $# -gt 2 ]; then
    echo "Usage: filter_scp.pl [--exclude] ID_LIST [IN.scp] > OUT.scp"
    exit 1
fi

awk -v exclude="${exclude}" '
    !second { wanted[$1] = 1; next }
    ($1 in wanted) != exclude' "$1" second=1 "${2:--}"
