#!/usr/bin/env bash
# The mini corpus on a CPU: from nothing to a packed model and its scores.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# An environment of one's own can be used instead: write tools/activate_python.sh.
if [ ! -e ../../tools/activate_python.sh ] || [ -e ../../tools/venv ]; then
    ../../tools/setup_venv.sh
fi

./duplex_s2s.sh \
    --ngpu 0 \
    --train_set train \
    --valid_set valid \
    --train_config conf/train_mini.yaml \
    --token_type bpe --nbpe 500 \
    "$@"
