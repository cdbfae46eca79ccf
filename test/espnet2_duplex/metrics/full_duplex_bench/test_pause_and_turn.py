"""Pause handling and smooth turn taking, worked out by hand."""

import pytest

from espnet2_duplex.metrics.full_duplex_bench.pause_handling import (
    PauseCounts,
    count_pause_handling,
)
from espnet2_duplex.metrics.full_duplex_bench.turn_taking import (
    SmoothTurnCounts,
    count_turn_taking,
)
from espnet2_duplex.words import Word


def spoken(*starts):
    """One word of 0.2 s at each start."""
    return [Word("word", start, start + 0.2) for start in starts]


ANSWER = spoken(5.0, 5.5, 6.0)
MURMUR = spoken(2.0, 2.3)


def test_an_answer_after_the_users_end_is_no_takeover_of_a_pause():
    counts = count_pause_handling([*MURMUR, *ANSWER], user_end=4.0)
    assert counts.figures("strict") == {
        "num_samples": 1,
        "num_take_overs": 1,
        "take_over_rate": 1.0,
    }
    fixed = counts.figures("fixed")
    assert fixed["take_over_rate"] == 1.0
    assert fixed["before_user_end"]["take_over_rate"] == 0.0
    (change,) = counts.changes()
    assert "TOR is 1.000 by all words" in change and "and 0.000 by words" in change


def test_without_the_users_end_only_the_published_rate_is_known():
    counts = count_pause_handling(ANSWER, user_end=None)
    assert counts.figures("fixed")["before_user_end"]["take_over_rate"] is None
    assert "nothing by words" in counts.changes()[0]


def test_pause_counts_add():
    parts = [count_pause_handling(words, 7.0) for words in (ANSWER, MURMUR, [])]
    total = sum(parts, start=PauseCounts())
    assert total.figures("fixed")["take_over_rate"] == 1 / 3
    assert total.figures("fixed")["before_user_end"]["num_samples"] == 3


def test_latency_counts_from_the_annotated_end():
    figures = count_turn_taking(ANSWER, user_end=4.3).figures("fixed")
    assert figures["take_over_rate"] == 1.0
    assert figures["latency_mean"] == figures["latency_mean_signed"] == 0.7
    assert figures["num_early"] == 0


def test_early_starts_are_clipped_strictly_and_signed_beside_it():
    total = sum(
        (count_turn_taking(ANSWER, user_end=end) for end in (4.0, 5.6)),
        start=SmoothTurnCounts(),
    )
    assert total.figures("strict") == {
        "num_samples": 2,
        "num_take_overs": 2,
        "take_over_rate": 1.0,
        "latency_mean": 0.5,  # of 1.0 and 0
    }
    fixed = total.figures("fixed")
    assert fixed["latency_mean"] == 0.5
    assert fixed["latency_mean_signed"] == pytest.approx(0.2)  # of 1.0 and -0.6
    assert fixed["num_early"] == 1
    assert "1 of 2 agents" in total.changes()[0]


def test_who_takes_no_turn_has_no_latency():
    figures = count_turn_taking(MURMUR, user_end=1.0).figures("fixed")
    assert figures["take_over_rate"] == 0.0
    assert figures["latency_mean"] is None and figures["num_early"] == 0
