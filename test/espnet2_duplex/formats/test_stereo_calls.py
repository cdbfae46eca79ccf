import json

import numpy as np
import pytest
import soundfile

from espnet2_duplex.formats.stereo_calls import StereoOptions, read_stereo


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
    path = tmp_path / "kept" / "call.json"
    labels = json.loads(path.read_text())
    labels["turns"][0]["text"] = "corrected"
    path.write_text(json.dumps(labels))
    (recording,) = read_stereo(calls, None, options)  # nobody listens any more
    assert recording.conversation.turns[0].text == "corrected"


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
    assert "gone.txt does not exist" in refusal(tmp_path / "gone.txt", listener)


def test_transcript_without_turns_is_refused(calls, listener):
    (calls / "monday" / "call.json").write_text("{}")
    assert 'call.json: it has no "turns"' in refusal(calls, listener)


def test_unknown_channel_is_refused():
    with pytest.raises(ValueError, match="the agent's channel is 'up'; expected one"):
        StereoOptions(agent_channel="up")
