"""Layouts become data folders: rendering and collecting, the rest of stage 3."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import draw_conversations
import numpy as np
import pytest
import render_conversations
from stage3_runs import CORPUS, begin_stage3, digests
from validate_data import validate_folder

from espnet2_duplex.conversation import Conversation, Turn
from espnet2_duplex.data_folder import read_table
from espnet2_duplex.jsonl import write_text

LOCAL = Path(render_conversations.__file__).parent


@pytest.fixture
def stage3(tmp_path, make_wav):
    return begin_stage3(tmp_path, make_wav)


def test_a_data_folder_is_complete_and_valid(stage3):
    stage3.draw()
    render_conversations.main(stage3.job("train", stage3.folder / "rendering"))
    folder = stage3.collect("train", stage3.folder / "rendering")
    checked = validate_folder(folder, 16000, 22050, strict_agent=True)
    assert len(checked.conversations) == 24 and not checked.faults
    assert not (stage3.folder / "rendering").exists()
    keys = set(read_table(folder / "user.scp"))
    for name in ("agent.scp", "turns", "events", "utt2dur", "utt2source", "utt2spk"):
        assert set(read_table(folder / name)) == keys
    assert set(read_table(folder / "utt2spk").values()) == {"ann", "bob"}
    assert set(read_table(folder / "utt2source").values()) == {"qa"}
    events = [json.loads(e) for e in read_table(folder / "events").values()]
    assert {event["kind"] for found in events for event in found} <= {"pause"}


def test_the_same_bytes_whatever_the_number_of_jobs(stage3):
    stage3.draw()
    for num_jobs in (1, 4):
        for job in range(1, num_jobs + 1):
            out = stage3.folder / f"by_{num_jobs}"
            render_conversations.main(stage3.job("train", out, job, num_jobs))
    one, four = (digests(stage3.folder / f"by_{n}") for n in (1, 4))
    assert one == four and len(one) == 48


def test_a_job_that_was_killed_goes_on_to_the_same_bytes(stage3):
    stage3.draw()
    whole, killed = stage3.folder / "whole", stage3.folder / "killed"
    render_conversations.main(stage3.job("train", whole))
    script = str(LOCAL / "render_conversations.py")
    command = [sys.executable, script, *stage3.job("train", killed)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not list(killed.rglob("*.wav")) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert process.returncode == -signal.SIGKILL
    assert 0 < len(list(killed.rglob("*.wav"))) < 48
    render_conversations.main(stage3.job("train", killed))
    finished = {k: v for k, v in digests(killed).items() if not k.endswith(".tmp")}
    assert finished == digests(whole)


def test_rooms_that_no_set_wants_are_not_read(stage3):
    stage3.draw()
    write_text(stage3.folder / "local/rooms/rooms.jsonl", "of another corpus")
    render_conversations.main(stage3.job("test", stage3.folder / "rendering"))
    assert len(list((stage3.folder / "rendering").rglob("*.wav"))) == 8


def test_rooms_that_are_wanted_and_missing_are_named(stage3):
    stage3.draw()
    write_text(stage3.config, CORPUS.replace("noise:", "room:"))
    with pytest.raises(ValueError, match="rooms.jsonl does not exist"):
        render_conversations.main(stage3.job("test", stage3.folder / "rendering"))


@pytest.mark.parametrize("job, num_jobs", [(0, 1), (5, 4), (1, 0)])
def test_a_job_that_is_none_of_the_jobs_is_refused(stage3, job, num_jobs):
    command = stage3.job("test", stage3.folder / "rendering", job, num_jobs)
    with pytest.raises(ValueError, match=f"--job is {job} and --num_jobs {num_jobs}; "):
        render_conversations.main(command)


def test_a_negative_seed_is_refused(stage3, capsys):
    for main, options in (
        (draw_conversations.main, stage3.options),
        (render_conversations.main, stage3.job("test", stage3.folder / "out")),
    ):
        with pytest.raises(SystemExit):
            main([*options, "--seed", "-1"])
        assert "--seed: -1 is negative; write 0 or more" in capsys.readouterr().err


def test_a_line_that_is_no_layout_is_named(stage3):
    stage3.draw()
    path = stage3.folder / "local/layouts/test.jsonl"
    path.write_text(path.read_text() + '{"conversation": ')
    with pytest.raises(ValueError, match="test.jsonl, line 5 is no layout"):
        render_conversations.main(stage3.job("test", stage3.folder / "rendering"))


def test_a_full_disk_is_told_and_costs_nothing(stage3):
    """A limit on the size of files is what a full disk is to a process."""
    stage3.draw()
    out = stage3.folder / "rendering"
    script = str(LOCAL / "render_conversations.py")
    limit = 60_000  # bytes: less than any agent wav
    failed = subprocess.run(
        [sys.executable, script, *stage3.job("train", out)],
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert failed.returncode == 1
    last = failed.stderr.strip().splitlines()[-1]
    assert last.startswith("error: ") and "cannot be written" in last
    assert "free space" in last and "run the same command again" in last
    assert not [path for path in out.rglob("*.tmp")]
    render_conversations.main(stage3.job("train", out))
    assert len(list(out.rglob("*.wav"))) == 48


def test_a_wav_that_is_missing_from_a_rendered_set_is_named(stage3):
    stage3.draw()
    out = stage3.folder / "rendering"
    render_conversations.main(stage3.job("test", out))
    gone = sorted(out.rglob("*_agent.wav"))[0]
    gone.unlink()
    with pytest.raises(ValueError, match=f"{gone.name} is missing"):
        stage3.collect("test", out)
    assert not (stage3.folder / "data/test").exists()


def test_a_wav_that_is_cut_off_leaves_the_old_set(stage3):
    stage3.draw()
    out = stage3.folder / "rendering"
    render_conversations.main(stage3.job("test", out))
    before = digests(stage3.collect("test", out))
    render_conversations.main(stage3.job("test", out))
    cut = sorted(out.rglob("*_agent.wav"))[0]
    cut.write_bytes(cut.read_bytes()[:60_000])
    with pytest.raises(ValueError, match=f"{cut.name} has 22050 Hz, .* delete it"):
        stage3.collect("test", out)
    assert digests(stage3.folder / "data/test") == before


def test_what_killed_jobs_leave_is_removed(stage3):
    stage3.draw()
    out = stage3.folder / "rendering"
    for _ in range(2):
        render_conversations.main(stage3.job("test", out))
        write_text(out / "wav/0000/.a_user.wav.77.tmp", "half")
        write_text(stage3.folder / "data/.test.77.replaced/turns", "old")
        folder = stage3.collect("test", out)
        assert not [path for path in folder.rglob(".*")]
        assert os.listdir(folder.parent) == ["test"]


@pytest.mark.parametrize(
    "lengths, last, message",
    [
        ((16000, 22050), 1.0, "none"),
        ((16000, 24000), 1.0, "the user's wav lasts 1.04 s and the agent's 1.12 s"),
        ((16000, 22050), 1.2, "turn 0: it ends at 1.2 s, after the end"),
    ],
)
def test_streams_are_checked_before_they_are_written(lengths, last, message):
    turn = Turn("user", 0.1, last, "So.")
    conversation = Conversation("c", (turn,), 1.2)
    streams = [np.zeros(length, np.float32) for length in lengths]
    check = render_conversations.check_streams
    if message == "none":
        check(conversation, streams, (16000, 22050))
        streams[1][5] = np.nan
        message = "the agent's stream has 1 samples that are not finite"
    with pytest.raises(ValueError, match=message):
        check(conversation, streams, (16000, 22050))


def test_both_streams_of_a_conversation_last_equally_long(stage3):
    stage3.draw()
    render_conversations.main(stage3.job("test", stage3.folder / "rendering"))
    folder = stage3.collect("test", stage3.folder / "rendering")
    for conversation in validate_folder(folder, 16000, 22050).conversations:
        frames = conversation.duration * 12.5
        assert frames == pytest.approx(round(frames), abs=1e-6)
        assert np.isfinite(frames)
