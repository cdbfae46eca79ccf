# shellcheck shell=bash
# Sourced by every script of the recipe: Python, PATH and what must be equal everywhere.
MAIN_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export MAIN_ROOT

# An ESPnet checkout, where there is one, supplies the originals of utils/.
export PATH=${ESPNET_ROOT:+${ESPNET_ROOT}/egs2/TEMPLATE/asr1/utils:}${PWD}/utils:${PATH}
export PYTHONPATH=${MAIN_ROOT}${PYTHONPATH:+:${PYTHONPATH}}
export LC_ALL=C

if [ -e "${MAIN_ROOT}/tools/activate_python.sh" ]; then
    . "${MAIN_ROOT}/tools/activate_python.sh"
else
    echo "[INFO] ${MAIN_ROOT}/tools/activate_python.sh is not there: using $(command -v python3)" >&2
fi
if [ -e "${MAIN_ROOT}/tools/extra_path.sh" ]; then
    . "${MAIN_ROOT}/tools/extra_path.sh"
fi

# Jobs run beside each other; stages that run alone raise it.
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
export PYTHONIOENCODING=UTF-8
export TOKENIZERS_PARALLELISM=false
# NCCL must not take a virtual interface.
export NCCL_SOCKET_IFNAME="^lo,docker,virbr,vmnet,vboxnet"

if [ -e local/path.sh ]; then
    . local/path.sh
fi
