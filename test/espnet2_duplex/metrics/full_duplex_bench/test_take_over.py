"""Whether words take the turn: the published rule and its borders."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from espnet2_duplex.metrics.full_duplex_bench.take_over import (
    TakeOverCounts,
    TakeOverOptions,
    takes_over,
)
from espnet2_duplex.words import Word


def words(num_words, start, end):
    """So many words from start to end, the inner ones anywhere between."""
    if not num_words:
        return []
    return [
        Word("a", start, start),
        *[Word("b", start, end)] * (num_words - 2),
        Word("c", end, end),
    ][-num_words:]


@pytest.mark.parametrize(
    "num_words, start, end, taken",
    [
        (0, 0, 0, False),
        (3, 2.0, 2.99, False),
        (3, 2.0, 3.0, True),  # one second is not shorter than one second
        (4, 2.0, 2.1, True),
        (2, 2.0, 9.0, True),
    ],
)
def test_short_speech_of_few_words_takes_no_turn(num_words, start, end, taken):
    assert takes_over(words(num_words, start, end)) is taken


def test_one_long_word_takes_the_turn():
    assert takes_over([Word("well", 1.0, 2.5)])


def test_limits_are_options():
    assert takes_over(words(3, 0, 0.4), TakeOverOptions(max_words=2))
    assert not takes_over(words(3, 0, 1.4), TakeOverOptions(min_seconds=1.5))


def test_span_is_compared_as_the_published_code_compares_it():
    # 2.32 - 1.32 is 0.9999999999999998 in floats.
    assert not takes_over([Word("oh", 1.32, 2.32)])
    assert takes_over([Word("oh", 1.0, 2.0)])


def test_rate_is_of_the_pooled_counts():
    assert TakeOverCounts().rate is None
    parts = [TakeOverCounts(3, 0), TakeOverCounts.of(True)]
    assert sum(parts, start=TakeOverCounts()).rate == 0.25


@given(st.integers(0, 8), st.floats(0, 5), st.floats(0, 3))
def test_more_words_never_give_the_turn_back(num_words, start, length):
    spoken = words(num_words, start, start + length)
    more = [*spoken, Word("more", start + length, start + length)]
    assert takes_over(more) >= takes_over(spoken)
