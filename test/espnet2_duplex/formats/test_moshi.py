import json

import numpy as np
import pytest
import soundfile

from espnet2_duplex.formats.kaldi import read_kaldi
from espnet2_duplex.formats.listening import Listener, ListeningOptions
from espnet2_duplex.formats.moshi import MoshiOptions, MoshiWriter, read_moshi
from espnet2_duplex.formats.registry import convert

WORDS = [
    ["Hi", [0.5, 0.7], "SPEAKER_MAIN"],
    ["there.", [0.8, 1.0], "SPEAKER_MAIN"],
    ["Bye.", [2.0, 2.0], "SPEAKER_MAIN"],
]


@pytest.fixture
def talk(tmp_path, make_tones):
    """A data set of one wav as annotate.py leaves it; the user speaks at 1.2 s."""
    left = make_tones(3, 24000, (0.5, 1.0), (2.0, 2.3))
    right = make_tones(3, 24000, (1.2, 1.8))
    soundfile.write(tmp_path / "x.wav", np.stack([left, right], 1), 24000)
    row = {"path": "x.wav", "duration": 3.0}
    (tmp_path / "talk.jsonl").write_text(json.dumps(row) + "\n")
    annotate(tmp_path, WORDS)
    return tmp_path


def annotate(folder, words):
    (folder / "x.json").write_text(json.dumps({"alignments": words}))


def test_left_is_the_agent_and_its_words_become_turns(talk, listener):
    (recording,) = read_moshi(talk, listener)
    assert [(t.start, t.end, t.text) for t in recording.conversation.agent_turns] == [
        (0.5, 1.0, "Hi there."),
        (2.0, 2.02, "Bye."),  # a word of no length gets the shortest turn
    ]
    left, right = soundfile.read(talk / "x.wav", dtype="float32")[0].T
    np.testing.assert_array_equal(recording.agent.read(), left)
    np.testing.assert_array_equal(recording.user.read(), right)


def test_the_users_turns_are_heard(talk, listener, deaf_listener):
    for ears, text in ((listener, "8 tenths"), (deaf_listener, "")):
        (recording,) = read_moshi(talk / "talk.jsonl", ears)
        (turn,) = recording.conversation.user_turns
        assert (turn.start, turn.end, turn.text) == (1.2, 1.8, text)


def test_words_of_the_other_speaker_are_the_users_turns(talk, listener):
    annotate(talk, [*WORDS, ["No", [1.3, 1.5], "SPEAKER_OTHER"]])
    (recording,) = read_moshi(talk, listener)
    assert [(t.start, t.text) for t in recording.conversation.user_turns] == [
        (1.3, "No")
    ]


def test_word_gap_decides_where_a_turn_ends(talk, listener):
    (recording,) = read_moshi(talk, listener, MoshiOptions(word_gap_seconds=1.0))
    (turn,) = recording.conversation.agent_turns
    assert turn.text == "Hi there. Bye."


def test_export_is_what_moshi_finetune_reads(data, tmp_path):
    convert(read_kaldi(data), MoshiWriter(tmp_path / "moshi"))
    rows = (tmp_path / "moshi" / "data.jsonl").read_text().splitlines()
    assert json.loads(rows[0]) == {"path": "data_stereo/a.wav", "duration": 2.4}
    info = soundfile.info(tmp_path / "moshi" / "data_stereo" / "a.wav")
    assert (info.channels, info.samplerate, info.frames) == (2, 24000, 57600)
    content = json.loads((tmp_path / "moshi/data_stereo/a.json").read_text())
    assert content["alignments"] == [
        # The user cuts this turn; the other one has 0.2 s a word, so that three words
        # had time. 3 of their 12 characters in 0.700001 s:
        ["Ein", [1.0, 1.175], "SPEAKER_MAIN"],
        ["Getränk,", [1.175, 1.641667], "SPEAKER_MAIN"],
        ["a", [1.641667, 1.700001], "SPEAKER_MAIN"],
        ["Yes.", [2.2, 2.4], "SPEAKER_MAIN"],
    ]


def test_words_that_a_barge_in_cut_off_are_in_our_key_only(data, tmp_path, listener):
    convert(read_kaldi(data), MoshiWriter(tmp_path / "moshi"))
    text = "Ein Getränk, a drink."
    recording = next(read_moshi(tmp_path / "moshi", listener))
    assert recording.conversation.agent_turns[0].text == text


@pytest.mark.parametrize(
    "heard, kinds", [("", ["noise"]), ("uh-huh", ["backchannel"]), ("no, it is", [])]
)
def test_coughs_and_backchannels_of_the_user_are_events(talk, heard, kinds):
    options = ListeningOptions(vad="energy", asr_model="fixed")
    ears = Listener(options, lambda model: lambda clips: [heard for _ in clips])
    words = [f"w{n}" for n in range(10)]
    spans = [[0.5 + n / 4, 0.7 + n / 4] for n in range(10)]
    annotate(talk, [[w, span, "SPEAKER_MAIN"] for w, span in zip(words, spans)])
    (recording,) = read_moshi(talk, ears)
    assert [event.kind for event in recording.events] == kinds
    assert len(recording.conversation.user_turns) == 1 - len(kinds)


def test_conversations_that_no_longer_come_are_removed(data, tmp_path):
    for number in (3, 1):
        recordings = list(read_kaldi(data))[:number]
        convert(recordings, MoshiWriter(tmp_path / "moshi"))
    names = {path.name for path in (tmp_path / "moshi" / "data_stereo").iterdir()}
    assert names == {"a.wav", "a.json"}


def refusal(folder, listener):
    with pytest.raises(ValueError) as caught:
        list(read_moshi(folder, listener))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_mono_wav_is_refused(talk, listener):
    soundfile.write(talk / "x.wav", np.zeros(72000), 24000)
    assert "x.wav has 1 channel(s); expected two" in refusal(talk, listener)


def test_missing_files_are_named(talk, listener):
    (talk / "x.json").unlink()
    assert f"{talk}/x.json does not exist" in refusal(talk, listener)
    (talk / "x.wav").unlink()
    assert f"{talk}/x.wav does not exist" in refusal(talk, listener)
    (talk / "talk.jsonl").unlink()
    assert "has 0 .jsonl files" in refusal(talk, listener)


@pytest.mark.parametrize(
    "words, message",
    [
        ([["Hi", [0, 1], "SPEAKER_3"]], "the speaker of 'Hi' is 'SPEAKER_3'"),
        ([["Hi", [1, 0], "SPEAKER_MAIN"]], r"the word 'Hi' has the times [1, 0]"),
        ([["Hi", [0, 1]]], "expected [word, [start, end], speaker]"),
        ([["Hi", [3, 4], "SPEAKER_MAIN"]], "after the end of the conversation at 3.04"),
        (None, 'it has no "alignments"'),
    ],
)
def test_faulty_annotations_are_refused(talk, listener, words, message):
    annotate(talk, words)
    found = refusal(talk, listener)
    assert message in found and f"{talk}/x.json" in found


def test_annotation_that_is_not_utf_8_is_refused(talk, listener):
    (talk / "x.json").write_bytes('{"alignments": ["ä"]}'.encode("latin-1"))
    assert "x.json, line 1 has the byte 0xe4" in refusal(talk, listener)


def test_lines_without_a_path_are_refused(talk, listener):
    (talk / "talk.jsonl").write_text('{"wav": "x.wav"}\n')
    assert "talk.jsonl, entry 1 reads {'wav': 'x.wav'}" in refusal(talk, listener)
