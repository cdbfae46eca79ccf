"""Backchannels: candidates, who took the turn, and when people do it."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from espnet2_duplex.metrics.activity import Segment
from espnet2_duplex.metrics.full_duplex_bench.backchannel import (
    BackchannelCounts,
    count_backchannels,
    words_in,
)
from espnet2_duplex.metrics.full_duplex_bench.histogram import (
    distance_to_humans,
    histogram_of,
)
from espnet2_duplex.words import Word

MURMUR, SENTENCE, SPEECH = Segment(1, 1.5), Segment(3, 4.5), Segment(6, 9.5)


def figures(mode, *segments, words=(), duration=10.0, human=None):
    return count_backchannels(segments, words, duration, human).figures(mode)


def test_short_segment_of_few_words_is_a_backchannel():
    words = [Word("uh", 1.0, 1.2), Word("huh", 1.2, 1.5)]
    found = figures("fixed", MURMUR, words=words)
    assert found["take_over_rate"] == 0.0
    assert found["frequency_mean"] == 0.1
    assert (found["num_candidates"], found["num_backchannels"]) == (1, 1)


def test_three_words_or_a_second_take_the_turn():
    words = [Word("a", 1.0 + n / 10, 1.1 + n / 10) for n in range(3)]
    assert figures("strict", MURMUR, words=words)["take_over_rate"] == 1.0
    assert figures("strict", Segment(1, 2))["take_over_rate"] == 1.0


def test_the_last_segment_decides_strictly_and_any_otherwise():
    assert figures("strict", SENTENCE, Segment(7, 7.5))["take_over_rate"] == 0.0
    assert figures("fixed", SENTENCE, Segment(7, 7.5))["take_over_rate"] == 1.0
    counts = count_backchannels([SENTENCE, Segment(7, 7.5)], [], 10.0)
    assert "0.000 where the last segment decides" in counts.changes()[0]


def test_after_a_segment_of_more_than_three_seconds_nothing_is_looked_at():
    for mode in ("strict", "fixed"):
        found = figures(mode, MURMUR, SPEECH, Segment(9.6, 9.9))
        assert found["take_over_rate"] == 1.0
        assert found["num_candidates"] == 1
    assert figures("strict", Segment(0, 3))["num_candidates"] == 1  # not more


def test_silent_agent_has_frequency_0_and_the_published_distance_1():
    found = figures("fixed", human=np.ones(50))
    assert found["take_over_rate"] == found["frequency_mean"] == 0.0
    assert found["jsd_mean"] == 1.0
    assert found["num_without_candidates"] == 1


def test_without_peoples_histogram_there_is_no_distance():
    assert figures("fixed", MURMUR)["jsd_mean"] is None
    pooled = count_backchannels([MURMUR], [], 10.0) + count_backchannels(
        [], [], 10.0, np.ones(9)
    )
    assert pooled.figures("fixed")["jsd_mean"] == 1.0


def test_frequency_is_the_mean_over_samples():
    pooled = sum(
        (count_backchannels([MURMUR], [], seconds) for seconds in (2.0, 10.0)),
        start=BackchannelCounts(),
    )
    assert pooled.figures("strict")["frequency_mean"] == pytest.approx(0.3)


def test_words_touching_a_segment_belong_to_it():
    segment = Segment(2.0, 3.0)
    inside = [Word("i", 2.2, 2.4), Word("at end", 3.0, 3.4), Word("over", 1.0, 4.0)]
    outside = [Word("before", 1.0, 2.0), Word("after", 3.1, 3.2)]
    assert words_in(segment, [*inside, *outside]) == inside


def test_histogram_counts_every_bin_that_is_touched():
    # 1.0 s has the bins 0.0, 0.2, ..., 0.8 and one of the end.
    histogram = histogram_of([Segment(0.25, 0.65)], 1.0)
    assert histogram == pytest.approx([0, 1 / 3, 1 / 3, 1 / 3, 0, 0], abs=1e-9)


def test_distance_of_equal_histograms_is_0_and_of_disjoint_ones_sqrt_ln_2():
    one, other = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    assert distance_to_humans(one, one) == 0.0
    assert distance_to_humans(one, other) == pytest.approx(math.sqrt(math.log(2)))


def test_humans_histogram_is_stretched_linearly():
    human = np.array([0.0, 4.0])
    stretched = np.array([0.0, 2.0, 4.0])
    assert distance_to_humans(stretched / 6, human) == pytest.approx(0, abs=1e-7)


@given(st.lists(st.tuples(st.floats(0, 9), st.floats(0.25, 5)), max_size=6))
def test_strict_and_fixed_differ_in_takeovers_only(spans):
    segments, end = [], 0.0
    for gap, length in spans:
        segments.append(Segment(end + gap + 0.1, end + gap + 0.1 + length))
        end = segments[-1].end
    strict = figures("strict", *segments, duration=end + 1)
    fixed = figures("fixed", *segments, duration=end + 1)
    assert strict["take_over_rate"] <= fixed["take_over_rate"]
    for name in ("frequency_mean", "num_candidates"):
        assert strict[name] == fixed[name]
