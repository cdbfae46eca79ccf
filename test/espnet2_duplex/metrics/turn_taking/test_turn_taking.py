"""Turn taking: trivial agents with figures worked out by hand, and invariances."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from espnet2_duplex.conversation import Turn
from espnet2_duplex.metrics.activity import Segment
from espnet2_duplex.metrics.answers import QualityOptions
from espnet2_duplex.metrics.turn_taking import (
    TurnTakingCounts,
    TurnTakingOptions,
    count_turn_taking,
    find_events,
)
from espnet2_duplex.metrics.turn_taking.reactions import ReactionOptions

DURATION = 20.0
# The user asks at 1.0-3.0 s and barges in at 6.0-8.0 s.
USER = (Segment(1.0, 3.0), Segment(6.0, 8.0))


def score(*agent, user=USER, duration=DURATION, **options):
    segments = [Segment(start, end) for start, end in agent]
    return count_turn_taking(segments, user, duration, TurnTakingOptions(**options))


def test_silent_agent_has_nothing_to_measure_and_answers_nothing():
    counts = score()
    assert counts.barge_in.num_events == 0
    assert counts.barge_in.success_rate is None
    assert counts.barge_in.all_latencies.mean is None
    assert counts.false_alarm.rate == 0.0
    assert counts.response.first_latencies.mean is None
    assert counts.response.rate_early_first is None
    assert counts.response.first_latencies.p90 is None
    assert (counts.response.num_answerable, counts.response.num_answered) == (2, 0)


def test_agent_that_always_talks_never_stops_and_never_responds():
    counts = score((0.0, DURATION))
    # Interrupted at 1.0 and 6.0 s, it goes on to 20.0 s.
    assert counts.barge_in.num_events == 2
    assert counts.barge_in.num_unstopped == 2
    assert counts.barge_in.success_rate == 0.0
    assert counts.barge_in.success_latencies.mean is None
    assert counts.barge_in.all_latencies.seconds == [14.0, 19.0]
    assert counts.false_alarm.num == 0  # it did not begin while the user spoke
    # It began before the user did, so nothing it says is a response.
    assert len(counts.response.first_latencies) == len(counts.response.latencies) == 0
    assert counts.response.rate_early_first is None
    assert (counts.response.num_answerable, counts.response.num_answered) == (2, 0)


def test_agent_that_answers_after_640_ms_and_stops_after_640_ms():
    counts = score((3.64, 6.64), (8.64, 12.0))
    assert counts.barge_in.num_events == 1
    assert counts.barge_in.success_rate == 1.0
    assert counts.barge_in.success_latencies.mean == 0.64
    assert counts.barge_in.all_latencies.mean == 0.64
    assert counts.false_alarm.num == 0
    assert counts.response.first_latencies.seconds == [0.64]
    assert counts.response.latencies.seconds == [0.64, 0.64]
    assert counts.response.rate_answered == 1.0


def test_agent_that_stops_after_1600_ms_fails():
    counts = score((3.64, 7.6), (8.64, 12.0))
    assert counts.barge_in.num_events == 1
    assert counts.barge_in.success_rate == 0.0
    assert counts.barge_in.success_latencies.mean is None
    assert counts.barge_in.all_latencies.mean == 1.6


def test_stop_after_exactly_the_limit_is_a_success():
    assert score((3.64, 7.5)).barge_in.success_rate == 1.0


def test_agent_that_echoes_the_user_one_frame_later():
    counts = score((1.08, 3.08), (6.08, 8.08))
    assert counts.barge_in.num_events == 0
    assert counts.false_alarm.num == 2
    assert counts.false_alarm.rate == 1.0
    assert counts.false_alarm.per_minute == 2 / (20 / 60)
    # Its last 80 ms come after the user: early responses, both of them.
    assert counts.response.latencies.seconds == [-1.92, -1.92]
    assert counts.response.rate_early_first == 1.0
    assert counts.response.rate_answered == 1.0
    assert counts.response.first_latencies.mean == -1.92
    assert counts.response.first_latencies.mean_not_negative is None


def test_agent_that_speaks_exactly_while_the_user_does():
    counts = score((1.0, 3.0), (6.0, 8.0))
    assert counts.barge_in.num_events == 0
    assert (counts.false_alarm.num, counts.false_alarm.num_segments) == (2, 2)
    assert counts.false_alarm.num_wide == 2
    assert len(counts.response.latencies) == 0  # nothing ends after the user
    assert counts.response.rate_answered == 0.0


def test_agent_must_have_spoken_for_240_ms_to_be_interrupted():
    assert score((5.76, 6.6)).barge_in.num_events == 1
    assert score((5.77, 6.6)).barge_in.num_events == 0
    assert score((5.77, 6.6), min_activity_seconds=0.2).barge_in.num_events == 1


def test_agent_that_ends_at_the_onset_is_not_interrupted():
    assert score((3.64, 6.0)).barge_in.num_events == 0


def test_agent_that_speaks_to_the_end_of_the_recording_has_not_stopped():
    counts = score((3.64, 7.0), duration=7.0, user=(Segment(6.0, 6.9),))
    assert counts.barge_in.num_unstopped == 1
    assert counts.barge_in.success_rate == 0.0


def test_resuming_within_the_user_turn_undoes_success_only_on_request():
    agent = ((3.64, 6.6), (7.2, 7.4))
    assert score(*agent).barge_in.success_rate == 1.0
    undone = score(*agent, resuming_undoes_success=True)
    assert undone.barge_in.success_rate == 0.0
    assert undone.barge_in.all_latencies.mean == 0.6


def test_start_shortly_before_the_user_ends_is_no_false_alarm_but_early():
    counts = score((2.9, 5.0))
    assert counts.false_alarm.num == 0
    assert counts.response.first_latencies.seconds == [-0.1]
    assert counts.response.num_answered == 1
    assert score((1.0, 5.0)).response.num_answered == 1  # a false alarm, but no silence
    assert score((2.89, 5.0)).false_alarm.num == 1
    assert score((2.5, 5.0), tolerance_seconds=0.5).false_alarm.num == 0


def test_false_alarms_are_counted_with_a_tolerance_of_half_a_second_too():
    # 0.51 s, 0.5 s and 0.1 s before a user's end: three starts, two in turn 0.
    alarms = score((1.2, 1.4), (2.49, 2.6), (7.5, 7.6), (7.9, 9.0)).false_alarm
    assert (alarms.num, alarms.num_segments) == (2, 3)
    assert (alarms.num_wide, alarms.num_segments_wide) == (1, 2)
    assert (alarms.rate, alarms.rate_wide) == (1.0, 0.5)
    assert alarms.per_minute == 9.0  # 3 in 20 s
    assert alarms.per_minute_wide == 6.0
    assert score((2.49, 2.6), wide_tolerance_seconds=0.6).false_alarm.num_wide == 0


def count_with_text(*texts, agent=((3.64, 6.64),), rate=10.0):
    """Agent that stops 3.0 s after its turn began: 30 characters could be said."""
    segments = [Segment(start, end) for start, end in agent]
    turns = [Turn("agent", start, 20.0, text) for start, text in texts]
    options = TurnTakingOptions()
    return count_turn_taking(segments, USER, DURATION, options, turns, rate).barge_in


def test_stop_after_the_whole_text_could_be_said_is_a_natural_end():
    # The middle of the last word comes after 28 + 4 / 2 = 30 characters.
    counts = count_with_text((3.64, "a" * 27 + " four"))
    assert (counts.num_events, counts.num_success) == (1, 1)
    assert (counts.num_with_text, counts.num_natural_ends) == (1, 1)
    assert counts.natural_end_rate == 1.0
    # One character more: 31.
    counts = count_with_text((3.64, "a" * 28 + " four"))
    assert (counts.num_with_text, counts.num_natural_ends) == (1, 0)
    assert counts.natural_end_rate == 0.0


def test_natural_end_looks_at_the_last_text_begun_before_the_onset():
    texts = (0.5, "one " * 90), (3.64, "short"), (6.0, "two " * 90)
    assert count_with_text(*texts).natural_end_rate == 1.0
    assert count_with_text(*texts[::-1]).natural_end_rate == 1.0


def test_without_text_or_speed_it_is_not_known_whether_an_end_was_natural():
    for counts in (
        count_with_text(),
        count_with_text((3.64, " ")),
        count_with_text((6.0, "begun at the onset")),
        count_with_text((3.64, "short"), rate=None),
    ):
        assert (counts.num_events, counts.num_with_text) == (1, 0)
        assert counts.natural_end_rate is None


def test_agent_that_does_not_stop_comes_to_no_natural_end():
    counts = count_with_text((3.64, "short"), agent=((3.64, DURATION),))
    assert (counts.num_unstopped, counts.num_with_text) == (1, 1)
    assert counts.num_natural_ends == 0


def test_two_starts_in_one_user_turn_are_one_false_alarm_of_two_segments():
    counts = score((1.1, 1.3), (2.0, 2.4))
    assert (counts.false_alarm.num, counts.false_alarm.num_segments) == (1, 2)
    assert counts.false_alarm.rate == 0.5


def test_stop_that_outlasts_a_short_user_turn_is_not_the_response_to_it():
    user = (Segment(1.0, 3.0), Segment(6.0, 6.4))
    counts = score((3.64, 6.64), (7.04, 9.0), user=user)
    assert counts.response.latencies.seconds == [0.64, 0.64]


def test_segment_that_was_there_before_the_user_is_not_the_response():
    # Interrupted at 6.0 s, it goes on to 9.0 s and begins again at 9.64 s.
    counts = score((3.64, 9.0), (9.64, 12.0))
    assert counts.barge_in.all_latencies.seconds == [3.0]
    assert counts.response.latencies.seconds == [0.64, 1.64]
    # It never begins again: the second turn has no answer.
    counts = score((3.64, 9.0))
    assert counts.response.latencies.seconds == [0.64]
    assert (counts.response.num_answerable, counts.response.num_answered) == (2, 1)
    # Begun at the very onset it responds to this turn, a microsecond earlier to the last.
    assert score((6.0, 9.0)).response.latencies.seconds == [-2.0]
    assert score((5.999999, 9.0)).response.latencies.seconds == [2.999999]


def test_mean_of_the_responses_that_are_not_early_stands_beside_the_signed_mean():
    early, late = score((2.5, 4.0), (8.5, 9.0)), score((3.5, 4.0), (9.0, 9.5))
    response = (early + late).response
    assert response.first_latencies.seconds == [-0.5, 0.5]
    assert response.first_latencies.mean == 0.0
    assert response.first_latencies.mean_not_negative == 0.5
    assert response.latencies.mean == 0.375
    assert response.latencies.mean_not_negative == 2.0 / 3
    at_the_end = score((3.0, 4.0)).response.latencies
    assert at_the_end.mean_not_negative == 0.0


def test_response_must_come_before_the_next_user_turn():
    counts = score((8.64, 12.0))
    assert len(counts.response.first_latencies) == 0
    assert counts.response.latencies.seconds == [0.64]
    assert counts.response.rate_answered == 0.5


def test_turns_without_time_for_an_answer_are_not_counted():
    user = (Segment(1.0, 3.0), Segment(4.03, 5.0), Segment(6.04, 8.0))
    counts = score(user=user, duration=9.0)
    # 1.03 s, 1.04 s and 1.00 s are left; 1.04 s is enough.
    assert counts.response.num_answerable == 1
    # Early responses to all three; only the one that is counted is answered.
    agent = (2.9, 3.5), (4.9, 5.5), (7.9, 8.5)
    counts = score(*agent, user=user, duration=9.0)
    assert len(counts.response.latencies) == 3
    assert (counts.response.num_answerable, counts.response.num_answered) == (1, 1)


def test_percentiles_are_linear_between_neighbours():
    counts = sum(
        (score((3.0 + start, 5.5)) for start in (0.5, 0.6, 0.7)), TurnTakingCounts()
    )
    latencies = counts.response.first_latencies
    assert latencies.median == pytest.approx(0.6)
    assert latencies.p90 == pytest.approx(0.68)


def spans(max_size):
    """Disjoint spans on a grid of 10 ms, so that borders coincide often."""
    edges = st.lists(
        st.integers(0, 1500), unique=True, min_size=0, max_size=2 * max_size
    )
    return edges.map(
        lambda edges: [
            Segment(start / 100, end / 100)
            for start, end in zip(sorted(edges)[::2], sorted(edges)[1::2])
        ]
    )


timelines = st.tuples(spans(6), spans(4))


@given(st.lists(timelines, max_size=8), st.lists(st.integers(0, 8), min_size=3))
def test_counts_of_four_parts_read_back_from_json_add_up_to_the_whole(all_of, cuts):
    def total(part):
        text = [Turn("agent", 0.0, 1.0, "to be said")]
        counts = (
            count_turn_taking(agent, user, 16.0, TurnTakingOptions(), text, 2.0)
            for agent, user in part
        )
        return sum(counts, TurnTakingCounts())

    first, second, third = sorted(cuts[:3])
    parts = all_of[:first], all_of[first:second], all_of[second:third], all_of[third:]
    texts = [json.dumps(total(part).to_dict()) for part in parts]
    read = [TurnTakingCounts.from_dict(json.loads(text)) for text in texts]
    assert sum(read, TurnTakingCounts()) == total(all_of)
    assert sum(read[::-1], TurnTakingCounts()) == total(all_of)


@given(spans(6), spans(4))
def test_counts_are_bounded_by_the_number_of_user_turns(agent, user):
    counts = count_turn_taking(agent, user, 16.0)
    barge_in, response = counts.barge_in, counts.response
    assert barge_in.num_success <= barge_in.num_events <= len(user)
    assert counts.false_alarm.num <= counts.false_alarm.num_user_turns == len(user)
    assert response.num_answered <= response.num_answerable <= len(user)
    assert len(response.first_latencies) <= 1
    for rate in (barge_in.success_rate, counts.false_alarm.rate):
        assert rate is None or 0 <= rate <= 1


@given(spans(6), spans(4))
def test_user_turn_is_answered_exactly_if_it_has_a_response(agent, user):
    events = find_events(agent, user, 16.0, TurnTakingOptions(min_answer_seconds=0))
    with_response = [response.user_turn for response in events.responses]
    assert list(events.answered) == with_response
    assert sorted((*events.answered, *events.unanswered)) == list(range(len(user)))
    starts = [response.start_microseconds for response in events.responses]
    assert len(set(starts)) == len(starts)  # no segment responds to two turns


@pytest.mark.parametrize("value", [-0.1, float("nan"), float("inf")])
@pytest.mark.parametrize(
    "options, name",
    [
        (TurnTakingOptions, "tolerance_seconds"),
        (TurnTakingOptions, "min_answer_seconds"),
        (ReactionOptions, "answer_seconds"),
        (QualityOptions, "cut_seconds"),
        (QualityOptions, "characters_per_second"),
    ],
)
def test_option_that_is_no_time_or_speed_is_refused_by_its_name(options, name, value):
    message = f"^{name} is {value}; give a finite number that is not negative$"
    with pytest.raises(ValueError, match=message):
        options(**{name: value})
    options(**{name: 0})


@given(spans(6), spans(4), st.integers(0, 100_000))
def test_shifting_everything_in_time_changes_nothing(agent, user, milliseconds):
    shift = milliseconds / 1000

    def shifted(segments):
        return [Segment(s.start + shift, s.end + shift) for s in segments]

    here = count_turn_taking(agent, user, 16.0)
    there = count_turn_taking(shifted(agent), shifted(user), 16.0 + shift)
    assert there.barge_in == here.barge_in
    assert there.response == here.response
    assert there.false_alarm.num_segments == here.false_alarm.num_segments


def test_counts_of_different_kinds_do_not_add():
    with pytest.raises(TypeError):
        score().barge_in + score().false_alarm
