"""Turns, conversations and the paper's operations on them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from espnet2_duplex.conversation import (
    Conversation,
    Turn,
    turns_from_json,
    turns_to_json,
)

# Turns and conversations


@pytest.mark.parametrize(
    "fields, message",
    [
        (("assistant", 0, 1, ""), "role is 'assistant'; expected one of user, agent"),
        (("user", 1.0, 1.0, ""), "start from 0 on"),
        (("user", -0.1, 1.0, ""), "start from 0 on"),
        (("user", 2.0, 1.0, ""), "spans 2.0 to 1.0 s"),
        (("user", "0", 1.0, ""), "expected numbers"),
        (("user", True, 2.0, ""), "expected numbers"),
        (("user", 0.0, float("nan"), ""), "finite"),
        (("user", 0.0, float("inf"), ""), "finite"),
        (("user", 0.0, 1.0, None), "expected a string"),
    ],
)
def test_invalid_turn_is_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        Turn(*fields)


def test_conversation_may_have_both_speak_at_once():
    turns = (Turn("agent", 0.0, 2.0, "a"), Turn("user", 1.0, 3.0, "b"))
    conversation = Conversation("c1", turns, 3.0)
    assert conversation.agent_turns == turns[:1]
    assert conversation.user_turns == turns[1:]


@pytest.mark.parametrize(
    "turns, message",
    [
        ([("user", 1, 2), ("agent", 0.5, 3)], "conversation c1, turn 1: .*sort"),
        (
            [("agent", 0, 2), ("user", 1, 3), ("agent", 1.9, 4)],
            "conversation c1, turn 2: .*one role must not overlap",
        ),
        ([("user", 0, 1), ("agent", 2, 5.1)], "conversation c1, turn 1: .*lengthen"),
    ],
)
def test_conversation_error_names_conversation_and_turn(turns, message):
    turns = tuple(Turn(role, start, end, "x") for role, start, end in turns)
    with pytest.raises(ValueError, match=message):
        Conversation("c1", turns, 5.0)


def test_conversation_must_last():
    with pytest.raises(ValueError, match="conversation c1 lasts 0"):
        Conversation("c1", (), 0)


def test_turns_may_touch_each_other_and_the_end():
    turns = (Turn("agent", 0, 0.1 + 0.2, "a"), Turn("agent", 0.3, 0.7, "b"))
    Conversation("c1", turns, 0.7)  # 0.1 + 0.2 > 0.3 in floats


# JSON


def test_turns_are_written_on_one_line():
    text = turns_to_json([Turn("user", 0.5, 1.0, "größer\nals")])
    assert "\n" not in text and "größer" in text
    assert json.loads(text) == [
        {"role": "user", "start": 0.5, "end": 1.0, "text": "größer\nals"}
    ]


@pytest.mark.parametrize(
    "text, message",
    [
        ("[{", "conversation c1: its turns are no valid JSON"),
        ("{}", "conversation c1: .*expected a list"),
        ("[3]", "conversation c1, turn 0: it reads 3"),
        ('[{"role": "user"}]', "conversation c1, turn 0: .*role, start, end, text"),
        (
            '[{"role": "bot", "start": 0, "end": 1, "text": ""}]',
            "conversation c1, turn 0: the role is 'bot'",
        ),
        (
            '[{"role": "user", "start": NaN, "end": 1, "text": ""}]',
            "conversation c1, turn 0: .*finite",
        ),
        (
            '[{"role": "user", "start": 0, "end": 2, "text": ""},'
            ' {"role": "user", "start": 1, "end": 3, "text": ""}]',
            "conversation c1, turn 1: .*overlap",
        ),
    ],
)
def test_invalid_json_error_names_conversation_and_turn(text, message):
    with pytest.raises(ValueError, match=message) as caught:
        turns_from_json(text, "c1")
    assert "\n" not in str(caught.value)


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0.1, 5), st.text()), max_size=4))
def test_turns_survive_json(pieces):
    turns, now = [], 0.0
    for silence, length, text in pieces:
        turns.append(Turn("agent", now + silence, now + silence + length, text))
        now = turns[-1].end
    assert turns_from_json(turns_to_json(turns), "c1") == tuple(turns)
