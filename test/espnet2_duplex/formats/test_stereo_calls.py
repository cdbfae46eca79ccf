import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from espnet2_duplex.formats.call_pieces import SilentPieces
from espnet2_duplex.formats.kaldi import read_kaldi
from espnet2_duplex.formats.listening import Listener, ListeningOptions
from espnet2_duplex.formats.registry import convert
from espnet2_duplex.formats.stereo_calls import StereoOptions, read_stereo
from espnet2_duplex.formats.stereo_writer import StereoWriter


@pytest.fixture
def calls(tmp_path, make_tones):
    """A folder with one call of 6 s at 8 kHz; left asks, right answers."""
    left = make_tones(6, 8000, (0.5, 1.5), (4.0, 5.0))
    right = make_tones(6, 8000, (2.0, 3.0))
    folder = tmp_path / "calls" / "monday"
    folder.mkdir(parents=True)
    soundfile.write(folder / "call.flac", np.stack([left, right], 1), 8000)
    return folder.parent


def told(recording):
    turns = recording.conversation.turns
    return [(t.role, round(t.start, 1), round(t.end, 1), t.text) for t in turns]


def test_agents_channel_is_an_option(calls, listener):
    options = StereoOptions(agent_channel="right")
    (recording,) = read_stereo(calls, listener, options)
    assert [turn[0] for turn in told(recording)] == ["user", "agent", "user"]
    (recording,) = read_stereo(calls, listener, StereoOptions(agent_channel="left"))
    assert [turn[0] for turn in told(recording)] == ["agent", "user", "agent"]
    left, right = soundfile.read(calls / "monday" / "call.flac", dtype="float32")[0].T
    np.testing.assert_array_equal(recording.agent.read(), left)
    np.testing.assert_array_equal(recording.user.read(), right)


def test_transcript_is_kept_and_read_by_the_next_run(calls, listener, tmp_path):
    options = StereoOptions(transcripts=tmp_path / "kept")
    list(read_stereo(calls, listener, options))
    correct(tmp_path / "kept" / "monday" / "call.json")
    # Listening the same way, but nobody has to.
    (recording,) = read_stereo(calls, Listener(listener.options), options)
    assert recording.conversation.turns[0].text == "corrected"


def correct(path):
    labels = json.loads(path.read_text())
    labels["turns"][0]["text"] = "corrected"
    path.write_text(json.dumps(labels))


def test_calls_of_one_name_have_their_own_transcripts(
    calls, listener, tmp_path, make_tones
):
    (calls / "tuesday").mkdir()
    other = np.stack([make_tones(6, 8000, (1.0, 2.0)), np.zeros(48000)], 1)
    soundfile.write(calls / "tuesday" / "call.flac", other, 8000)
    options = StereoOptions(transcripts=tmp_path / "kept")
    for _ in range(2):
        monday, tuesday = map(told, read_stereo(calls, listener, options))
        assert len(monday) == 3 and tuesday == [("agent", 1.0, 2.0, "12 tenths")]


def test_calls_of_a_list_have_their_own_transcripts(calls, listener, tmp_path):
    path = calls / "monday" / "call.flac"
    options = StereoOptions(transcripts=tmp_path / "kept")
    far = tmp_path / "lists" / "far.txt"
    far.parent.mkdir()
    for source in (calls / "near.txt", far):
        source.write_text(f"{path}\n")
        list(read_stereo(source, listener, options))
    kept = {
        p.relative_to(tmp_path / "kept") for p in (tmp_path / "kept").rglob("*.json")
    }
    below_root = path.with_suffix(".json").relative_to(path.anchor)
    assert kept == {Path("monday/call.json"), below_root}


def test_a_run_that_listens_otherwise_listens_again(calls, listener, tmp_path):
    for channel, first in (("left", "agent"), ("right", "user"), ("left", "agent")):
        options = StereoOptions(channel, transcripts=tmp_path / "kept")
        (recording,) = read_stereo(calls, listener, options)
        assert told(recording)[0][:2] == (first, 0.5)
    for gap, number in ((0.5, 3), (3.0, 2)):
        how = replace(listener.options, merge_gap_seconds=gap)
        ears = Listener(how, lambda model: lambda clips: ["word" for _ in clips])
        (recording,) = read_stereo(calls, ears, options)
        assert len(told(recording)) == number


def test_corrections_are_not_lost_by_listening_otherwise(calls, listener, tmp_path):
    options = StereoOptions(transcripts=tmp_path / "kept")
    list(read_stereo(calls, listener, options))
    path = tmp_path / "kept" / "monday" / "call.json"
    correct(path)
    found = refusal(calls, listener, replace(options, agent_channel="right"))
    assert f"{path} was corrected by hand" in found
    assert "agent_channel 'left', which is 'right' now" in found
    ears = Listener(ListeningOptions(vad="energy"))
    assert "asr_model 'counter', which is 'none' now" in refusal(calls, ears, options)


def test_a_transcript_written_by_hand_is_taken_as_it_is(calls, tmp_path, listener):
    path = tmp_path / "kept" / "monday" / "call.json"
    path.parent.mkdir(parents=True)
    turn = {"role": "agent", "start": 0.5, "end": 1.5, "text": "Hello?"}
    path.write_text(json.dumps({"turns": [turn]}))
    (recording,) = read_stereo(
        calls, listener, StereoOptions(transcripts=tmp_path / "kept")
    )
    assert told(recording) == [("agent", 0.5, 1.5, "Hello?")]


def test_a_call_in_which_nobody_speaks_is_a_problem(calls, listener):
    soundfile.write(calls / "silent.wav", np.zeros((8000, 2)), 8000)
    problems = []
    recordings = read_stereo(calls, listener, on_problem=problems.append)
    assert [recording.id for recording in recordings] == ["call"]
    assert "silent.wav: nobody speaks in it" in str(problems[0]) and len(problems) == 1


def test_silent_pieces_of_a_call_are_counted(calls, listener, make_tones):
    sound = np.stack(
        [make_tones(40, 8000, (1.0, 2.0), (38.0, 39.0)), np.zeros(320000)], 1
    )
    soundfile.write(calls / "monday" / "call.flac", sound, 8000)
    silence, options = SilentPieces(), StereoOptions(max_seconds=8.0)
    recordings = list(read_stereo(calls, listener, options, on_silence=silence.add))
    assert [len(told(recording)) for recording in recordings] == [1, 1]
    lost = 40 - sum(recording.conversation.duration for recording in recordings)
    assert f"pieces ({lost:.1f} s) in which nobody speaks" in silence.sentence()
    assert SilentPieces().sentence() == ""


@pytest.mark.parametrize("max_seconds", [0.0, 0.039, -5.0])
def test_pieces_shorter_than_a_frame_are_refused(max_seconds):
    with pytest.raises(ValueError, match="give --max_seconds at least a frame of 0.08"):
        StereoOptions(max_seconds=max_seconds)


def test_conversations_that_no_longer_come_are_removed(data, tmp_path):
    for number in (3, 1):
        recordings = list(read_kaldi(data))[:number]
        convert(recordings, StereoWriter(tmp_path / "calls"))
    names = {path.name for path in (tmp_path / "calls").glob("[a-z]*")}
    assert names == {"a.wav", "a.json"}


def test_transcript_beside_the_call_comes_first(calls):
    turn = {"role": "agent", "start": 0.5, "end": 1.5, "text": "Hello?"}
    (calls / "monday" / "call.json").write_text(json.dumps({"turns": [turn]}))
    (recording,) = read_stereo(calls, None)
    assert told(recording) == [("agent", 0.5, 1.5, "Hello?")]
    assert (recording.speaker, recording.events) == ("call", ())


def test_list_of_files_and_single_file_are_read(calls, listener, tmp_path):
    path = calls / "monday" / "call.flac"
    (tmp_path / "calls.txt").write_text(f"{path}\n\n")
    for source in (tmp_path / "calls.txt", path):
        assert [r.id for r in read_stereo(source, listener)] == ["call"]


def test_long_calls_are_cut_where_both_are_silent(calls, listener):
    options = StereoOptions(agent_channel="right", max_seconds=4.0)
    first, second = read_stereo(calls, listener, options)
    assert (first.id, second.id) == ("call_000", "call_001")
    # The silence from 3.0 to 4.0 s is cut in the middle, at a frame boundary.
    assert first.conversation.duration == 3.52
    assert told(first)[1] == ("agent", 2.0, 3.0, "12 tenths")
    assert told(second) == [("user", 0.5, 1.5, "12 tenths")]
    whole = soundfile.read(calls / "monday" / "call.flac", dtype="float32")[0]
    parts = [np.stack([r.user.read(), r.agent.read()], 1) for r in (first, second)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def refusal(*args):
    with pytest.raises(ValueError) as caught:
        list(read_stereo(*args))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_agents_without_words_are_refused_with_the_remedy(calls, deaf_listener):
    found = refusal(calls, deaf_listener)
    assert "call.flac: conversation call, turn 0: the agent's turn at 0.5 s" in found
    assert "--asr_model" in found


def test_mono_calls_are_refused(calls, listener):
    soundfile.write(calls / "monday" / "call.flac", np.zeros(8000), 8000)
    assert "call.flac has 1 channel(s); expected two" in refusal(calls, listener)


def test_calls_that_cannot_be_cut_are_refused(calls, listener):
    found = refusal(calls, listener, StereoOptions(max_seconds=0.4))
    assert "call.flac: somebody speaks all the time from 0.48 s on for 0.4 s" in found


def test_folder_and_list_without_calls_are_refused(tmp_path, listener):
    assert "has no sound files" in refusal(tmp_path, listener)
    found = refusal(tmp_path / "gone.txt", listener)
    assert "gone.txt does not exist; name a folder with calls" in found


def test_transcript_without_turns_is_refused(calls, listener):
    (calls / "monday" / "call.json").write_text("{}")
    assert 'call.json: it has no "turns"' in refusal(calls, listener)


def test_unknown_channel_is_refused():
    with pytest.raises(ValueError, match="the agent's channel is 'up'; expected one"):
        StereoOptions(agent_channel="up")
