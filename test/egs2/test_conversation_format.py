import json

import numpy as np
import pytest
import soundfile
from conversation_format import (
    main,
    read_conversations,
    read_unsplit,
    split_sets,
    write_conversations,
)
from hypothesis import given
from hypothesis import strategies as st

from espnet2_duplex.bin.cli import run_cli

USER = {"role": "user", "text": "What is tea?"}
AGENT = {"role": "agent", "text": "A hot drink."}


@pytest.fixture
def write(tmp_path):
    """Write the JSONL (dicts become lines of JSON) and return its path."""

    def write_lines(*rows):
        path = tmp_path / "own.jsonl"
        lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
        path.write_text("\n".join(lines))
        return path

    return write_lines


def conversation(id="c1", turns=(USER, AGENT), **fields):
    return {"id": id, "turns": list(turns), **fields}


@pytest.mark.parametrize(
    "row, message",
    [
        ("{oops", r"line 1 is not valid JSON .* write one JSON object a line"),
        ('"text"', r"line 1 holds a str; write one JSON object a line"),
        (conversation(id="a b"), r"line 1: the id is 'a b'; use letters"),
        (conversation(id=7), r"line 1: the id is 7"),
        (conversation(set="../up"), r"line 1: the set is '../up'"),
        (conversation(source="MS MARCO"), r"line 1: the source is 'MS MARCO'"),
        (conversation(licence=3), r"line 1, licence: the text is empty"),
        (conversation(topic="tea"), r"line 1: unknown keys \['topic'\]"),
        (conversation(turns=[]), r"line 1: it has no turns"),
        (conversation(turns=[USER]), r"line 1: it has no turn of the agent"),
        (conversation(turns=["hi"]), r"line 1, turn 0: found 'hi'"),
        (
            conversation(turns=[USER, {"role": "system", "text": "hi"}]),
            r"line 1, turn 1: the role is 'system'; write \"user\" or \"agent\"",
        ),
        (
            conversation(turns=[USER, {"role": ["agent"], "text": "hi"}]),
            r"line 1, turn 1: the role is \['agent'\]",
        ),
        (
            conversation(turns=[{"role": "user", "text": " "}, AGENT]),
            r"line 1, turn 0: the text is empty",
        ),
        (
            conversation(turns=[{"role": "user", "text": "\ud83d"}, AGENT]),
            r"line 1, turn 0: the text holds half of a surrogate pair",
        ),
        (
            conversation(turns=[{**USER, "begin": 1}, AGENT]),
            r"line 1, turn 0: unknown keys \['begin'\]",
        ),
        (
            conversation(turns=[{**USER, "start": -1}, AGENT]),
            r"line 1, turn 0: start is -1; give seconds from 0 on",
        ),
        (
            conversation(turns=[{**USER, "start": 2, "end": 1.5}, AGENT]),
            r"line 1, turn 0: it ends at 1.5 s and starts at 2 s",
        ),
        (
            conversation(turns=[{**USER, "end": 1.5}, AGENT]),
            r"line 1, turn 0: it ends at 1.5 s, but has no start; give it a start, too",
        ),
        (
            conversation(turns=[{**USER, "start": 2}, {**AGENT, "start": 1}]),
            r"line 1: the turns start at \[2, 1\] s; put them in order",
        ),
        (
            conversation(turns=[{**USER, "wav": "gone.wav"}, AGENT]),
            r"line 1, turn 0: .*gone.wav does not exist",
        ),
    ],
)
def test_a_faulty_line_is_named_in_one_sentence(write, row, message):
    with pytest.raises(ValueError, match=message) as caught:
        read_conversations(write(row))
    assert "\n" not in str(caught.value)


def test_all_faulty_lines_are_told_at_once(write):
    path = write(conversation(id=7), conversation("good"), "{oops", conversation("c d"))
    with pytest.raises(ValueError) as caught:
        read_conversations(path)
    lines = str(caught.value).split("\n")
    assert [line.partition("own.jsonl, ")[2][:6] for line in lines] == [
        "line 1",
        "line 3",
        "line 4",
    ]


def test_of_many_faulty_lines_twenty_are_told_and_the_rest_counted(write):
    with pytest.raises(ValueError) as caught:
        read_conversations(write(*["{oops"] * 23))
    lines = str(caught.value).split("\n")
    assert len(lines) == 21
    assert lines[-1] == "And 3 more lines have faults."


def test_each_faulty_line_is_a_line_on_the_screen(write, capsys):
    assert run_cli(main, [str(write("{oops", conversation(id=7)))]) == 1
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("error: ") and "line 1 is not valid JSON" in first
    assert "line 2: the id is 7" in second


def samples_of(fault):
    if fault == "empty":
        return np.zeros(0, np.float32), 16000
    if fault == "8 kHz":
        return np.zeros(800, np.float32), 8000
    return np.zeros((1600, 2), np.float32), 16000


@pytest.mark.parametrize(
    "fault, message",
    [
        ("empty", "has no samples"),
        ("8 kHz", "has 8000 Hz, but 16000 Hz are expected; resample"),
        ("stereo", "has 2 channels, but mono is expected"),
    ],
)
def test_a_faulty_wav_is_named_with_line_and_turn(write, tmp_path, fault, message):
    samples, rate = samples_of(fault)
    soundfile.write(tmp_path / "u.wav", samples, rate, subtype="FLOAT")
    row = conversation(turns=[{**USER, "wav": "u.wav"}, AGENT])
    with pytest.raises(ValueError, match=f"line 1, turn 0: .*u.wav {message}"):
        read_conversations(write(row))


def test_a_file_that_is_no_audio_is_an_error(write, tmp_path):
    (tmp_path / "u.wav").write_text("no audio")
    row = conversation(turns=[{**USER, "wav": "u.wav"}, AGENT])
    with pytest.raises(ValueError, match="turn 0: .*u.wav cannot be read as audio"):
        read_conversations(write(row))


def test_an_agents_wav_must_have_the_codecs_rate(write, tmp_path, make_wav):
    make_wav(tmp_path / "a.wav", 0.5, 16000)
    row = conversation(turns=[USER, {**AGENT, "wav": "a.wav"}])
    with pytest.raises(ValueError, match="turn 1: .*16000 Hz, but 22050 Hz"):
        read_conversations(write(row))


def test_a_wav_must_be_as_long_as_its_turn(write, tmp_path, make_wav):
    make_wav(tmp_path / "u.wav", 1.0, 16000)
    turn = {**USER, "wav": "u.wav", "start": 0.5}
    rows = [
        conversation(f"c{number}", [{**turn, "end": end}, AGENT])
        for number, end in enumerate((1.55, 1.61))
    ]
    with pytest.raises(ValueError, match="line 2, turn 0: it lasts 1.11 s") as caught:
        read_conversations(write(*rows))
    assert "line 1" not in str(caught.value)


def test_an_id_used_twice_is_an_error(write):
    path = write(conversation(), "", conversation())
    with pytest.raises(ValueError, match="line 3: the id c1 was used in .*line 1"):
        read_conversations(path)


def test_a_byte_that_is_not_utf8_is_named_with_its_line(write):
    path = write(conversation(), conversation("c2"))
    path.write_bytes(path.read_bytes().replace(b"tea", b"t\xe9", 1))
    with pytest.raises(ValueError, match="line 1 has the byte 0xe9"):
        read_conversations(path)


def test_a_file_without_training_is_an_error_only_where_sets_are_needed(write):
    path = write(conversation(set="valid"))
    with pytest.raises(ValueError, match="no conversation is in the set train"):
        read_conversations(path)
    assert [c.set for c in read_unsplit(path)] == ["valid"]


def test_conversations_without_a_set_are_split_by_their_ids(write):
    rows = [conversation(f"c{n}") for n in range(20)]
    sets = [c.set for c in read_conversations(write(*rows))]
    assert (sets.count("valid"), sets.count("test"), sets.count("train")) == (2, 2, 16)
    backwards = read_conversations(write(*rows[::-1]))
    assert [c.set for c in backwards] == sets[::-1]
    assert split_sets([]) == {}


@given(st.sets(st.text("abc0", min_size=1), min_size=3))
def test_every_held_out_set_gets_its_share_of_the_ids(ids):
    sets = list(split_sets(ids, {"valid": 0.02, "test": 0.1, "none": 0.0}).values())
    assert len(sets) == len(ids)
    assert sets.count("valid") == max(1, round(0.02 * len(ids)))
    assert sets.count("test") == max(1, round(0.1 * len(ids)))
    assert "none" not in sets


def test_what_is_written_is_read_back(tmp_path, make_wav):
    make_wav(tmp_path / "wav" / "u.wav", 1.0, 16000)
    turns = [
        {"role": "user", "text": "Some tea,\n  please.", "wav": "wav/u.wav"},
        {**USER, "start": 1.5, "end": 2.5},
        AGENT,
    ]
    names = {"source": "alpaca", "licence": "MIT", "origin": "é\u2028", "voice": "af_x"}
    path = tmp_path / "conversations.jsonl"
    write_conversations(path, [conversation(turns=turns, set="train", **names)])
    (found,) = read_unsplit(path)
    assert (found.id, found.set, found.source, found.licence, found.voice) == (
        "c1",
        "train",
        "alpaca",
        "MIT",
        "af_x",
    )
    assert found.origin == "é\u2028"
    assert [turn.role for turn in found.turns] == ["user", "user", "agent"]
    assert found.turns[0].text == "Some tea, please."
    assert found.turns[0].wav == tmp_path / "wav" / "u.wav"
    assert (found.turns[1].start, found.turns[1].end) == (1.5, 2.5)
    assert found.turns[2].wav is None


def test_a_speaker_is_heard_in_wavs(write, tmp_path, make_wav):
    make_wav(tmp_path / "u.wav", 1.0, 16000)
    own = {**USER, "wav": "u.wav"}
    path = write(conversation(turns=[own, AGENT, own, AGENT], speaker="anna-1"))
    (found,) = read_unsplit(path)
    assert found.speaker == "anna-1"
    (found,) = read_unsplit(write(conversation(turns=[AGENT], speaker="anna-1")))
    assert found.speaker == "anna-1"
    path = write(conversation(turns=[own, AGENT, USER, AGENT], speaker="anna-1"))
    told = "line 1: it has the speaker 'anna-1', but a user turn without a wav; give"
    with pytest.raises(ValueError, match=told):
        read_unsplit(path)
    path = write(conversation(turns=[own, AGENT], speaker="anna maria"))
    with pytest.raises(ValueError, match="the speaker is 'anna maria'; use letters"):
        read_unsplit(path)


def test_names_left_open_have_defaults(write):
    (found,) = read_unsplit(write(conversation()))
    assert (found.source, found.set, found.voice, found.licence) == ("own", "", "", "")


def test_the_script_checks_a_file_and_counts_its_sets(write, capsys):
    path = write(conversation(set="train"), conversation("c2", set="valid"))
    main([str(path)])
    assert "2 conversations, 1 in train, 1 in valid" in capsys.readouterr().out


def test_faulty_rows_are_not_written(tmp_path):
    path = tmp_path / "conversations.jsonl"
    path.write_text("old")
    rows = [conversation(turns=[USER]), conversation("c2"), conversation("c2")]
    with pytest.raises(ValueError) as caught:
        write_conversations(path, rows)
    first, second = str(caught.value).split("\n")
    assert "row 1: it has no turn of the agent" in first
    assert "row 3: the id c2 was used in" in second
    assert path.read_text() == "old"
