#!/usr/bin/env bash
# Runs a command, or numbered copies of it, through Slurm and waits for the end.
# Called as run.pl is; what the cluster needs stands in conf/slurm.conf.
set -euo pipefail

help_message="Usage: slurm.pl [options] [JOB=1:N] LOG COMMAND [ARGUMENT...]
e.g.   slurm.pl --gpu 1 JOB=1:4 exp/log/decode.JOB.log python decode.py --part JOB

'--name value' is turned into sbatch's options by conf/slurm.conf (--config FILE for
another one), whose lines are
    command sbatch [options]     how to submit
    option NAME=VALUE [options]  what '--NAME VALUE' becomes; '*' is any value and \$0 that value
    default NAME=VALUE           the value where --NAME is not given"

config=conf/slurm.conf
declare -A given=()
while [[ "${1:-}" == --?* ]]; do
    [ "$1" != --help ] || { echo "${help_message}" && exit 0; }
    [ $# -ge 2 ] || break
    if [ "$1" = --config ]; then
        config=$2
    else
        option=${1#--}
        given[${option//-/_}]=$2
    fi
    shift 2
done

first=1 last=1 job_name=''
if [[ "${1:-}" =~ ^([A-Za-z_][A-Za-z0-9_]*)=([0-9]+)(:([0-9]+))?$ ]]; then
    job_name=${BASH_REMATCH[1]}
    first=${BASH_REMATCH[2]} last=${BASH_REMATCH[4]:-${BASH_REMATCH[2]}}
    shift
fi
if [ $# -lt 2 ]; then
    echo "${help_message}" >&2
    exit 1
fi
if [ ! -r "${config}" ]; then
    echo "slurm.pl: error: ${config} cannot be read; run from the recipe's folder or give --config." >&2
    exit 1
fi

submit=(sbatch)
declare -A exact=() any=()
while read -r kind pair rest; do
    case "${kind}" in
        command) read -r -a submit <<<"${pair} ${rest}" ;;
        default) : "${given[${pair%%=*}]:=${pair#*=}}" ;;
        option)
            if [ "${pair#*=}" = '*' ]; then
                any[${pair%%=*}]=${rest}
            else
                exact[${pair}]=${rest}
            fi
            ;;
        '' | '#'*) ;;
        *)
            echo "slurm.pl: error: ${config} has a line that starts with '${kind}'; expected command, option or default." >&2
            exit 1
            ;;
    esac
done <"${config}"

limit=
for option in "${!given[@]}"; do
    value=${given[${option}]}
    if [ "${option}" = max_jobs_run ]; then
        limit=%${value}
        continue
    fi
    if [ -n "${exact[${option}=${value}]+set}" ]; then
        words=${exact[${option}=${value}]}
    elif [ -n "${any[${option}]+set}" ]; then
        # shellcheck disable=SC2016  # the file itself says $0
        words=${any[${option}]//'$0'/"${value}"}
    else
        echo "slurm.pl: error: ${config} does not say what '--${option} ${value}' means; add a line 'option ${option}=* ...'." >&2
        exit 1
    fi
    read -r -a words <<<"${words}"
    submit+=("${words[@]}")
done

log=$1
shift
if [ -n "${job_name}" ]; then
    script=${log//"${job_name}"/jobs}.sbatch
    # shellcheck disable=SC2016  # Slurm sets it on the node
    number=("${job_name}="'${SLURM_ARRAY_TASK_ID}')
    submit+=(--array "${first}-${last}${limit}")
else
    script=${log}.sbatch
    number=()
fi
mkdir -p "$(dirname "${script}")"
# On the node run.pl writes the log, so that both backends leave the same files.
cat >"${script}" <<EOF
#!/usr/bin/env bash
cd $(printf %q "${PWD}")
[ ! -e path.sh ] || . ./path.sh
exec run.pl ${number[*]} $(printf '%q ' "${log}" "$@")
EOF
if ! "${submit[@]}" --wait --output "${script}.out" "${script}"; then
    echo "slurm.pl: a job failed, logs are ${log}, Slurm's own output is ${script}.out" >&2
    exit 1
fi
