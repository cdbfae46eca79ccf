#!/usr/bin/env bash
# Turns lines "utterance speaker" into lines "speaker utterance ...", in order of appearance.
set -euo pipefail

awk '
    NF != 2 {
        print "utt2spk_to_spk2utt.pl: error: line " NR " has " NF " fields instead of 2." > "/dev/stderr"
        failed = 1
        exit 1
    }
    !($2 in utterances) { speakers[++n] = $2 }
    { utterances[$2] = utterances[$2] " " $1 }
    END { if (!failed) for (i = 1; i <= n; i++) print speakers[i] utterances[speakers[i]] }' "$@"
