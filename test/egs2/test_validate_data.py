import json

import numpy as np
import pytest
import soundfile
import validate_data

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.data_folder import read_table, write_table

TURNS = [
    {"role": "user", "start": 0.1, "end": 0.4, "text": "hello"},
    {"role": "agent", "start": 0.5, "end": 0.9, "text": "hi"},
]


@pytest.fixture
def folder(tmp_path, make_wav):
    """A good data folder of one conversation of 0.96 s."""
    folder = tmp_path / "train"
    wavs = {
        "user": make_wav(tmp_path / "user.wav", 0.96, 16000),
        "agent": make_wav(tmp_path / "agent.wav", 0.96, 22050),
    }
    for role, path in wavs.items():
        write_table(folder / f"{role}.scp", {"c1": str(path)})
    write_table(folder / "turns", {"c1": json.dumps(TURNS)})
    write_table(folder / "utt2dur", {"c1": "0.96"})
    write_table(folder / "utt2spk", {"c1": "somebody"})
    return folder


def refusal(folder, capsys, *options):
    """The one line that the check prints; fails if it passes."""
    assert run_cli(validate_data.main, [str(folder), *options]) == 1
    lines = capsys.readouterr().err.splitlines()
    return [line for line in lines if line.startswith("error: ")][-1]


def test_a_good_folder_passes(folder, capsys):
    assert run_cli(validate_data.main, [str(folder)]) == 0
    assert "1 conversations, 1 s are good" in capsys.readouterr().out


def test_streams_of_different_length_are_named(folder, capsys, make_wav):
    make_wav(folder.parent / "user.wav", 1.5, 16000)
    assert "conversation c1: the user's wav lasts 1.52 s" in refusal(folder, capsys)


@pytest.mark.parametrize(
    "samples, rate, message",
    [
        (np.zeros(0), 16000, "user.wav has no samples"),
        (np.full(9, np.nan), 16000, "not finite numbers, the first at sample 0"),
        (np.zeros(960), 8000, "user.wav has 8000 Hz, but 16000 Hz are expected"),
        (np.zeros((960, 2)), 16000, "user.wav has 2 channels, but mono is expected"),
    ],
)
def test_faulty_user_audio_is_named(folder, capsys, samples, rate, message):
    soundfile.write(folder.parent / "user.wav", samples, rate, subtype="FLOAT")
    assert message in refusal(folder, capsys)


def test_a_file_that_is_no_audio_is_named(folder, capsys):
    (folder.parent / "user.wav").write_text("no audio")
    assert "user.wav cannot be read as audio" in refusal(folder, capsys)


def test_a_missing_wav_is_named(folder, capsys):
    (folder.parent / "agent.wav").unlink()
    assert "agent.wav does not exist" in refusal(folder, capsys)


@pytest.mark.parametrize(
    "turns, message",
    [
        ("[{", "conversation c1"),
        (json.dumps([{**TURNS[0], "role": "host"}]), "c1, turn 0"),
        (json.dumps([TURNS[1], {**TURNS[1], "start": 0.6}]), "must not overlap"),
        (json.dumps([{**TURNS[1], "end": 3.0}]), "c1, turn 0: it ends at 3.0 s, after"),
    ],
)
def test_faulty_turns_are_named(folder, capsys, turns, message):
    write_table(folder / "turns", {"c1": turns})
    assert message in refusal(folder, capsys)


@pytest.mark.parametrize("seconds, is_good", [("0.9", True), ("1.04", False), ("x", 0)])
def test_utt2dur_says_the_length_of_the_wavs(folder, capsys, seconds, is_good):
    write_table(folder / "utt2dur", {"c1": seconds})
    if is_good:
        assert run_cli(validate_data.main, [str(folder)]) == 0
    else:
        told = f"c1: utt2dur says {seconds} and its wavs last 0.96 s"
        assert told in refusal(folder, capsys)


@pytest.mark.parametrize(
    "events, message",
    [
        ("[{", "c1: its events are no valid JSON"),
        ('[{"kind": "noise", "start": 0.5, "end": 0.97}]', "noise from 0.5 s ends at"),
        ('[{"kind": "sneeze", "start": 0, "end": 1}]', "c1: an event reads"),
    ],
)
def test_faulty_events_are_named(folder, capsys, events, message):
    write_table(folder / "events", {"c1": events})
    assert message in refusal(folder, capsys)


@pytest.mark.parametrize("name", ["events", "utt2source"])
def test_what_is_there_has_the_same_ids(folder, capsys, name):
    write_table(folder / name, {"c2": "[]"})
    assert f"{name} lacks the conversation c1" in refusal(folder, capsys)


def test_a_strict_check_wants_an_agent_that_is_silent_outside_its_turns(folder, capsys):
    assert run_cli(validate_data.main, [str(folder)]) == 0
    told = refusal(folder, capsys, "--strict_agent")
    assert "c1: the agent's wav has sound at 0.000 s, outside its turns" in told
    agent = np.zeros(round(0.96 * 22050))
    agent[11025:19845] = 0.1  # from 0.5 to 0.9 s
    path = folder.parent / "agent.wav"
    for sample, code in ((None, 0), (11024, 1), (19845, 0), (19846, 1), (-1, 1)):
        stream = agent.copy()
        if sample is not None:
            stream[sample] = 0.1
        soundfile.write(path, stream, 22050, subtype="PCM_16")
        command = [str(folder), "--strict_agent"]
        assert run_cli(validate_data.main, command) == code, sample


def copies(folder, count):
    """Give all tables so many ids for the same wavs."""
    for name in ("user.scp", "agent.scp", "turns", "utt2dur", "utt2spk"):
        (value,) = read_table(folder / name).values()
        write_table(folder / name, {f"c{n:02d}": value for n in range(count)})


def test_up_to_twenty_faults_are_listed(folder, capsys):
    copies(folder, 23)
    (folder.parent / "agent.wav").unlink()
    assert run_cli(validate_data.main, [str(folder)]) == 1
    lines = capsys.readouterr().err.splitlines()
    faults = [line for line in lines if line.startswith("fault: ")]
    assert len(faults) == 20 and all("agent.wav does not" in line for line in faults)
    assert "has 23 faults, 20 of which are listed above" in lines[-1]


def test_jobs_share_the_conversations(folder, capsys):
    copies(folder, 5)
    for job, count in ((1, 3), (2, 2)):
        command = [str(folder), "--job", str(job), "--num_jobs", "2"]
        assert run_cli(validate_data.main, command) == 0
        assert f"{count} conversations" in capsys.readouterr().out
    assert "--job is 3 and" in refusal(folder, capsys, "--job", "3", "--num_jobs", "2")


def test_files_with_different_ids_are_named(folder, capsys):
    write_table(folder / "turns", {"c2": json.dumps(TURNS)})
    assert "lacks the conversation c1" in refusal(folder, capsys)


def test_a_missing_or_empty_table_is_named(folder, capsys):
    (folder / "utt2dur").write_text("")
    assert "utt2dur is empty" in refusal(folder, capsys)
    (folder / "utt2dur").unlink()
    assert "utt2dur does not exist" in refusal(folder, capsys)


def test_a_key_that_comes_twice_is_named(folder, capsys):
    (folder / "utt2spk").write_text("c1 a\nc1 b\n")
    assert "line 2 has the key c1 again" in refusal(folder, capsys)
