"""Gaps, pauses, overlaps and barge-ins of conversations worked out by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from espnet2_duplex.conversation import Conversation, Turn
from espnet2_duplex.metrics.data_report.floor_changes import (
    agent_interruptions,
    barge_ins,
    gaps,
    num_exchanges,
    overlaps_seconds,
    pauses,
)


def conversation(*spans, duration=60.0):
    """A conversation of turns such as ("user", 1.0, 2.0)."""
    turns = sorted((Turn(*span, text="x") for span in spans), key=lambda t: t.start)
    return Conversation("c", tuple(turns), duration)


def seconds(silences):
    return [silence.seconds for silence in silences]


INTERRUPTED = conversation(
    ("user", 1.0, 2.0),
    ("agent", 2.64, 6.64),
    ("user", 6.0, 8.0),
    ("agent", 8.64, 10.0),
    ("user", 11.5, 12.0),
)


def test_gap_and_pause_lie_between_turns_of_different_roles():
    assert seconds(gaps(INTERRUPTED)) == [0.64, 0.64]
    assert seconds(pauses(INTERRUPTED)) == [1.5]  # the barge-in follows no silence


def test_cut_is_what_the_agent_says_after_the_onset():
    (event,) = barge_ins(INTERRUPTED)
    assert (event.user.start, event.agent.start) == (6.0, 2.64)
    assert event.cut_seconds == 0.64
    assert overlaps_seconds(INTERRUPTED) == [0.64]
    assert agent_interruptions(INTERRUPTED) == []


def test_agent_that_begins_while_the_user_speaks_interrupts_and_has_no_gap():
    whole = conversation(("user", 0.5, 1.0), ("user", 2.0, 4.0), ("agent", 3.0, 5.0))
    (event,) = agent_interruptions(whole)
    assert event.agent.start == 3.0
    assert gaps(whole) == [] and barge_ins(whole) == []
    assert overlaps_seconds(whole) == [1.0]


def test_second_answer_in_a_row_has_no_gap():
    whole = conversation(("user", 0.0, 1.0), ("agent", 1.5, 2.0), ("agent", 9.0, 9.5))
    assert seconds(gaps(whole)) == [0.5]


def test_user_who_says_a_word_into_an_answer_is_answered_after_it():
    whole = conversation(
        ("user", 0.0, 1.0), ("agent", 2.0, 5.0), ("user", 4.36, 4.6), ("agent", 5.24, 6)
    )
    assert seconds(gaps(whole)) == [1.0, 0.64]
    assert [event.cut_seconds for event in barge_ins(whole)] == [0.64]


@pytest.mark.parametrize(
    "onset, is_barge_in", [(1.999, False), (2.0, True), (2.999, True), (3.0, False)]
)
def test_barge_in_begins_inside_the_agent_turn(onset, is_barge_in):
    whole = conversation(("agent", 2.0, 3.0), ("user", onset, 4.0))
    assert bool(barge_ins(whole)) == is_barge_in


def test_exchange_is_a_user_turn_that_is_answered():
    assert num_exchanges(INTERRUPTED) == 2
    assert num_exchanges(conversation(("agent", 0.0, 1.0), ("user", 2.0, 3.0))) == 0
    assert num_exchanges(conversation()) == 0


@st.composite
def conversations(draw):
    spans = []
    for role in ("user", "agent"):
        ticks = st.lists(st.integers(0, 300), unique=True, max_size=10)
        edges = sorted(draw(ticks))
        spans += [(role, a / 10, b / 10) for a, b in zip(edges[::2], edges[1::2])]
    return conversation(*spans)


@given(conversations())
def test_every_agent_turn_is_a_response_an_interruption_or_neither(whole):
    answering = [gap.after for gap in gaps(whole)]
    interrupting = [event.agent for event in agent_interruptions(whole)]
    assert not set(answering) & set(interrupting)
    assert len(answering) == len(set(answering))
    assert all(gap.seconds >= 0 for gap in [*gaps(whole), *pauses(whole)])
    for gap in gaps(whole):  # nobody else of the user ends in between
        assert not any(
            gap.before.end < turn.end <= gap.after.start for turn in whole.user_turns
        )


@given(conversations())
def test_overlaps_are_the_time_in_which_both_speak(whole):
    def ticks(turns):
        spans = (range(round(10 * t.start), round(10 * t.end)) for t in turns)
        return {tick for span in spans for tick in span}

    both = ticks(whole.user_turns) & ticks(whole.agent_turns)
    assert sum(overlaps_seconds(whole)) == pytest.approx(len(both) / 10)
