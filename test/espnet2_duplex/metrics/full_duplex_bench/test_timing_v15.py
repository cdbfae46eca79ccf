"""Stop and response latencies of v1.5, worked out by hand."""

from hypothesis import given
from hypothesis import strategies as st

from espnet2_duplex.metrics.activity import Segment
from espnet2_duplex.metrics.full_duplex_bench.overlap_handling import (
    OverlapCounts,
    speaking_rate,
)
from espnet2_duplex.metrics.full_duplex_bench.timing_v15 import (
    TimingCounts,
    count_timing,
    merge_speakers,
    overlaps_of,
    responses_of,
)
from espnet2_duplex.words import Word


def segments(*spans):
    return [Segment(*span) for span in spans]


def count(user, agent):
    user, agent = segments(*user), segments(*agent)
    return count_timing(overlaps_of(user, agent), responses_of(user, agent))


def times(spans):
    return [(span.start, span.end) for span in spans]


QUESTION, EVENT = (1.0, 3.0), (6.0, 9.0)


def test_agent_that_stops_and_responds():
    counts = count([QUESTION, EVENT], [(3.5, 6.8), (9.4, 12.0)])
    for mode in ("strict", "fixed"):
        figures = counts.figures(mode)
        assert figures["num_stops"] == 1
        assert figures["stop_latency_mean"] == 0.8
        assert figures["num_responses"] == 2
        assert figures["response_latency_mean"] == 0.45


def test_agent_that_talks_on_has_no_stop_and_no_response():
    counts = count([QUESTION, EVENT], [(3.5, 11.0), (15.0, 16.0)])
    strict, fixed = counts.figures("strict"), counts.figures("fixed")
    assert strict["stop_latency_mean"] == 3.0  # all of the user's segment
    assert strict["response_latency_mean"] == 3.25  # of 0.5 and 6.0
    assert fixed["num_stops"] == 0 and fixed["num_never_stopped"] == 1
    assert fixed["response_latency_mean"] == 0.5
    assert fixed["num_responses_over_speech"] == 1
    assert "the agent outlasted the user in 1 and began 0 itself" in counts.changes()[0]


def test_agent_that_barges_in_itself_has_no_stop():
    counts = count([QUESTION], [(2.0, 2.5)])
    assert counts.figures("strict")["stop_latency_mean"] == 0.5
    assert counts.figures("fixed")["num_stops"] == 0
    assert counts.figures("fixed")["num_begun_by_agent"] == 1


def test_overlap_lies_where_both_speak():
    (overlap,) = overlaps_of(segments((6.0, 9.0)), segments((3.5, 6.8)))
    assert (overlap.start, overlap.end) == (6.0, 6.8)
    assert overlap.begun_by_user and overlap.ended_by_agent
    assert overlaps_of(segments((1, 2)), segments((2, 3))) == []


def test_response_follows_the_users_last_end():
    user, agent = segments((0, 1), (1.7, 2.5), (6, 7)), segments((3, 4), (5, 5.5))
    assert times(responses_of(user, agent)) == [(2.5, 3)]


def test_agent_that_starts_at_the_users_end_responds_later():
    assert times(responses_of(segments((0, 1)), segments((1, 2), (3, 4)))) == [(1, 3)]


def test_silences_up_to_the_limit_are_bridged():
    user, agent = merge_speakers(
        segments((0, 1), (1.6, 2), (2.61, 3)), segments((0, 1), (1.5, 2), (2.51, 3))
    )
    assert user == tuple(segments((0, 2), (2.61, 3)))
    assert agent == tuple(segments((0, 2), (2.51, 3)))


def test_silent_agent_has_nothing_to_measure():
    figures = count([QUESTION], []).figures("fixed")
    assert figures["stop_latency_mean"] is figures["response_latency_mean"] is None


def test_spread_of_the_latencies():
    counts = count([QUESTION, EVENT], [(3.5, 6.8), (9.4, 12.0)])
    figures = counts.figures("fixed")
    # 0.5 and 0.4 s; one stop has no spread.
    assert abs(figures["response_latency_std"] - 0.1 / 2**0.5) < 1e-9
    assert figures["stop_latency_std"] is None


def test_counts_add_with_the_other_counts_of_v15():
    one = count([QUESTION, EVENT], [(3.5, 6.8)])
    total = OverlapCounts(1, one) + OverlapCounts(1, one) + OverlapCounts()
    assert total.figures("fixed")["num_samples"] == 2
    assert total.figures("fixed")["num_stops"] == 2
    assert total.changes() == (one + one).changes()
    assert OverlapCounts.from_dict(total.to_dict()) == total
    assert TimingCounts() + one == one


def test_speaking_rate_is_in_words_per_minute():
    words = [Word("a", 1.0, 1.2), Word("b", 2.0, 3.0)]
    assert speaking_rate(words) == 60.0
    assert speaking_rate([]) is None and speaking_rate([Word("a", 1, 1)]) is None


spans = st.lists(st.tuples(st.integers(1, 30), st.integers(1, 30)), max_size=8)


def timeline(spans):
    found, end = [], 0
    for gap, length in spans:
        found.append(Segment((end + gap) / 10, (end + gap + length) / 10))
        end += gap + length
    return found


@given(spans, spans)
def test_overlaps_cover_the_instants_in_which_both_speak(user, agent):
    user, agent = timeline(user), timeline(agent)
    overlaps = overlaps_of(user, agent)
    for tenth in range(500):
        instant = tenth / 10 + 0.05
        both = all(any(s.start < instant < s.end for s in own) for own in (user, agent))
        assert both == any(o.start < instant < o.end for o in overlaps)


@given(spans, spans)
def test_every_response_starts_after_an_end_of_the_user(user, agent):
    user, agent = timeline(user), timeline(agent)
    ends = {round(segment.end, 3) for segment in user}
    starts = [round(segment.start, 3) for segment in agent]
    found = responses_of(user, agent)
    assert all(r.start in ends and r.end in starts and r.start < r.end for r in found)
    assert len({response.end for response in found}) == len(found)
