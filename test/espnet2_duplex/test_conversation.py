"""Turns, conversations and the paper's operations on them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from espnet2_duplex.conversation import (
    CUT_SECONDS,
    GAP_SECONDS,
    Conversation,
    Exchange,
    Turn,
    impatient,
    lay_out,
    turns_from_json,
    turns_to_json,
)

EXCHANGE = Exchange("why?", "because.", question_seconds=1.0, answer_seconds=3.0)


def spans(conversation, role):
    turns = {"user": conversation.user_turns, "agent": conversation.agent_turns}[role]
    return [(turn.start, turn.end) for turn in turns]


def two_exchanges(pause_seconds):
    return lay_out(
        "c1",
        [EXCHANGE, EXCHANGE],
        lead_seconds=0.5,
        pauses_seconds=[pause_seconds],
        tail_seconds=1.0,
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


# Laying out (Sec. 4)


def test_agent_speaks_a_gap_after_the_user():
    conversation = lay_out(
        "c1", [EXCHANGE], lead_seconds=0.5, pauses_seconds=[], tail_seconds=1.0
    )
    assert conversation == Conversation(
        "c1",
        (Turn("user", 0.5, 1.5, "why?"), Turn("agent", 2.14, 5.14, "because.")),
        6.14,
    )


def test_pause_counts_from_the_end_of_the_answer():
    conversation = two_exchanges(pause_seconds=0.8)
    assert spans(conversation, "user") == [(0.5, 1.5), (5.94, 6.94)]
    assert spans(conversation, "agent") == [(2.14, 5.14), (7.58, 10.58)]
    assert conversation.duration == 11.58


def test_barge_in_cuts_the_agent_after_the_onset():
    conversation = two_exchanges(pause_seconds=-1.0)
    assert spans(conversation, "user") == [(0.5, 1.5), (4.14, 5.14)]
    assert spans(conversation, "agent") == [(2.14, 4.78), (5.78, 8.78)]
    assert conversation.agent_turns[0].text == "because."


def test_cut_never_lengthens_an_answer():
    conversation = two_exchanges(pause_seconds=-0.3)
    assert spans(conversation, "agent")[0] == (2.14, 5.14)


def test_turns_stay_sorted_when_they_overlap():
    starts = [turn.start for turn in two_exchanges(-1.0).turns]
    assert starts == sorted(starts)


@pytest.mark.parametrize("pauses", [[], [0.5, 0.5]])
def test_number_of_pauses_must_fit(pauses):
    with pytest.raises(ValueError, match="conversation c1: 2 exchanges"):
        lay_out(
            "c1",
            [EXCHANGE, EXCHANGE],
            lead_seconds=0.5,
            pauses_seconds=pauses,
            tail_seconds=1.0,
        )


def test_user_cannot_barge_in_before_the_agent_speaks():
    with pytest.raises(ValueError, match="conversation c1: a pause of -3.0 s"):
        two_exchanges(pause_seconds=-3.0)


# Impatient users (Sec. 5.2)


def test_impatient_halves_the_silence_between_user_turns():
    patient = two_exchanges(pause_seconds=0.8)  # user is silent from 1.5 to 5.94 s
    hurried = impatient(patient, "c2")
    assert hurried.id == "c2"
    assert spans(hurried, "user") == [(0.5, 1.5), (3.72, 4.72)]
    assert spans(hurried, "agent") == [(2.14, 4.36), (5.36, 8.36)]
    assert hurried.duration == pytest.approx(patient.duration - 2.22)


def test_impatient_user_waits_for_the_answer_to_begin():
    short = Exchange("why?", "so.", question_seconds=1.0, answer_seconds=0.4)
    patient = lay_out(
        "c1",
        [short, short],
        lead_seconds=0.0,
        pauses_seconds=[0.0],
        tail_seconds=1.0,
    )
    hurried = impatient(patient, "c2")
    assert spans(hurried, "user") == [(0.0, 1.0), (1.64, 2.64)]
    assert spans(hurried, "agent")[0] == (1.64, 2.04)  # too short to be cut


def test_impatient_leaves_a_single_exchange_alone():
    patient = lay_out(
        "c1", [EXCHANGE], lead_seconds=0.5, pauses_seconds=[], tail_seconds=1.0
    )
    assert impatient(patient, "c1") == patient


exchanges = st.builds(
    Exchange, st.just("q"), st.just("a"), st.floats(0.3, 4), st.floats(0.3, 9)
)


@given(st.lists(exchanges, min_size=1, max_size=4), st.data())
def test_operations_keep_their_promises(exchange_list, data):
    pauses = [
        data.draw(st.floats(-0.9 * exchange.answer_seconds, 3.0))
        for exchange in exchange_list[:-1]
    ]
    patient = lay_out(
        "c1", exchange_list, lead_seconds=0.4, pauses_seconds=pauses, tail_seconds=1.0
    )
    hurried = impatient(patient, "c2")
    for conversation in (patient, hurried):
        users, agents = conversation.user_turns, conversation.agent_turns
        assert len(users) == len(agents) == len(exchange_list)
        for user, agent in zip(users, agents):
            assert agent.start - user.end == pytest.approx(GAP_SECONDS, abs=2e-6)
        for agent, user in zip(agents, users[1:]):
            assert agent.end <= user.start + CUT_SECONDS + 2e-6
    for agent, was in zip(hurried.agent_turns, patient.agent_turns):
        assert agent.end - agent.start <= was.end - was.start + 2e-6
