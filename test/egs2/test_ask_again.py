import json

import pytest
from ask_again import known_conversations, main
from conversation_format import read_conversations


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


def test_recordings_are_left_out():
    rows = [conversation(0, wav="a.wav"), *map(conversation, range(1, 4))]
    asked = known_conversations(rows, 10)
    assert [row["id"] for row in asked] == ["q1", "q2", "q3"]


def test_too_few_conversations_are_refused():
    with pytest.raises(ValueError, match="^2 conversations of the set train"):
        known_conversations([conversation(0), conversation(1)], 10)


def test_every_of_less_than_four_is_refused(tmp_path):
    with pytest.raises(ValueError, match="--every is 3"):
        main(["none", "--every", "3", "--out", str(tmp_path / "known.jsonl")])
