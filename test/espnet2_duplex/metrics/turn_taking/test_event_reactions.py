"""Reactions to pauses, backchannels, noises: worked out by hand and by plain loops."""

import random

import pytest

from espnet2_duplex.conversation import Turn
from espnet2_duplex.events import Event
from espnet2_duplex.metrics.activity import Segment
from espnet2_duplex.metrics.turn_taking.reaction_counts import (
    PauseCounts,
    ReactionCounts,
    SoundCounts,
    count_reactions,
)
from espnet2_duplex.metrics.turn_taking.reactions import ReactionOptions, find_reactions

DURATION = 20.0
USER = (Segment(1.0, 3.0), Segment(10.0, 12.0))  # answered at 3.64 s in most tests


def react(events, *agent, user=USER, texts=(), rate=10.0, **options):
    return find_reactions(
        [Segment(start, end) for start, end in agent],
        user,
        events,
        DURATION,
        ReactionOptions(**options),
        texts,
        rate,
    )


def acts(*arguments, **options):
    return [(one.act, one.is_done) for one in react(*arguments, **options)]


def test_reaction_is_the_object_of_the_file():
    events = [Event("backchannel", 5.0, 5.4, "uh-huh")]
    (reaction,) = react(events, (3.64, 8.0))
    assert reaction.to_dict() == {
        "kind": "backchannel",
        "start": 5.0,
        "end": 5.4,
        "stopped": False,
    }


@pytest.mark.parametrize(
    ("stop", "is_stopped"), [(5.64, True), (6.5, True), (6.51, False), (20.0, False)]
)
def test_agent_stops_for_a_sound_if_it_ends_within_the_limit(stop, is_stopped):
    events = [Event("noise", 5.0, 5.1)]
    assert acts(events, (3.64, stop)) == [("stopped", is_stopped)]


def test_agent_that_talks_to_the_end_has_not_stopped_however_soon_that_comes():
    events = [Event("noise", 19.0, 19.1)]
    assert acts(events, (13.0, DURATION)) == [("stopped", False)]


def test_agent_that_has_just_begun_is_not_looked_at():
    noise = [Event("noise", 5.0, 5.1)]
    assert acts(noise, (4.76, 5.2)) == [("stopped", True)]
    assert acts(noise, (4.77, 5.2)) == []
    assert acts(noise, (4.77, 5.2), min_activity_seconds=0.2) == [("stopped", True)]


def test_stop_for_a_user_turn_is_not_one_for_the_sound_ahead_of_it():
    events = [Event("noise", 9.5, 9.6)]
    assert acts(events, (3.64, 10.64)) == [("stopped", False)]
    assert acts(events, (3.64, 10.0)) == [("stopped", True)]  # before the turn


def test_sound_during_a_user_turn_is_not_looked_at():
    events = [Event("noise", 10.0, 10.1), Event("backchannel", 2.0, 2.1)]
    assert acts(events, (3.64, 10.64)) == []


def test_stop_after_all_that_was_written_may_be_a_natural_end():
    events = [Event("noise", 5.0, 5.1)]
    short = [Turn("agent", 3.64, 4.0, "Four.")]
    long = [Turn("agent", 3.64, 4.0, "Four. " * 9)]

    def natural_end(*arguments, **options):
        (reaction,) = react(events, *arguments, **options)
        return reaction.is_natural_end

    assert natural_end((3.64, 5.64), texts=short) is True
    assert natural_end((3.64, 5.64), texts=long) is False
    assert natural_end((3.64, 5.64)) is None
    assert natural_end((3.64, 5.64), texts=short, rate=None) is None
    assert natural_end((3.64, 9.0), texts=short) is None  # no stop


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        ((), [("taken", False)]),
        (((1.5, 1.9),), [("taken", True)]),  # begins where the pause does
        (((1.99, 4.0),), [("taken", True)]),
        (((2.0, 4.0),), [("taken", False)]),  # begins where the user goes on
        (((1.49, 1.6),), []),  # spoke before
        (((1.0, 1.5),), [("taken", False)]),  # silent again
    ],
)
def test_pause_is_taken_if_the_agent_begins_in_it(agent, expected):
    assert acts([Event("pause", 1.5, 2.0)], *agent) == expected


def test_pause_outside_user_turns_is_not_looked_at():
    assert acts([Event("pause", 3.0, 4.0)], (3.5, 5.0)) == []


@pytest.mark.parametrize(
    ("begin", "is_answered"),
    [(6.0, True), (6.3, True), (7.54, True), (7.55, False), (5.9, None)],
)
def test_sound_in_silence_is_answered_if_the_agent_begins_soon(begin, is_answered):
    events = [Event("backchannel", 6.0, 6.4, "mhm")]  # and 1.14 s
    expected = [] if is_answered is None else [("answered", is_answered)]
    assert acts(events, (3.64, 5.0), (begin, 9.0)) == expected


def test_agent_that_begins_after_the_next_user_turn_did_not_answer_the_sound():
    events = [Event("noise", 9.5, 9.6)]
    assert acts(events, (3.64, 5.0), (10.2, 10.5)) == [("answered", False)]
    assert acts(events, (3.64, 5.0), (9.9, 10.5)) == [("answered", True)]


def test_sound_before_the_answer_to_the_user_is_not_looked_at():
    noise = [Event("noise", 3.2, 3.3)]
    assert acts(noise, (3.64, 5.0)) == []
    assert acts(noise) == []
    # Stopped for the user: the answer is still to come.
    assert acts(noise, (0.0, 3.1), (3.64, 5.0)) == []
    # Was early and has finished.
    assert acts(noise, (2.9, 3.1), (3.64, 5.0)) == [("answered", True)]


def test_sound_before_the_first_user_turn_calls_for_no_answer():
    assert acts([Event("noise", 0.2, 0.3)], (0.5, 0.8)) == [("answered", True)]
    assert acts([Event("noise", 5.0, 5.1)], user=()) == [("answered", False)]


EVENTS = (
    Event("pause", 1.5, 2.0),
    Event("backchannel", 5.0, 5.4, "mhm"),
    Event("noise", 8.0, 8.2),
    Event("noise", 14.0, 14.1),
)


def test_silent_agent_does_nothing_wrong_where_nothing_was_owed():
    assert acts(EVENTS) == [("taken", False)]


def test_agent_that_always_talks_stops_for_nothing():
    expected = [("stopped", False)] * 3
    assert acts(EVENTS[::-1], (0.0, DURATION)) == expected


def test_counts_by_kind_of_event():
    agent = (1.6, 1.9), (3.64, 5.64), (8.5, 10.64), (12.64, 18.0)
    texts = (Turn("agent", 3.64, 5.0, "Four."),)
    counts = count_reactions(react(EVENTS, *agent, texts=texts))
    assert counts == ReactionCounts(
        backchannel=SoundCounts(1, 1, 1, 1, 0, 0),
        noise=SoundCounts(1, 0, 0, 0, 1, 1),
        pause=PauseCounts(1, 1),
    )
    assert (counts.backchannel.rate_stopped, counts.noise.rate_stopped) == (1.0, 0.0)
    assert (counts.backchannel.rate_answered, counts.noise.rate_answered) == (None, 1.0)
    assert counts.pause.rate_taken == 1.0
    assert counts + ReactionCounts.from_dict(counts.to_dict()) == counts + counts
    assert count_reactions(()) == ReactionCounts()


def reactions_in_loops(events, agent, user, options):
    """(act, is_done) by the definitions in words; all times in milliseconds."""
    found = []
    for kind, onset, end in sorted(events, key=lambda event: event[1:]):
        turn = [u for u in user if u[0] <= onset < u[1]]
        following = [u[0] for u in user if u[0] > onset]
        speaking = [a for a in agent if a[0] < onset < a[1]]
        if kind == "pause":
            if turn and not speaking:
                found.append(("taken", any(onset <= a[0] < end for a in agent)))
            continue
        if turn:
            continue
        heard = [a for a in agent if a[1] > onset and onset - a[0] >= options[0]]
        if heard:
            stop = heard[0][1]
            is_alone = not any(moment < stop for moment in following)
            is_soon = stop < DURATION * 1000 and stop - onset <= options[1]
            found.append(("stopped", is_soon and is_alone))
        elif not speaking:
            past = [u for u in user if u[1] <= onset]
            if past and not any(
                a[0] >= past[-1][0] and past[-1][1] < a[1] <= onset for a in agent
            ):
                continue
            starts = [a[0] for a in agent if onset <= a[0] <= end + options[2]]
            is_done = any(all(s < moment for moment in following) for s in starts)
            found.append(("answered", is_done))
    return found


def test_arrays_and_plain_loops_agree_on_random_timelines():
    seen = set()
    for seed in range(1000):
        rng = random.Random(seed)

        # Few moments, some apart by just a limit, so that edges coincide.
        moments = rng.sample(range(0, 20_001, 20), 8)
        moments += [moment + rng.choice((240, 1500, 1140)) for moment in moments]
        moments = {min(moment, 20_000) for moment in moments}

        def spans(most):
            most = min(most, len(moments) // 2)
            edges = sorted(rng.sample(sorted(moments), 2 * rng.randint(0, most)))
            return list(zip(edges[::2], edges[1::2]))

        agent, user, kinds = spans(8), spans(5), ("pause", "backchannel", "noise")
        events = [(rng.choice(kinds), *span) for span in spans(6)]
        found = find_reactions(
            [Segment(start / 1000, end / 1000) for start, end in agent],
            [Segment(start / 1000, end / 1000) for start, end in user],
            [Event(kind, start / 1000, end / 1000) for kind, start, end in events],
            DURATION,
        )
        expected = reactions_in_loops(events, agent, user, (240, 1500, 1140))
        assert [(one.act, one.is_done) for one in found] == expected, seed
        seen |= set(expected)
    assert len(seen) == 6  # each act, done and not done
