"""Spoken turns become utterances with their sound."""

from dataclasses import replace

import numpy as np
import pytest

from espnet2_duplex.simulation.script import Script, SpokenTurn
from espnet2_duplex.simulation.utterances import Part, join_neighbours, quiet_moment

CONTEXT = SpokenTurn("user", "The sun is a star.", "context.wav", 4.0)
QUESTION = SpokenTurn("user", "What is the sun?", "question.wav", 1.5)
ANSWER = SpokenTurn("agent", "A star.", "answer.wav", 1.0)


def test_neighbours_of_one_role_are_one_utterance_with_a_pause():
    user, agent = join_neighbours([CONTEXT, QUESTION, ANSWER], lambda: 0.4)
    assert user.utterance.text == "The sun is a star. What is the sun?"
    assert user.utterance.seconds == pytest.approx(5.9)
    assert user.parts == (Part("context.wav", 0, 4.0), Part("question.wav", 4.4, 1.5))
    assert user.pauses == ((4.0, 4.4),)
    assert agent.parts == (Part("answer.wav", 0, 1.0),) and agent.pauses == ()


def test_given_times_of_neighbours_are_kept():
    first = SpokenTurn("user", "So,", "a.wav", 1.0, start=2.0, end=2.6)
    second = SpokenTurn("user", "why?", "b.wav", 1.0, start=4.0)
    (user,) = join_neighbours([first, second], lambda: 9.0)
    assert (user.utterance.start, user.utterance.end) == (2.0, None)
    assert user.parts == (Part("a.wav", 0, pytest.approx(0.6)), Part("b.wav", 2.0, 1.0))
    second = replace(second, end=4.5)
    (user,) = join_neighbours([first, second], lambda: 9.0)
    assert user.utterance.end == pytest.approx(4.5)


@pytest.mark.parametrize(
    "first_start, message",
    [
        (0.0, "'why.' starts at 1 s, before 'So,' has ended at 5 s; correct the times"),
        (None, "'why.' starts at 1 s, but 'So,' before it has no start; give it one"),
    ],
)
def test_neighbours_of_one_role_must_not_overlap(first_start, message):
    first = SpokenTurn("user", "So,", "a.wav", 5.0, start=first_start)
    second = SpokenTurn("user", "why?", "b.wav", 0.5, start=1.0)
    with pytest.raises(ValueError, match=f"conversation s: the user's turn {message}"):
        Script("s", "x", "v", (first, second, ANSWER)).check_neighbours()


def test_a_pause_splits_the_sound_and_loses_none_of_it():
    user, _ = join_neighbours([QUESTION, ANSWER], lambda: 0.0)
    paused = user.with_pause(0.6, 1.1)
    assert paused.parts == (
        Part("question.wav", 0, 0.6),
        Part("question.wav", pytest.approx(1.7), pytest.approx(0.9), 0.6),
    )
    assert paused.pauses == ((0.6, pytest.approx(1.7)),)
    assert paused.utterance.seconds == pytest.approx(2.6)


def test_a_pause_stands_where_the_speaker_is_quiet():
    speech = np.ones(16000, np.float32)
    speech[9600:10240] = 0  # 40 ms from 0.6 s on
    assert quiet_moment(speech, 16000) == pytest.approx(0.62)


@pytest.mark.parametrize("gap", [slice(0, 0), slice(800, 1600), slice(14400, 15200)])
def test_no_pause_without_a_quiet_place_in_the_middle(gap):
    speech = np.ones(16000, np.float32)
    speech[gap] = 0
    assert quiet_moment(speech, 16000) is None
    assert quiet_moment(speech[:100], 16000) is None


def test_exchanges_begin_where_the_user_speaks_after_the_agent():
    script = Script("s", "x", "v", (CONTEXT, QUESTION, ANSWER, QUESTION, ANSWER))
    assert list(script.exchanges()) == [
        (CONTEXT, QUESTION, ANSWER),
        (QUESTION, ANSWER),
    ]


def test_an_end_needs_a_start():
    message = "the user's turn 'So,' ends at 2.6 s and has no start; give it one"
    with pytest.raises(ValueError, match=message):
        SpokenTurn("user", "So,", "a.wav", 1.0, end=2.6)


def test_only_one_question_with_its_answer_is_single():
    timed = SpokenTurn("agent", "A star.", "answer.wav", 1.0, start=3.0)
    for turns, expected in (
        ((QUESTION, ANSWER), True),
        ((CONTEXT, QUESTION, ANSWER), True),
        ((ANSWER, QUESTION), False),
        ((QUESTION, ANSWER, QUESTION, ANSWER), False),
        ((QUESTION, timed), False),
    ):
        assert Script("s", "x", "v", turns).is_single is expected
    assert Script("s", "x", "v", (QUESTION, ANSWER)).text == "What is the sun? A star."
