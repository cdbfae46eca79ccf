#!/usr/bin/env bash
# Runs a command, or numbered copies of it in parallel, on this machine; the output goes
# to a log. Called as Kaldi's run.pl is (hence the name), written anew in bash.
set -uo pipefail

help_message="Usage: run.pl [options] [JOB=1:N] LOG COMMAND [ARGUMENT...]
e.g.   run.pl --mem 4G JOB=1:4 exp/log/split.JOB.log python split.py --part JOB

JOB (any name) is replaced by the job's number in LOG and in every word of COMMAND.
COMMAND is run word by word, without another shell. LOG '-' means standard output.
Of the options only '--max-jobs-run N' (jobs at a time) matters here; those that ask a
scheduler for memory, threads, GPUs or time are read and left aside. Exit status 1 if a
job fails; the log and its last lines are then shown."

max_jobs_run=0
while [[ "${1:-}" == --?* ]]; do
    case "$1" in
        --help) echo "${help_message}" && exit 0 ;;
        --max-jobs-run | --max_jobs_run) max_jobs_run=${2:-0} ;;
    esac
    shift
    shift || break
done

name='' first=1 last=1
if [[ "${1:-}" =~ ^([A-Za-z_][A-Za-z0-9_]*)=([0-9]+)(:([0-9]+))?$ ]]; then
    name=${BASH_REMATCH[1]} first=${BASH_REMATCH[2]} last=${BASH_REMATCH[4]:-${BASH_REMATCH[2]}}
    shift
fi
if [ $# -lt 2 ] || [ "${first}" -gt "${last}" ]; then
    echo "${help_message}" >&2
    exit 1
fi

# Prints the word $1 with the job's number $2 in place of JOB.
numbered() {
    if [ -n "${name}" ]; then
        printf %s "${1//"${name}"/$2}"
    else
        printf %s "$1"
    fi
}

run_job() {
    local status started=${SECONDS}
    echo "# $*"
    echo "# Running on $(hostname)"
    echo "# Started at $(date)"
    # A shell that is killed leaves its command running: pass the signal on. Bash runs
    # the trap between two commands, so that $! is the command's as soon as it runs.
    trap 'kill "$!" 2>/dev/null; exit 143' TERM
    "$@" &
    wait "$!"
    status=$?
    echo "# Accounting: time=$((SECONDS - started)) threads=1"
    echo "# Ended (code ${status}) at $(date), elapsed time $((SECONDS - started)) seconds"
    return "${status}"
}

log=$1
shift
declare -A job_of_pid=()
failed=()

reap_one() {
    local pid=
    if ! wait -n -p pid "${!job_of_pid[@]}"; then
        failed+=("${job_of_pid[${pid}]}")
    fi
    unset "job_of_pid[${pid}]"
}

# Without this the jobs would outlive an interrupted recipe. A job just begun is not yet in
# job_of_pid, but bash has it.
trap 'kill $(jobs -p) 2>/dev/null; exit 143' INT TERM

for ((job = first; job <= last; job++)); do
    words=()
    for word in "$@"; do
        words+=("$(numbered "${word}" "${job}")")
    done
    log_file=$(numbered "${log}" "${job}")
    if [ "${log_file}" = - ]; then
        run_job "${words[@]}" 2>&1 &
    else
        mkdir -p "$(dirname "${log_file}")"
        run_job "${words[@]}" >"${log_file}" 2>&1 &
    fi
    job_of_pid[$!]=${job}
    if [ "${max_jobs_run}" -gt 0 ] && [ "${#job_of_pid[@]}" -ge "${max_jobs_run}" ]; then
        reap_one
    fi
done
while [ "${#job_of_pid[@]}" -gt 0 ]; do
    reap_one
done

if [ "${#failed[@]}" -gt 0 ]; then
    log_file=$(numbered "${log}" "${failed[0]}")
    echo "run.pl: ${#failed[@]} / $((last - first + 1)) failed, log is in ${log_file}" >&2
    if [ -f "${log_file}" ]; then
        echo "run.pl: the last lines of ${log_file}:" >&2
        tail -n 15 "${log_file}" >&2
    fi
    exit 1
fi
