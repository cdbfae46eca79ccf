#!/usr/bin/env bash
# Prints a command line so that it can be pasted: words with blanks or quotes are quoted.
set -euo pipefail

words=()
for word in "$@"; do
    if [[ "${word}" =~ ^[A-Za-z0-9_./:,=+%@-]+$ ]]; then
        words+=("${word}")
    else
        words+=("'${word//\'/\'\\\'\'}'")
    fi
done
echo "${words[*]}"
