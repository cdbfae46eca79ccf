#!/usr/bin/env bash
# Data of the recipe, stages 1-3: texts and downloads, speech synthesis, conversations.
set -euo pipefail

log() {
    echo "$(date '+%Y-%m-%dT%H:%M:%S') (${BASH_SOURCE[1]##*/}:${BASH_LINENO[0]}:${FUNCNAME[1]}) $*"
}

stage=1               # First stage to run.
stop_stage=3          # Last stage to run.
downloads=downloads   # Where packages with texts, voices and models are kept.
datadir=data          # Where the sets are written.
seed=0                # Seed of texts, voices and timings.
nj=2                  # Processes of synthesis and rendering.
size=full             # full, or smoke: a handful of conversations, for tests.
codec_data=false      # Whether to speak the sentences that the codec is trained and scored on.
conversations=        # Own data: a JSONL of conversations instead of the mini corpus.

# shellcheck disable=SC2034  # parse_options.sh shows it
help_message="Usage: $0 [--option value ...]

$(sed -n '/^stage=/,/^help_message/{/^help_message/d;/^# /d;s/^\([a-z_]*\)=\([^#]*[^# ]\)\? *# /    --\1 (\2): /;p}' "$0")
Own data: python local/own_data.py --help describes the file's format."

. utils/parse_options.sh
. ./path.sh

if [ $# -ne 0 ]; then
    log "error: '$1' is not an option; --help lists the options." >&2
    exit 1
fi
local=${datadir}/local
case "${size}" in
    full)
        text_args=() plan_args=() set_args=()
        ;;
    smoke)
        text_args=(--num_known 4 --num_open 3 --codec_train_seconds 60 --codec_valid_sentences 4
            --codec_test_sentences 2)
        plan_args=(--num_train_voices 3 --num_test_voices 1 --train_voices_per_question 2
            --test_voices_per_open_question 1)
        set_args=(--num_train 6 --num_valid 3 --num_test 3)
        ;;
    *)
        log "error: --size is full or smoke, not '${size}'." >&2
        exit 1
        ;;
esac

. scripts/utils/stamps.sh

speak() { # list of clips
    log "speaking the $1 clips"
    python3 local/synthesise.py --clips "${local}/clips/$1.jsonl" --out "${local}/clips/$1" \
        --downloads "${downloads}" --nj "${nj}"
}

sets=(train valid test_qa test_open test_multiturn test_impatient)
have_sets() {
    local set
    for set in "${sets[@]}"; do
        [ -e "${datadir}/${set}/turns" ] || return 1
    done
}

mkdir -p "${local}"
if [ "${stage}" -le 1 ] && [ "${stop_stage}" -ge 1 ]; then
    log "stage 1: texts and downloads"
    python3 local/assets.py --downloads "${downloads}"
    if [ -n "${conversations}" ]; then
        python3 local/own_data.py --step plan --conversations "${conversations}" \
            --local "${local}" --out "${datadir}" --seed "${seed}"
    else
        done_hash=$(hash_of "${seed}" "${text_args[*]}" "${plan_args[*]}" \
            @local/select_texts.py @local/plan_clips.py)
        if ! is_done "${local}/texts" "${done_hash}"; then
            python3 local/select_texts.py --downloads "${downloads}" --out "${local}/texts" \
                --seed "${seed}" "${text_args[@]}"
            python3 local/plan_clips.py --texts "${local}/texts" --out "${local}/clips" \
                --seed "${seed}" "${plan_args[@]}"
            mark_done "${local}/texts" "${done_hash}"
        fi
    fi
fi

if [ "${stage}" -le 2 ] && [ "${stop_stage}" -ge 2 ]; then
    log "stage 2: speech synthesis"
    if [ -n "${conversations}" ]; then
        speak own
        python3 local/own_data.py --step codec --conversations "${conversations}" \
            --local "${local}" --out "${datadir}" --seed "${seed}"
    else
        if ${codec_data}; then
            speak codec
            python3 local/make_codec_data.py --texts "${local}/texts" \
                --clips "${local}/clips/codec" --out "${datadir}"
        fi
        speak agent
        speak user
    fi
fi

if [ "${stage}" -le 3 ] && [ "${stop_stage}" -ge 3 ]; then
    log "stage 3: conversations"
    if [ -n "${conversations}" ]; then
        rm -f "${local}/sets/.done"  # these sets may take the places of those
        python3 local/own_data.py --step sets --conversations "${conversations}" \
            --local "${local}" --out "${datadir}" --seed "${seed}" --nj "${nj}"
    else
        done_hash=$(hash_of "${seed}" "${set_args[*]}" "@${local}/clips/uses.jsonl" "@${local}/clips/agent.jsonl")
        if ! { have_sets && is_done "${local}/sets" "${done_hash}"; }; then
            python3 local/make_conversations.py --local "${local}" --out "${datadir}" \
                --seed "${seed}" --nj "${nj}" "${set_args[@]}"
            python3 local/validate_data.py "${sets[@]/#/${datadir}/}"
            mkdir -p "${local}/sets"
            mark_done "${local}/sets" "${done_hash}"
        fi
    fi
fi
log "successfully finished [elapsed=${SECONDS}s]"
