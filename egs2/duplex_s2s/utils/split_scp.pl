#!/usr/bin/env bash
# Splits the lines of a file into consecutive parts that differ by at most one line.
set -euo pipefail

if [ $# -lt 2 ]; then
    echo "Usage: split_scp.pl IN.scp OUT1.scp [OUT2.scp ...]"
    exit 1
fi
input=$1
shift
lines=$(awk 'END { print NR }' "${input}")  # counts a last line without its end, too
if [ "${lines}" -lt $# ]; then
    echo "split_scp.pl: error: ${input} has ${lines} lines, which cannot be split into $# parts; use fewer jobs." >&2
    exit 1
fi
part=0 start=1
for output in "$@"; do
    part=$((part + 1))
    end=$((part * lines / $#))
    sed -n "${start},${end}p" "${input}" >"${output}"
    start=$((end + 1))
done
