# shellcheck shell=bash
# Sourced, after progress.sh and stamps.sh: what speaks clips and makes what disturbs
# them. The caller defines
#   corpus     YAML with the section `speech`
#   local      folder with clips/
#   logs       folder of the jobs' logs
#   downloads, seed, nj, python, max_failed_share

# Runs a script as ${nj} jobs, each with its share of the work, and shows the first one's progress.
in_jobs() { # name, command
    # shellcheck disable=SC2154
    log "log: ${logs}/$1.*.log"
    # shellcheck disable=SC2154
    following "${logs}/$1.1.log" \
        ${train_cmd} "JOB=1:${nj}" "${logs}/$1.JOB.log" "${@:2}" --job JOB --num_jobs "${nj}"
}

speak() { # list of clips
    # shellcheck disable=SC2154
    local missing timed_share list=(--clips "${local}/clips/$1.jsonl" --out "${local}/clips")
    # shellcheck disable=SC2154
    missing=$(${python} local/synthesise.py "${list[@]}" --count_missing)
    if [ "${missing}" = 0 ]; then
        log "all $1 clips are there"
        return
    fi
    log "speaking the $1 clips"
    ${python} local/synthesise.py "${list[@]}" --begin
    # shellcheck disable=SC2034  # timed() writes it
    timed_share="${missing} $(wc -l <"${local}/clips/$1.jsonl")"
    # shellcheck disable=SC2154
    timed "speak_$1" in_jobs "speak_$1" \
        ${python} local/synthesise.py "${list[@]}" --config "${corpus}" --downloads "${downloads}"
    # shellcheck disable=SC2154
    ${python} local/synthesise.py "${list[@]}" --check --max_failed_share "${max_failed_share}"
}

fetch() { # asset that only some corpora need
    ${python} local/assets.py --downloads "${downloads}" --only "$1"
}

make_bank() { # rooms or sounds, option and folder of one's own recordings
    local done_hash user_rate settings
    settings=$(${python} local/corpus_settings.py --config "${corpus}" --list "$1")
    user_rate=$(${python} local/corpus_settings.py --config "${corpus}" --list user_rate)
    # shellcheck disable=SC2154
    done_hash=$(hash_of "${seed}" "${user_rate}" "${settings}" "$(listed "${@:3}")" "@local/make_$1.py" \
        @local/{bank_settings,recordings,simulated_rooms}.py @../../espnet2_duplex/simulation/{sounds,user_channel/rooms}.py)
    if ! is_done "${local}/$1" "${done_hash}"; then
        begin "${local}/$1" "${done_hash}"
        timed "make_$1" ${python} "local/make_$1.py" "${local}/$1" --config "${corpus}" --seed "${seed}" --sample_rate "${user_rate}" "${@:2}"
        mark_done "${local}/$1" "${done_hash}"
    fi
}
