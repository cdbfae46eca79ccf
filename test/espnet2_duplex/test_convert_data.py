"""The command line that converts corpora."""

import json

import numpy as np
import pytest
import soundfile

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.bin.convert_data import main
from espnet2_duplex.conversation import Turn, turns_to_json
from espnet2_duplex.data_folder import read_table, write_speakers, write_table
from espnet2_duplex.formats.registry import FORMATS

TURNS = [Turn("user", 0.1, 0.4, "Tea?"), Turn("agent", 0.5, 0.9, "Yes, tea.")]


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "train"
    for role, rate in (("user", 16000), ("agent", 22050)):
        path = tmp_path / f"{role}.wav"
        samples = np.random.default_rng(0).uniform(-0.1, 0.1, round(0.96 * rate))
        soundfile.write(path, samples, rate)
        write_table(folder / f"{role}.scp", {"a": str(path), "b": str(path)})
    write_table(folder / "turns", dict.fromkeys("ab", turns_to_json(TURNS)))
    write_speakers(folder, {"a": "sue", "b": "tom"})
    return folder


def convert(*args):
    return run_cli(main, [str(arg) for arg in args])


@pytest.mark.parametrize("first", FORMATS)
@pytest.mark.parametrize("second", FORMATS)
def test_each_format_converts_into_each(first, second, data, tmp_path, capsys):
    paths = [tmp_path / name for name in ("one", "two", "back")]
    steps = [
        ("kaldi", data),
        (first, paths[0]),
        (second, paths[1]),
        ("kaldi", paths[2]),
    ]
    for source, target in zip(steps, steps[1:]):
        assert convert("--from", *source, "--to", *target) == 0
    assert "back: 2 conversations, 0 left out" in capsys.readouterr().out
    for name in ("turns", "utt2spk"):
        assert read_table(paths[2] / name) == read_table(data / name)
    assert read_table(paths[2] / "utt2dur") == {"a": "0.96", "b": "0.96"}


def test_calls_become_a_data_folder(tmp_path, capsys):
    (tmp_path / "calls").mkdir()
    tone = 0.3 * np.sin(np.arange(8000) * 0.3)
    left = np.concatenate([np.zeros(8000), tone, np.zeros(8000)])
    for name, channels in (("in", [left, 0 * left]), ("out", [0 * left, left])):
        path = tmp_path / "calls" / f"{name}.wav"
        soundfile.write(path, np.stack(channels, 1), 8000)
    args = ["--from", "stereo", tmp_path / "calls", "--to", "kaldi", tmp_path / "mine"]
    args += ["--agent_channel", "right", "--vad", "energy"]
    # Without a recogniser, only the call in which the agent is silent can be used.
    assert convert(*args) == 1
    assert "out.wav: conversation out, turn 0: the agent's" in capsys.readouterr().err
    assert convert(*args, "--skip_faulty") == 0
    found = capsys.readouterr()
    assert "left out: " in found.err and "1 conversations, 1 left out" in found.out
    (turns,) = read_table(tmp_path / "mine" / "turns").values()
    assert json.loads(turns) == [
        {"role": "user", "start": 1.0, "end": 2.0, "text": ""},
    ]
    user = soundfile.info(read_table(tmp_path / "mine" / "user.scp")["in"])
    assert (user.samplerate, user.frames) == (16000, 48000)
    assert (tmp_path / "mine_transcripts" / "in.json").is_file()


def test_another_channel_of_the_agent_changes_the_sound(tmp_path):
    tone = 0.3 * np.sin(np.arange(8000) * 0.3)
    sound = np.stack([tone, 0.5 * tone], 1)
    (tmp_path / "calls").mkdir()
    soundfile.write(tmp_path / "calls" / "x.wav", sound, 8000)
    turn = {"role": "agent", "start": 0.1, "end": 0.9, "text": "Tea?"}
    (tmp_path / "calls" / "x.json").write_text(json.dumps({"turns": [turn]}))
    for name in ("kaldi", "moshi", "fdb", "stereo", "shar"):
        peaks = []
        for channel in ("left", "right"):
            args = ["--from", "stereo", tmp_path / "calls", "--to", name]
            args += [tmp_path / name, "--agent_channel", channel]
            assert convert(*args) == 0
            back = ("--from", name, tmp_path / name, "--to", "kaldi")
            args = [*back, tmp_path / f"{name}_{channel}", "--audio", "copy"]
            assert convert(*args, "--agent_channel", channel) == 0
            table = read_table(tmp_path / f"{name}_{channel}" / "agent.scp")
            peaks.append(np.abs(soundfile.read(table["x"])[0]).max())
        assert peaks == pytest.approx([0.3, 0.15], abs=0.02), name


def test_silent_pieces_of_calls_are_told(tmp_path, capsys):
    (tmp_path / "calls").mkdir()
    soundfile.write(tmp_path / "calls" / "x.wav", np.zeros((8000 * 20, 2)), 8000)
    turn = {"role": "user", "start": 0.1, "end": 0.9, "text": "Tea?"}
    (tmp_path / "calls" / "x.json").write_text(json.dumps({"turns": [turn]}))
    args = ["--from", "stereo", tmp_path / "calls", "--to", "fdb", tmp_path / "out"]
    assert convert(*args, "--max_seconds", "10") == 0
    found = capsys.readouterr().out
    assert "1 conversations, 0 left out; of the calls, " in found
    assert "in which nobody speaks left out" in found


def test_rates_and_shard_size_reach_the_writer(data, tmp_path):
    out = tmp_path / "out"
    args = ["--user_rate", 8000, "--shard_size", 1, "--encoding", "wav"]
    assert convert("--from", "kaldi", data, "--to", "shar", out, *args) == 0
    assert len(list(out.glob("cuts.*"))) == 2
    assert convert("--from", "shar", out, "--to", "stereo", tmp_path / "s") == 0
    assert soundfile.info(tmp_path / "s" / "a.wav").samplerate == 22050


@pytest.mark.parametrize(
    "source, target, message",
    [
        ("tapes", "shar", "the format is 'tapes'; expected one of kaldi, shar"),
        ("kaldi", "tapes", "the format is 'tapes'; expected one of kaldi, shar"),
    ],
)
def test_unknown_formats_are_refused(data, tmp_path, capsys, source, target, message):
    args = ("--from", source, data, "--to", target, tmp_path / "out")
    assert convert(*args) == 1
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    "option, value",
    [
        ("user_rate", "0"),
        ("agent_rate", "-5"),
        ("stereo_rate", "x"),
        ("shard_size", "0"),
    ],
)
def test_numbers_that_are_not_above_zero_are_refused(
    data, tmp_path, capsys, option, value
):
    args = ("--from", "kaldi", data, "--to", "shar", tmp_path / "out")
    with pytest.raises(SystemExit):
        convert(*args, f"--{option}={value}")
    message = f"--{option}: {value!r} was given; expected a whole number above zero"
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("name", FORMATS)
def test_target_that_is_a_file_or_inside_the_source_is_refused(
    name, data, tmp_path, capsys
):
    (tmp_path / "file").write_text("")
    assert convert("--from", "kaldi", data, "--to", name, tmp_path / "file") == 1
    assert "file is a file; give --to the path of a folder" in capsys.readouterr().err
    assert convert("--from", "kaldi", data, "--to", name, data / "new") == 1
    assert "is inside the source" in capsys.readouterr().err


@pytest.mark.parametrize("name", FORMATS)
def test_sources_that_are_not_there_are_told_without_stages(name, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    for source in ("empty", "nowhere"):
        args = ("--from", name, tmp_path / source, "--to", "kaldi", tmp_path / "out")
        assert convert(*args) == 1
        found = capsys.readouterr().err
        assert f"{tmp_path}/{source}" in found and "stage" not in found


def test_source_as_target_is_refused(data, capsys):
    assert convert("--from", "kaldi", data, "--to", "kaldi", data) == 1
    assert "is source and target" in capsys.readouterr().err


def test_conversations_of_the_same_name_are_refused(tmp_path, capsys):
    for folder in ("monday", "tuesday"):
        (tmp_path / "calls" / folder).mkdir(parents=True)
        path = tmp_path / "calls" / folder / "call.wav"
        soundfile.write(path, np.zeros((8000, 2)), 8000)
        turn = TURNS[0].to_dict()
        path.with_suffix(".json").write_text(json.dumps({"turns": [turn]}))
    out = tmp_path / "out"
    assert convert("--from", "stereo", tmp_path / "calls", "--to", "moshi", out) == 1
    assert "the conversation call comes twice" in capsys.readouterr().err


def test_nothing_to_convert_is_an_error(data, tmp_path, capsys):
    (tmp_path / "agent.wav").unlink()
    args = ("--from", "kaldi", data, "--to", "moshi", tmp_path / "out")
    assert convert(*args, "--skip_faulty") == 1
    assert "there is no conversation that could be conv" in capsys.readouterr().err
