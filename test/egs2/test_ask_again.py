import json

import pytest
from ask_again import known_conversations, main
from conversation_format import read_conversations, read_texts


def conversation(number, set="train", **of_the_user):
    user = {"role": "user", "text": f"Question {number}?"} | of_the_user
    agent = {"role": "agent", "text": f"Answer {number}."}
    return {"id": f"q{number}", "source": "s", "turns": [user, agent], "set": set}


def test_every_fourth_training_conversation_is_asked_again(tmp_path):
    rows = [conversation(9, set="test"), *map(conversation, range(6))]
    path = tmp_path / "conversations.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    main([str(path), "--every", "4", "--out", str(tmp_path / "known.jsonl")])
    read = read_conversations(tmp_path / "known.jsonl")
    assert [(one.id, one.set) for one in read] == [
        *[("q0", "test_known"), ("q1", "train")],
        *[("q2", "valid"), ("q4", "test_known")],
    ]
    assert read[0].turns[0].text == "Question 0?"


@pytest.fixture
def write(tmp_path):
    """Write conversations and return the path."""

    def write_rows(*rows):
        path = tmp_path / "own.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path

    return write_rows


def test_recordings_are_left_out(write):
    path = write(conversation(0, wav="a.wav"), *map(conversation, range(1, 4)))
    asked = known_conversations(read_texts(path), 10)
    assert [row["id"] for row in asked] == ["q1", "q2", "q3"]


def test_conversations_without_a_set_are_split_as_everywhere(write, tmp_path):
    rows = [conversation(number) for number in range(20)]
    for row in rows:
        del row["set"]
    path = write(*rows)
    main([str(path), "--every", "4", "--out", str(tmp_path / "known.jsonl")])
    train = [one.id for one in read_conversations(path) if one.set == "train"]
    known = read_conversations(tmp_path / "known.jsonl")
    assert [one.id for one in known if one.set == "test_known"] == train[::4]
    assert len(train) == 16


def test_a_faulty_line_is_named(write, tmp_path):
    path = write(conversation(0))
    path.write_text(path.read_text() + "{oops\n")
    with pytest.raises(ValueError, match="own.jsonl, line 2 is not valid JSON"):
        main([str(path), "--out", str(tmp_path / "known.jsonl")])


def test_too_few_conversations_are_refused(write):
    path = write(conversation(0), conversation(1))
    with pytest.raises(ValueError, match="^2 conversations of the set train"):
        known_conversations(read_texts(path), 10)


def test_every_of_less_than_four_is_refused(tmp_path):
    with pytest.raises(ValueError, match="--every is 3"):
        main(["none", "--every", "3", "--out", str(tmp_path / "known.jsonl")])
