"""Backchannels and noises find their place and disturb nothing."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from espnet2_duplex.conversation import Conversation, Turn
from espnet2_duplex.simulation.section_settings import Backchannels, Noises
from espnet2_duplex.simulation.tally import Tally
from espnet2_duplex.simulation.user_sounds import (
    NO_ROOM,
    Sound,
    draw_backchannels,
    draw_noises,
    draw_start,
    free_intervals,
)

UH_HUH = Sound("uh.wav", 0.5, "uh-huh.")
COUGH = Sound("cough.wav", 0.8)
CONVERSATION = Conversation(
    "c", (Turn("user", 1.0, 3.0, "q"), Turn("agent", 3.64, 13.64, "a")), 15.0
)


def test_free_is_what_keeps_its_distance():
    assert free_intervals([(2, 3), (5, 6)], (0, 8), 0.5) == [
        (0, 1.5),
        (3.5, 4.5),
        (6.5, 8),
    ]
    assert free_intervals([(0, 9)], (1, 8), 0.5) == []


def test_a_sound_is_put_only_where_it_fits():
    rng = random.Random(0)
    starts = [draw_start(rng, [(0, 1), (5, 9)], 2.0) for _ in range(50)]
    assert all(5 <= start <= 7 for start in starts) and max(starts) - min(starts) > 1
    assert draw_start(rng, [(0, 1)], 2.0) is None


def test_a_backchannel_lies_well_inside_the_agents_turn():
    settings = Backchannels(share=1.0, margin_seconds=1.0)
    for seed in range(50):
        ((event, piece),) = draw_backchannels(
            random.Random(seed), CONVERSATION, [UH_HUH], settings, Tally()
        )
        assert (event.kind, event.text) == ("backchannel", "uh-huh.")
        assert 4.64 <= event.start and event.end <= 12.64
        assert (piece.role, piece.start, piece.seconds) == ("user", event.start, 0.5)
        assert -9 <= piece.gain_db <= -1


@pytest.mark.parametrize(
    "settings, sounds, reasons",
    [
        (Backchannels(share=1.0, min_turn_seconds=11.0), [UH_HUH], []),
        (Backchannels(share=1.0, margin_seconds=4.9), [UH_HUH], [NO_ROOM]),
        (Backchannels(share=0.0), [UH_HUH], []),
        (Backchannels(share=1.0), [], ["the voice has none"]),
    ],
)
def test_no_backchannel_where_it_does_not_fit_or_is_not_wanted(
    settings, sounds, reasons
):
    tally = Tally()
    rng = random.Random(0)
    assert not draw_backchannels(rng, CONVERSATION, sounds, settings, tally)
    assert tally.sentences() == [
        f"1 of 1 backchannels could not be had: {reason}" for reason in reasons
    ]


def test_noises_come_as_often_as_is_wanted():
    settings = Noises(per_minute=5.0, margin_seconds=0.2)
    counts = [
        len(
            draw_noises(
                random.Random(seed), CONVERSATION, [], [COUGH], settings, Tally()
            )
        )
        for seed in range(600)
    ]
    # The user is silent for 15 - 2 - 2 * 0.2 = 12.6 s: 1.05 noises.
    assert sum(counts) / len(counts) == pytest.approx(1.05, abs=0.03)


@given(st.integers(0, 10**6), st.floats(1, 60))
def test_noises_never_touch_speech_or_each_other(seed, per_minute):
    settings = Noises(per_minute=per_minute, margin_seconds=0.2)
    rng = random.Random(seed)
    tally = Tally()
    drawn = draw_noises(rng, CONVERSATION, [], [COUGH, UH_HUH], settings, tally)
    assert len(drawn) == tally.wanted["noises"] - tally.missed.total()
    busy = [(1.0, 3.0)]
    for event, _ in sorted(drawn, key=lambda pair: pair[0].start):
        assert 0 <= event.start and event.end <= 15.000001
        for start, end in busy:
            assert event.end <= start - 0.2 + 2e-6 or event.start >= end + 0.2 - 2e-6
        busy.append((event.start, event.end))
