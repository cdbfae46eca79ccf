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


def with_overlaps(stage3, count):
    """Give the first conversations of ann an agent who talks over an open user turn."""
    path = stage3.folder / "local/spoken.jsonl"
    rows = read_jsonl(path)
    for row in rows[:count]:
        row["turns"][0]["start"], row["turns"][1]["start"] = 0.0, 0.2
    write_jsonl(path, rows)


def test_a_conversation_that_cannot_be_laid_out_is_left_out_and_the_others_go_on(
    stage3, capsys
):
    with_overlaps(stage3, 1)
    stage3.draw()
    (row,) = read_jsonl(stage3.folder / "local/left_out.jsonl")
    assert (row["id"], row["reason"]) == ("ann_0", "it cannot be laid out")
    assert "the agent's turn 'agent 0' starts at 0.2 s, before the user's" in row["why"]
    layouts = read_jsonl(stage3.folder / "local/layouts/train.jsonl")
    assert len(layouts) == 21  # of eight scripts, each three times
    numbers = [int(layout["conversation"]["id"][-6:]) for layout in layouts]
    assert sorted(set(range(24)) - set(numbers)) != [21, 22, 23]
    assert "train: 21 conversations" in capsys.readouterr().out


def test_many_conversations_that_cannot_be_laid_out_are_an_error(stage3):
    with_overlaps(stage3, 2)
    message = (
        "set train: 6 of 24 conversations cannot be laid out, the first because of "
        "this: conversation ann-train_.*left_out.jsonl"
    )
    with pytest.raises(ValueError, match=message):
        stage3.draw()
    left_out = read_jsonl(stage3.folder / "local/left_out.jsonl")
    assert sorted(row["id"] for row in left_out) == ["ann_0", "ann_1"]
    assert (stage3.folder / "local/layouts/test.jsonl").is_file()


IMPATIENT = "test: {turn_taking: {impatient: true}, "


def test_an_impatient_set_takes_only_what_has_a_silence_to_halve(stage3):
    path = stage3.folder / "local/spoken.jsonl"
    rows = read_jsonl(path)
    rows[-1]["speaker"] = "dan"  # alone with one exchange
    write_jsonl(path, rows)
    write_text(stage3.config, CORPUS.replace("test: {", IMPATIENT))
    stage3.draw()
    assert read_jsonl(stage3.folder / "local/left_out.jsonl") == [
        {"id": "cid_3", "reason": "no user turn follows an answer, as test needs it"}
    ]
    layouts = read_jsonl(stage3.folder / "local/layouts/test.jsonl")
    assert {layout["speaker"] for layout in layouts} == {"cid"}


@pytest.mark.parametrize("more", ["num_exchanges: {1: 1}, ", "like: one, "])
def test_an_impatient_set_without_silences_to_halve_is_an_error(stage3, more):
    text = CORPUS.replace("test: {", IMPATIENT + more)
    one = "    one: {scripts: test, num_exchanges: {1: 1}}\n"
    write_text(stage3.config, text + one)
    with pytest.raises(ValueError, match="set test: no .*turn_taking.impatient halves"):
        stage3.draw()


def test_a_set_that_is_like_another_has_its_conversations(stage3):
    like = "    hasty: {like: test, turn_taking: {impatient: true}}\n"
    write_text(stage3.config, CORPUS + like)
    stage3.draw()
    one, two = (
        [
            (layout["conversation"]["id"], [t["text"] for t in turns])
            for layout in read_jsonl(stage3.folder / f"local/layouts/{name}.jsonl")
            for turns in [layout["conversation"]["turns"]]
        ]
        for name in ("test", "hasty")
    )
    assert one == two and len(one) == 4


def test_it_is_printed_what_could_not_be_had(stage3, capsys):
    text = CORPUS.replace("{1: 0.5, 2: 0.5}", "{9: 1}")
    write_text(stage3.config, text)
    stage3.draw()
    assert (
        "train: 24 of 24 conversations of several exchanges could not be had: too few "
        "others of qa in the same voice\n"
    ) in capsys.readouterr().out


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
