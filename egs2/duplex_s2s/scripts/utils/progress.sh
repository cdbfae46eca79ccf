# shellcheck shell=bash
# Sourced: long work shows how far it is, and how long each part took. The caller defines
# timings, the file that timed() adds to.

# Runs a job and shows how far its log has come. ${python} may name another Python.
following() { # log, command
    local follower status=0
    ${python:-python3} scripts/utils/follow_log.py "$1" &
    follower=$!
    "${@:2}" || status=$?
    kill "${follower}" 2>/dev/null || true
    wait "${follower}" 2>/dev/null || true
    return "${status}"
}

# Runs a part of the work and adds "name seconds" to the file ${timings}, also if it
# fails: what goes on later has several lines, which the report adds up. A caller that
# knows how much of the part this run does sets timed_share to "number total".
timed() { # name, command
    local started status=0
    started=$(date +%s.%N)
    "${@:2}" || status=$?
    # shellcheck disable=SC2154
    mkdir -p "$(dirname "${timings}")"
    echo "$1 $(date +%s.%N) ${started}" | awk -v share="${timed_share:-}" \
        '{printf "%s %.1f %s\n", $1, $2 - $3, share}' >>"${timings}"
    return "${status}"
}
