"""Limits of turns: lengths are estimated from words before anything is spoken."""

import pytest
from sources.rows import Refused
from sources.turn_lengths import cut, longest_seconds_of, seconds_of, short, short_turn

AGENT_WORD, USER_WORD = 0.37, 0.36  # seconds


def test_limits_have_a_margin_over_the_estimate():
    assert seconds_of("One two three.", "user") == pytest.approx(3 * USER_WORD)
    longest = longest_seconds_of("One two three.", "user")
    assert longest == pytest.approx(1.17 * 3 * USER_WORD)


def test_a_turn_is_cut_after_the_last_sentence_that_fits():
    text = "One two three. Four five six. Seven eight nine."
    assert seconds_of(text, "agent") == pytest.approx(9 * AGENT_WORD)
    assert cut(text, "agent", 6.5 * AGENT_WORD) == "One two three. Four five six."
    assert cut(text, "agent", 25.0) == text


def test_users_turns_are_cut_earlier_because_they_speak_longer_than_estimated():
    text = "One two three. Four five six."
    assert cut(text, "user", 6.5 * USER_WORD) == "One two three."
    assert cut(text, "user", 7.1 * USER_WORD) == text


def test_a_turn_is_not_cut_after_an_abbreviation():
    text = "We met Dr. Smith and J. S. Bach there. They sang."
    first = "We met Dr. Smith and J. S. Bach there."
    assert cut(text, "agent", 10 * AGENT_WORD) == first


def test_a_turn_whose_first_sentence_is_too_long_is_refused():
    with pytest.raises(Refused, match="a first sentence that is too long"):
        cut("One two three four. Five.", "agent", 1.0)
    with pytest.raises(Refused, match="a text of the user that is too long"):
        short("One two three four.", "user", 1.0)


def test_texts_of_one_turn_are_limited_together():
    texts = ["One two three.", "Four five six."]
    assert short_turn(texts, "agent", 6 * AGENT_WORD + 0.01) == texts
    with pytest.raises(Refused, match="a text of the agent that is too long"):
        short_turn(texts, "agent", 5 * AGENT_WORD)
