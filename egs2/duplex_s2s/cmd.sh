# shellcheck shell=bash
# How commands are run: choose the backend here.
#   local   on this machine, output to log files
#   stdout  on this machine, output to the terminal
#   slurm   through sbatch; conf/slurm.conf says what the cluster needs
# Each is called as   run.pl [--name value ...] JOB=1:4 exp/log.JOB.log command JOB
cmd_backend=${cmd_backend:-local}

case "${cmd_backend}" in
    local)
        export train_cmd="run.pl"    # data preparation and statistics
        export cuda_cmd="run.pl"     # training
        export decode_cmd="run.pl"   # decoding and scoring
        ;;
    stdout)
        export train_cmd="stdout.pl"
        export cuda_cmd="stdout.pl"
        export decode_cmd="stdout.pl"
        ;;
    slurm)
        export train_cmd="slurm.pl"
        export cuda_cmd="slurm.pl"
        export decode_cmd="slurm.pl"
        ;;
    *)
        echo "error: cmd_backend=${cmd_backend} in cmd.sh is none of local, stdout and slurm." >&2
        return 1
        ;;
esac
