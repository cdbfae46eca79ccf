"""The recipe's small shell helpers, called as Kaldi's are."""

import os
import stat
import subprocess
import time
from pathlib import Path

import pytest

RECIPE = Path(__file__).resolve().parents[1] / "egs2" / "duplex_s2s"


@pytest.fixture
def call(tmp_path):
    """Runs a command with utils/ on PATH in an empty folder."""

    def run(*words, path=(), **variables):
        folders = [*map(str, path), str(RECIPE / "utils"), os.environ["PATH"]]
        environment = dict(os.environ, PATH=os.pathsep.join(folders), **variables)
        return subprocess.run(
            [str(word) for word in words],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
        )

    return run


@pytest.fixture
def script(tmp_path):
    """A script with two options that prints them."""
    path = tmp_path / "script.sh"
    path.write_text(f"""set -euo pipefail
num_jobs=1
verbose=false
help_message="Usage: the help"
. {RECIPE}/utils/parse_options.sh
echo "$num_jobs|$verbose|$*"
""")
    return path


def test_options_replace_variables_and_the_rest_is_left(call, script):
    result = call("bash", script, "--num-jobs", "3 4", "--verbose", "true", "a", "b")
    assert result.stdout == "3 4|true|a b\n"


def test_option_with_underscores_is_the_same(call, script):
    assert call("bash", script, "--num_jobs", "5").stdout == "5|false|\n"


def test_command_line_wins_over_config_file(call, script, tmp_path):
    (tmp_path / "options.sh").write_text("num_jobs=7\nverbose=true\n")
    result = call("bash", script, "--num_jobs", "2", "--config", "options.sh")
    assert result.stdout == "2|true|\n"


def test_help_prints_the_message(call, script):
    result = call("bash", script, "--help")
    assert (result.returncode, result.stdout) == (0, "Usage: the help\n")


@pytest.mark.parametrize(
    "words, sentence",
    [
        (["--colour", "red"], "there is no option --colour; --help lists the options."),
        (["--num_jobs"], "the option --num_jobs needs a value."),
        (["--verbose", "yes"], "the option --verbose is true or false, not 'yes'."),
        (["--config", "x"], "the file x given with --config cannot be read."),
    ],
)
def test_wrong_option_is_one_sentence(call, script, words, sentence):
    result = call("bash", script, *words)
    assert result.returncode == 1
    assert result.stderr.rstrip("\n").endswith(sentence)
    assert result.stderr.count("\n") == 1


def test_jobs_run_beside_each_other_and_write_their_logs(call, tmp_path):
    begin = time.monotonic()
    result = call("run.pl", "--gpu", 0, "JOB=1:4", "log/a.JOB.log", "sleep", "1")
    assert result.returncode == 0, result.stderr
    assert time.monotonic() - begin < 3
    assert len(list((tmp_path / "log").glob("a.*.log"))) == 4
    log = (tmp_path / "log" / "a.2.log").read_text().splitlines()
    assert log[0] == "# sleep 1"
    assert log[1].startswith("# Running on ") and log[2].startswith("# Started at ")
    assert log[-1].startswith("# Ended (code 0) at ")


def test_job_number_replaces_the_name_and_words_stay_whole(call, tmp_path):
    words = ["printf", "<%s>", "part.JOB", "a  b", "it's", "$HOME", "*"]
    assert call("run.pl", "JOB=3:3", "JOB.log", *words).returncode == 0
    log = (tmp_path / "3.log").read_text()
    assert "<part.3><a  b><it's><$HOME><*>" in log


def test_failing_job_shows_its_log(call):
    fails = ["sh", "-c", "echo 'error: part JOB is bad' >&2; test JOB -ne 2"]
    result = call("run.pl", "JOB=1:3", "log/x.JOB.log", *fails)
    assert result.returncode == 1
    assert "run.pl: 1 / 3 failed, log is in log/x.2.log" in result.stderr
    assert "error: part 2 is bad" in result.stderr


def test_max_jobs_run_limits_the_number_at_a_time(call):
    begin = time.monotonic()
    call("run.pl", "--max-jobs-run", 1, "JOB=1:2", "JOB.log", "sleep", "0.5")
    assert time.monotonic() - begin >= 1


def is_running(pid: int) -> bool:
    """Whether the process is there and not merely waiting to be reaped."""
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_killed_runner_leaves_no_job_behind(tmp_path):
    runner = subprocess.Popen(
        [RECIPE / "utils" / "run.pl", "JOB=1:2", "JOB.log", "sh", "-c"]
        + ["echo $$ > pid.JOB; exec sleep 60"],
        cwd=tmp_path,
    )
    pids = [tmp_path / "pid.1", tmp_path / "pid.2"]
    while not all(path.exists() and path.read_text().strip() for path in pids):
        time.sleep(0.05)
    runner.terminate()
    assert runner.wait(timeout=10) != 0
    deadline = time.monotonic() + 10
    while running := [path for path in pids if is_running(int(path.read_text()))]:
        assert time.monotonic() < deadline, f"still running: {running}"
        time.sleep(0.05)


def test_stdout_backend_writes_no_log(call, tmp_path):
    result = call("stdout.pl", "--mem", "1G", "JOB=1:2", "JOB.log", "echo", "hi JOB")
    assert "hi 1\n" in result.stdout and "hi 2\n" in result.stdout
    assert not list(tmp_path.glob("*.log"))


@pytest.fixture
def fake_slurm(tmp_path):
    """An sbatch that notes its options and runs the array here."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "sbatch").write_text("""#!/usr/bin/env bash
echo "$*" >> sbatch.args
[[ "$*" =~ --array\\ ([0-9]+)-([0-9]+) ]] && jobs=$(seq ${BASH_REMATCH[1]} ${BASH_REMATCH[2]})
status=0
for job in ${jobs:-none}; do
    SLURM_ARRAY_TASK_ID=$job bash "${@: -1}" 2>/dev/null || status=1
done
exit $status
""")
    (folder / "sbatch").chmod(stat.S_IRWXU)
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "slurm.conf").write_text(
        (RECIPE / "conf" / "slurm.conf").read_text()
    )
    return folder


def test_slurm_runs_an_array_and_leaves_the_same_logs(call, fake_slurm, tmp_path):
    words = ["--gpu", 2, "--time", "1:00:00", "JOB=1:3", "log/a.JOB.log", "echo"]
    result = call("slurm.pl", *words, "part JOB", "a  b", path=[fake_slurm])
    assert result.returncode == 0, result.stderr
    options = (tmp_path / "sbatch.args").read_text()
    assert "--array 1-3" in options and "--wait" in options
    assert "-p gpu --gres=gpu:2" in options and "--time 1:00:00" in options
    assert "part 3 a  b\n" in (tmp_path / "log" / "a.3.log").read_text()


def test_slurm_uses_the_default_partition_without_gpu(call, fake_slurm, tmp_path):
    result = call("slurm.pl", "one.log", "true", path=[fake_slurm])
    assert result.returncode == 0, result.stderr
    assert "-p cpu" in (tmp_path / "sbatch.args").read_text()
    assert "Ended (code 0)" in (tmp_path / "one.log").read_text()


def test_slurm_reports_a_failing_job(call, fake_slurm):
    result = call(
        "slurm.pl", "JOB=1:2", "JOB.log", "test", "JOB", "=", 1, path=[fake_slurm]
    )
    assert result.returncode == 1
    assert "a job failed" in result.stderr


def test_slurm_names_the_option_that_the_config_lacks(call, fake_slurm):
    result = call("slurm.pl", "--colour", "red", "a.log", "true", path=[fake_slurm])
    assert result.returncode == 1
    assert "does not say what '--colour red' means" in result.stderr


def test_parts_are_consecutive_and_differ_by_one_line(call, tmp_path):
    lines = [f"id{n} path\n" for n in range(8)]
    (tmp_path / "all.scp").write_text("".join(lines))
    assert call("split_scp.pl", "all.scp", "a", "b", "c").returncode == 0
    parts = [(tmp_path / name).read_text() for name in "abc"]
    assert "".join(parts) == "".join(lines)
    assert [part.count("\n") for part in parts] == [2, 3, 3]


def test_a_last_line_without_its_end_is_not_lost(call, tmp_path):
    (tmp_path / "all.scp").write_text("a 1\nb 2\nc 3")
    assert call("split_scp.pl", "all.scp", "x", "y").returncode == 0
    assert (tmp_path / "x").read_text() == "a 1\n"
    assert (tmp_path / "y").read_text().split() == ["b", "2", "c", "3"]


def test_more_parts_than_lines_is_an_error(call, tmp_path):
    (tmp_path / "all.scp").write_text("a b\n")
    result = call("split_scp.pl", "all.scp", "x", "y")
    assert result.returncode == 1
    assert "all.scp has 1 lines, which cannot be split into 2 parts" in result.stderr


def test_printed_arguments_can_be_pasted(call):
    words = ["./run.sh", "--args", "--max_epoch 1", "it's", "", "a=b"]
    printed = call(RECIPE / "scripts" / "utils" / "print_args.sh", *words).stdout
    again = call("bash", "-c", f"printf '%s\\n' {printed}").stdout
    assert again.split("\n")[:-1] == words


def test_unknown_backend_is_one_sentence(call):
    result = call("bash", "-c", f". {RECIPE}/cmd.sh", cmd_backend="cloud")
    assert result.returncode == 1
    assert "is none of local, stdout and slurm" in result.stderr


def test_espnet_checkout_supplies_utils_first(call, tmp_path):
    show = f". {RECIPE}/path.sh 2>/dev/null; echo $PATH"
    given = call("bash", "-c", show, ESPNET_ROOT="/opt/espnet").stdout.split(":")
    ours = str(tmp_path / "utils")
    assert given.index("/opt/espnet/egs2/TEMPLATE/asr1/utils") < given.index(ours)
