import json

import numpy as np
import own_data
import pytest
import soundfile
from own_format import read_conversations, split_sets
from own_layout import lay_out_own
from validate_data import validate_folder

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


def trained_and_valid(**fields):
    """A good file of two conversations, the first with `fields`."""
    return conversation(set="train", **fields), conversation("c2", set="valid")


@pytest.mark.parametrize(
    "row, message",
    [
        ("{oops", r"line 1 is not valid JSON .* write one JSON object a line"),
        ('"text"', r"line 1: found no object"),
        (conversation(id="a b"), r"line 1: the id is 'a b'; use letters"),
        (conversation(id=7), r"line 1: the id is 7"),
        (conversation(set="../up"), r"line 1: the set is '../up'"),
        (conversation(turns=[]), r"line 1: it has no turns"),
        (conversation(turns=[USER]), r"line 1: it has no turn of the agent"),
        (conversation(turns=["hi"]), r"line 1, turn 0: found 'hi'"),
        (
            conversation(turns=[USER, {"role": "system", "text": "hi"}]),
            r"line 1, turn 1: the role is 'system'; write \"user\" or \"agent\"",
        ),
        (
            conversation(turns=[{"role": "user", "text": " "}, AGENT]),
            r"line 1, turn 0: the text is empty",
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
            conversation(turns=[{**USER, "wav": "gone.wav"}, AGENT]),
            r"line 1, turn 0: .*gone.wav does not exist",
        ),
    ],
)
def test_a_faulty_line_is_named_in_one_sentence(write, row, message):
    with pytest.raises(ValueError, match=message) as caught:
        read_conversations(write(row))
    assert "\n" not in str(caught.value)


def samples_of(fault):
    if fault == "empty":
        return np.zeros(0, np.float32), 16000
    if fault == "nan":
        return np.array([0.0, np.nan] * 100, np.float32), 16000
    if fault == "8 kHz":
        return np.zeros(800, np.float32), 8000
    return np.zeros((1600, 2), np.float32), 16000


@pytest.mark.parametrize(
    "fault, message",
    [
        ("empty", "has no samples"),
        ("nan", "has 100 samples that are not finite numbers, the first at sample 1"),
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


def test_an_agents_wav_must_have_the_codecs_rate(write, tmp_path, make_wav):
    make_wav(tmp_path / "a.wav", 0.5, 16000)
    row = conversation(turns=[USER, {**AGENT, "wav": "a.wav"}])
    with pytest.raises(ValueError, match="turn 1: .*16000 Hz, but 22050 Hz"):
        read_conversations(write(row))


def test_an_id_used_twice_is_an_error(write):
    path = write(conversation(), conversation())
    with pytest.raises(ValueError, match="line 2: the id c1 was used in .*line 1"):
        read_conversations(path)


def test_a_set_without_training_is_an_error(write):
    with pytest.raises(ValueError, match="no conversation is in the set train"):
        read_conversations(write(conversation(set="valid")))


def test_a_text_that_cannot_be_pronounced_is_an_error(write, tmp_path):
    turns = [{"role": "user", "text": "你好"}, AGENT]
    rows = trained_and_valid(turns=turns)
    with pytest.raises(ValueError, match="line 1, turn 0: .*cannot be pronounced"):
        own_data.plan(read_conversations(write(*rows)), tmp_path, 0)


def test_conversations_without_a_set_are_split_by_their_ids(write):
    rows = [conversation(f"c{n}") for n in range(20)]
    sets = [c.set for c in read_conversations(write(*rows))]
    assert (sets.count("valid"), sets.count("test"), sets.count("train")) == (2, 2, 16)
    backwards = read_conversations(write(*rows[::-1]))
    assert [c.set for c in backwards] == sets[::-1]
    assert split_sets([]) == {}


def test_turns_follow_each_other_where_no_start_is_given(write, tmp_path, make_wav):
    question = make_wav(tmp_path / "q.wav", 1.0, 16000)
    answer = make_wav(tmp_path / "a.wav", 2.0, 22050)
    rows = trained_and_valid(turns=[USER, AGENT, USER, AGENT])
    own = read_conversations(write(*rows))[0]
    layout = lay_out_own(own, [str(question), str(answer)] * 2, is_noisy=False)
    times = [(turn.role, turn.start, turn.end) for turn in layout.conversation.turns]
    assert times == [
        ("user", 0.5, 1.5),
        ("agent", 2.16, 4.16),  # the frame nearest to 2.14
        ("user", 4.94, 5.94),
        ("agent", 6.56, 8.56),
    ]


def test_a_start_inside_an_answer_is_a_barge_in(write, tmp_path, make_wav):
    question = make_wav(tmp_path / "q.wav", 1.0, 16000)
    answer = make_wav(tmp_path / "a.wav", 2.0, 22050)
    turns = [USER, AGENT, {**USER, "start": 3.0}, AGENT]
    own = read_conversations(write(*trained_and_valid(turns=turns)))[0]
    layout = lay_out_own(own, [str(question), str(answer)] * 2, is_noisy=False)
    assert layout.conversation.agent_turns[0].end == pytest.approx(3.64)


def test_an_end_behind_the_audio_is_an_error(write, tmp_path, make_wav):
    question = make_wav(tmp_path / "q.wav", 1.0, 16000)
    turns = [{**USER, "start": 0.0, "end": 9.0}, AGENT]
    own = read_conversations(write(*trained_and_valid(turns=turns)))[0]
    with pytest.raises(ValueError, match=r"turn 0: it ends at 9.0 s, but its audio"):
        lay_out_own(own, [str(question)] * 2, is_noisy=False)


def test_overlapping_turns_of_one_role_are_an_error(write, tmp_path, make_wav):
    question = make_wav(tmp_path / "q.wav", 1.0, 16000)
    turns = [{**USER, "start": 0.0}, {**USER, "start": 0.5}, AGENT]
    own = read_conversations(write(*trained_and_valid(turns=turns)))[0]
    with pytest.raises(ValueError, match="line 1: .*must not overlap"):
        lay_out_own(own, [str(question)] * 3, is_noisy=False)


def test_own_wavs_go_through_all_three_steps(write, tmp_path, make_wav, capsys):
    make_wav(tmp_path / "q.wav", 0.7, 16000)
    make_wav(tmp_path / "a.wav", 0.9, 22050)
    turns = [{**USER, "wav": "q.wav"}, {**AGENT, "wav": "a.wav"}]
    path = write(*[conversation(f"c{n}", turns=turns) for n in range(4)])
    folders = ["--local", str(tmp_path / "local"), "--out", str(tmp_path / "data")]
    for step in ("plan", "codec", "sets"):
        own_data.main(["--step", step, "--conversations", str(path), *folders])
    assert (tmp_path / "local" / "clips" / "own.jsonl").read_text() == ""
    (found,) = validate_folder(tmp_path / "data" / "valid", 16000, 22050)
    agent = found.agent_turns[0]
    assert agent.end - agent.start == pytest.approx(0.98, abs=1e-4)  # lead and audio
    assert len((tmp_path / "data/codec_train/wav.scp").read_text().splitlines()) == 2
