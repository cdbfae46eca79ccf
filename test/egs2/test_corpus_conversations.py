"""Spoken conversations become data folders: the three scripts of stage 3."""

import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import collect_set
import draw_conversations
import numpy as np
import pytest
import render_conversations
from validate_data import validate_folder

from espnet2_duplex.conversation import Conversation, Turn
from espnet2_duplex.data_folder import read_table
from espnet2_duplex.jsonl import read_jsonl, write_jsonl, write_text

LOCAL = Path(render_conversations.__file__).parent
RATES = {"user": 16000, "agent": 22050}
CORPUS = """
simulation:
  defaults:
    num_conversations: 24
    num_exchanges: {1: 0.5, 2: 0.5}
    user_pauses: {share: 0.5}
    user_channel:
      level: {share: 1.0}
      noise: {share: 0.5}
  sets:
    train:
    test: {num_conversations: 4}
"""


def spoken(make_wav, folder, speaker, set, count=4):
    """Rows of spoken.jsonl, their wavs beside them."""
    rows = []
    for n in range(count):
        turns = []
        for role, seconds in (("user", 0.5 + 0.1 * n), ("agent", 0.9 + 0.2 * n)):
            wav = folder / f"wavs/{speaker}_{role}_{n}.wav"
            make_wav(wav, seconds, RATES[role], seed=n)
            turns.append({"role": role, "text": f"{role} {n}", "wav": str(wav)})
        rows.append(
            {
                "id": f"{speaker}_{n}",
                "set": set,
                "source": "qa",
                "speaker": speaker,
                "turns": turns,
            }
        )
    return rows


class Stage3:
    """Runs the scripts on a folder of its own."""

    def __init__(self, folder):
        self.folder = folder
        self.config = folder / "corpus.yaml"
        self.options = ["--config", str(self.config), "--local", str(folder / "local")]

    def draw(self):
        draw_conversations.main(self.options)

    def job(self, name, out, job=1, num_jobs=1):
        """Command line of one rendering job."""
        jobs = ["--job", str(job), "--num_jobs", str(num_jobs)]
        return [*self.options, "--set", name, "--out", str(out), *jobs]

    def collect(self, name, rendered):
        out = self.folder / "data" / name
        collect_set.main(
            [
                *self.options,
                *("--set", name, "--rendered", str(rendered), "--out", str(out)),
            ]
        )
        return out


@pytest.fixture
def stage3(tmp_path, make_wav):
    stage3 = Stage3(tmp_path)
    write_text(stage3.config, CORPUS)
    rows = [
        *spoken(make_wav, tmp_path, "ann", "train"),
        *spoken(make_wav, tmp_path, "bob", "train"),
        *spoken(make_wav, tmp_path, "cid", "test"),
    ]
    write_jsonl(tmp_path / "local/spoken.jsonl", rows)
    return stage3


def digests(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_data_folder_is_complete_and_valid(stage3):
    stage3.draw()
    render_conversations.main(stage3.job("train", stage3.folder / "rendering"))
    folder = stage3.collect("train", stage3.folder / "rendering")
    conversations = validate_folder(folder, 16000, 22050)
    assert len(conversations) == 24
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


def test_drawing_again_gives_the_same_bytes(stage3):
    stage3.draw()
    layouts = digests(stage3.folder / "local/layouts")
    assert set(layouts) == {"train.jsonl", "test.jsonl"}
    stage3.draw()
    assert digests(stage3.folder / "local/layouts") == layouts


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


def test_a_conversation_whose_speech_failed_is_left_out_and_reported(stage3, capsys):
    rows = read_jsonl(stage3.folder / "local/spoken.jsonl")
    lost = Path(rows[0]["turns"][0]["wav"])
    lost.unlink()
    failure = {"id": lost.stem, "reason": "the voice gave silence"}
    write_jsonl(stage3.folder / "local/clips/failed.user.1.jsonl", [failure])
    stage3.draw()
    left_out = read_jsonl(stage3.folder / "local/left_out.jsonl")
    assert left_out == [
        {
            "id": "ann_0",
            "reason": "a turn could not be spoken",
            "why": "the voice gave silence",
        }
    ]
    assert "1 conversations left out: a turn could not be spoken" in (
        capsys.readouterr().out
    )
    assert "user 0" not in [
        turn["text"]
        for layout in read_jsonl(stage3.folder / "local/layouts/train.jsonl")
        if layout["speaker"] == "ann"
        for turn in layout["conversation"]["turns"]
    ]


def test_a_wav_that_nobody_has_spoken_is_an_error(stage3):
    wav = Path(read_jsonl(stage3.folder / "local/spoken.jsonl")[0]["turns"][0]["wav"])
    wav.unlink()
    with pytest.raises(ValueError, match=f"{wav} is missing; run local/data.sh"):
        stage3.draw()


def test_turns_longer_than_the_limit_are_left_out(stage3):
    text = CORPUS.replace(
        "defaults:", "defaults:\n    turn_taking: {max_turn_seconds: 1.4}"
    )
    write_text(stage3.config, text)
    stage3.draw()
    left_out = read_jsonl(stage3.folder / "local/left_out.jsonl")
    assert {row["id"] for row in left_out} == {"ann_3", "bob_3", "cid_3"}
    assert left_out[0]["reason"] == "a turn is longer than 1.4 s"


def test_a_set_of_nothing_is_an_error(stage3):
    write_text(stage3.config, CORPUS.replace("test: {", "test: {scripts: open, "))
    with pytest.raises(ValueError, match="set test: no conversation .*'open'"):
        stage3.draw()


def with_sources(stage3, *sources):
    """Give the rows of spoken.jsonl these sources in turn."""
    path = stage3.folder / "local/spoken.jsonl"
    rows = read_jsonl(path)
    for number, row in enumerate(rows):
        row["source"] = sources[number % len(sources)]
    write_jsonl(path, rows)


def test_a_set_may_be_made_from_some_datasets_only(stage3):
    with_sources(stage3, "qa", "topic")
    train = "train: {sources: [topic]}"
    write_text(stage3.config, CORPUS.replace("train:", train))
    stage3.draw()
    for name, expected in (("train", {"topic"}), ("test", {"qa", "topic"})):
        layouts = read_jsonl(stage3.folder / f"local/layouts/{name}.jsonl")
        assert {layout["source"] for layout in layouts} == expected


def test_a_dataset_that_a_set_names_and_does_not_have_is_an_error(stage3):
    train = "train: {sources: [qa, topic]}"
    write_text(stage3.config, CORPUS.replace("train:", train))
    message = (
        "set train: no conversation of topic .* in the set 'train' .*there are of qa"
    )
    with pytest.raises(ValueError, match=message):
        stage3.draw()
    assert not (stage3.folder / "local/layouts").exists()


def test_what_is_left_out_is_listed_also_where_nothing_is_left(stage3):
    text = CORPUS.replace(
        "defaults:", "defaults:\n    turn_taking: {max_turn_seconds: 0.1}"
    )
    write_text(stage3.config, text)
    with pytest.raises(ValueError, match="set train: .* see left_out.jsonl"):
        stage3.draw()
    assert len(read_jsonl(stage3.folder / "local/left_out.jsonl")) == 12


def test_an_end_without_a_start_is_refused(stage3):
    path = stage3.folder / "local/spoken.jsonl"
    rows = read_jsonl(path)
    rows[0]["turns"][0]["end"] = 0.3
    write_jsonl(path, rows)
    message = "conversation ann_0: the user's turn 'user 0' ends at 0.3 s and has no"
    with pytest.raises(ValueError, match=message):
        stage3.draw()


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
    for conversation in validate_folder(folder, 16000, 22050):
        frames = conversation.duration * 12.5
        assert frames == pytest.approx(round(frames), abs=1e-6)
        assert np.isfinite(frames)
