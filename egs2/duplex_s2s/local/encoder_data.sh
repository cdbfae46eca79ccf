#!/usr/bin/env bash
# Speech for an encoder: sentences planned, spoken and listed, rooms, real recordings.
set -euo pipefail

SECONDS=0

corpus=conf/data_encoder.yaml  # Who says how much of what: a YAML with the section `encoder`.
datadir=data_encoder  # Where the lists {train,valid,test,recordings} are written.
corpora=data          # Data folders of conversations: what users say in training is learnt, else no text of theirs.
recordings=packaged   # Real speech to score on: packaged (five LibriVox utterances), a NeMo manifest, or none.
downloads=downloads   # Where packages with texts, voices and models are kept.
seed=0                # Seed of texts, voices and rooms.
nj=2                  # Parallel jobs of speaking.
python=python3        # Python of the jobs.
max_failed_share=0.02 # Of the clips that may fail before speaking stops.
rooms=                # Folder of measured room impulse responses; made by local/make_rooms.py if not given.

# shellcheck disable=SC2034  # parse_options.sh shows it
help_message="Usage: $0 [--option value ...]

$(sed -n '/^corpus=/,/^help_message/{/^help_message/d;/^# /d;s/^\([a-z_]*\)=\([^#]*[^# ]\)\? *# /    --\1 (\2): /;p}' "$0")"

. utils/parse_options.sh
. ./path.sh
. ./cmd.sh
. scripts/utils/log.sh
. scripts/utils/stamps.sh
. scripts/utils/progress.sh
. scripts/utils/speech.sh

no_arguments_left "$@"
local=${datadir}/local
logs=${local}/logs
# shellcheck disable=SC2034  # progress.sh adds to it
timings=${local}/timings
mkdir -p "${logs}"

# shellcheck disable=SC2206
folders=(${corpora})
assets=$(${python} local/plan_encoder_clips.py --config "${corpus}" --list_assets)
${python} local/assets.py --downloads "${downloads}"
for asset in ${assets}; do
    fetch "${asset}"
done

spoken=("${folders[@]/%//local/spoken.jsonl}")
code=(local/tts/*.py local/{plan_encoder_clips,encoder_settings,encoder_texts,casting,clips,speech_settings,text_sources}.py)
done_hash=$(hash_of "${seed}" "@${corpus}" "${spoken[@]/#/@}" "${code[@]/#/@}")
if ! is_done "${local}/plan" "${done_hash}"; then
    log "planning"
    timed plan ${python} local/plan_encoder_clips.py --config "${corpus}" --local "${local}" \
        --downloads "${downloads}" --seed "${seed}" --exclude "${spoken[@]}"
    mark_done "${local}/plan" "${done_hash}"
fi
for clips in "${local}"/clips/*.jsonl; do
    name=$(basename "${clips}" .jsonl)
    [[ "${name}" = failed.* ]] || speak "${name}"
done
make_bank rooms ${rooms:+--measured "${rooms}"}

list_speech() { # set, options
    ${python} local/encoder_speech.py --out "${datadir}/$1" "${@:2}"
}
sentences=(--sentences "${local}/sentences.jsonl")
# Real recordings are what the encoder is scored on.
list_speech train "${sentences[@]}" --set train --local "${folders[@]/%//local}" --exclude_sources asr_qa
list_speech valid "${sentences[@]}" --set valid
list_speech test "${sentences[@]}" --set test
if [ "${recordings}" = packaged ]; then
    fetch pocketsphinx-testdata
    ${python} local/packaged_recordings.py --downloads "${downloads}" --out "${local}"
    recordings=${local}/asr_manifest.jsonl
fi
if [ "${recordings}" = none ]; then
    rm -rf "${datadir}/recordings"
else
    list_speech recordings --manifest "${recordings}"
fi
log "successfully finished [elapsed=${SECONDS}s]"
