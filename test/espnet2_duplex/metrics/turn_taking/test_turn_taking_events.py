"""Events of turn taking: worked out by hand, and by plain loops on random timelines."""

import random

import pytest

from espnet2_duplex.conversation import Turn
from espnet2_duplex.metrics.activity import Segment
from espnet2_duplex.metrics.turn_taking.events import find_events
from espnet2_duplex.metrics.turn_taking.options import TurnTakingOptions
from espnet2_duplex.metrics.turn_taking.reference import find_events_reference

USER = (Segment(1.0, 3.0), Segment(6.0, 8.0), Segment(11.0, 12.0))
NUM_TIMELINES = 1000


def test_events_are_the_lists_of_the_file():
    # Answers turn 0, stops for turn 1 after its text, begins again during turn 1, never
    # answers it, answers turn 2 too early, and is still talking at the end.
    agent = Segment(3.64, 6.64), Segment(7.2, 7.4), Segment(11.5, 14.0)
    texts = (Turn("agent", 3.64, 5.0, "Four."),)
    events = find_events(agent, USER, 14.0, TurnTakingOptions(), texts, 10.0)
    assert events.to_dict() == {
        "barge_ins": [
            {
                "user_turn": 1,
                "onset": 6.0,
                "stop": 6.64,
                "latency": 0.64,
                "in_time": True,
                "stopped": True,
                "natural_end": True,
            }
        ],
        "false_alarms": [
            {"user_turn": 1, "start": 7.2},
            {"user_turn": 2, "start": 11.5},
        ],
        "responses": [
            {"user_turn": 0, "start": 3.64, "latency": 0.64},
            {"user_turn": 2, "start": 11.5, "latency": -0.5},
        ],
        "answered": [0, 2],
        "unanswered": [1],
    }
    assert [alarm.user_turn for alarm in events.wide_false_alarms] == [1]


def test_agent_that_talks_beyond_the_recording_stops_at_its_end_but_has_not_stopped():
    (barge_in,) = find_events([Segment(3.0, 14.5)], USER[1:2], 14.0).barge_ins
    assert barge_in.to_dict() == {
        "user_turn": 0,
        "onset": 6.0,
        "stop": 14.0,
        "latency": 8.0,
        "in_time": False,
        "stopped": False,
        "natural_end": None,
    }


def test_order_in_which_spans_are_given_does_not_matter():
    agent = [Segment(3.64, 6.64), Segment(8.7, 9.0), Segment(12.7, 13.0)]
    assert find_events(agent[::-1], USER[::-1], 14.0) == find_events(agent, USER, 14.0)


@pytest.mark.parametrize("find", [find_events, find_events_reference])
def test_time_that_is_no_number_is_refused(find):
    with pytest.raises(ValueError, match="a time of inf s has no place"):
        find([Segment(0.0, float("inf"))], USER, 14.0)


def random_spans(rng, ticks, most):
    """Disjoint spans between some of the ticks (milliseconds); neighbours may touch."""
    num = min(rng.randint(0, most), len(ticks) - 1)
    edges = sorted(rng.sample(ticks, num + 1))
    spans = [Segment(a / 1000, b / 1000) for a, b in zip(edges, edges[1:])]
    return [span for span in spans if rng.random() < 0.7]


def random_conversation(rng, options):
    """Arguments of `find_events`: edges on a coarse grid or at the tolerances of it."""
    duration = rng.choice((3000, 8000, 20_000))
    user = random_spans(rng, range(0, duration + 1, 80), 8)
    edges = [round(edge * 1000) for span in user for edge in (span.start, span.end)]
    offsets = [0] + [
        sign * round(seconds * 1000) + beside
        for seconds in (
            options.min_activity_seconds,
            options.success_seconds,
            options.tolerance_seconds,
            options.wide_tolerance_seconds,
            options.min_answer_seconds,
        )
        for sign in (-1, 1)
        for beside in (-1, 0, 1)
    ]
    ticks = {edge + rng.choice(offsets) for edge in edges for _ in range(3)}
    ticks |= set(edges) | set(range(0, duration, 240)) | {duration}
    ticks = [tick for tick in ticks if 0 <= tick <= duration]
    agent = random_spans(rng, sorted(ticks), rng.choice((0, 3, 12)))
    if agent and rng.random() < 0.3:
        agent[-1] = Segment(agent[-1].start, duration / 1000)
    written = [
        Turn("agent", span.start, span.end, "word " * rng.randint(0, 20))
        for span in agent
        if rng.random() < 0.8
    ]
    rate = rng.choice((None, 2.0, 14.0))
    return agent, user, duration / 1000, options, written, rate


def random_options(rng):
    return TurnTakingOptions(
        min_activity_seconds=rng.choice((0.0, 0.24)),
        success_seconds=rng.choice((0.64, 1.5)),
        resuming_undoes_success=rng.random() < 0.5,
        tolerance_seconds=rng.choice((0.0, 0.1)),
        wide_tolerance_seconds=rng.choice((0.1, 0.5)),
        min_answer_seconds=rng.choice((0.4, 1.04)),
    )


def test_arrays_and_plain_loops_agree_on_random_timelines():
    cases = set()
    for seed in range(NUM_TIMELINES):
        rng = random.Random(seed)
        arguments = random_conversation(rng, random_options(rng))
        events = find_events(*arguments)
        assert events == find_events_reference(*arguments), (seed, arguments)
        agent, user, duration, *_ = arguments
        cases |= {("agent", bool(agent)), ("user", bool(user))}
        cases |= {("to the end", bool(agent) and agent[-1].end == duration)}
        for one in events.barge_ins:
            cases.add(("natural", one.is_natural_end))
            cases.add(("stop", one.is_stopped, one.is_in_time))
        cases.add(("wide", events.wide_false_alarms == events.false_alarms))
        cases.add(("response", bool(events.responses)))
        cases.add(("answered", bool(events.answered), bool(events.unanswered)))
    assert cases == {
        *((name, value) for name in ("agent", "user") for value in (True, False)),
        *(("to the end", value) for value in (True, False)),
        *(("natural", value) for value in (True, False, None)),
        *(("stop", True, True), ("stop", True, False), ("stop", False, False)),
        *((name, value) for name in ("wide", "response") for value in (True, False)),
        *(("answered", a, b) for a in (True, False) for b in (True, False)),
    }
