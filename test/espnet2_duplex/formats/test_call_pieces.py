import pytest
from hypothesis import given
from hypothesis import strategies as st

from espnet2_duplex.conversation import Turn
from espnet2_duplex.events import Event
from espnet2_duplex.formats.call_pieces import (
    Gap,
    common_gaps,
    cut_frames,
    pieces_of,
)
from espnet2_duplex.formats.recording import make_recording
from espnet2_duplex.formats.sounds import FileSound


def call(turns, seconds, events=()):
    user = FileSound("call.wav", 8000, round(seconds * 8000), channel=1)
    agent = FileSound("call.wav", 8000, round(seconds * 8000))
    return make_recording("call", turns, user, agent, events=events)


def test_gaps_are_silences_of_both_between_frame_boundaries():
    turns = [Turn("user", 0.1, 1.0, ""), Turn("agent", 0.9, 1.3, "a")]
    turns += [Turn("user", 1.33, 2.0, ""), Turn("agent", 2.0, 2.2, "b")]
    assert common_gaps(call(turns, 2.4)) == [
        Gap(0, 1, "user"),
        # No boundary lies from 1.3 to 1.33 s; one lies at 2.0 s between the turns.
        Gap(25, 25, "agent"),
        Gap(28, 30, "user"),
    ]


def test_the_longest_silence_of_the_second_half_before_a_user_is_taken():
    early, agent = Gap(10, 40, "user"), Gap(60, 90, "agent")
    users = [Gap(70, 74, "user"), Gap(91, 97, "user")]
    assert cut_frames([early, agent, *users], 150, 100) == [94]
    assert cut_frames([early, agent], 150, 100) == [75]
    assert cut_frames([Gap(2, 4, "user"), early], 120, 100) == [25]


def test_a_silence_longer_than_a_piece_is_cut_in_reach():
    cuts = cut_frames([Gap(0, 1000, "user")], 1000, 100)
    assert all(0 < b - a <= 100 for a, b in zip([0, *cuts], [*cuts, 1000]))


def test_speech_without_end_is_refused():
    with pytest.raises(ValueError, match="from 0.80 s on for 8 s, so that the call"):
        cut_frames([Gap(10, 10, "user")], 300, 100)


def test_pieces_may_be_silent_and_events_move_along():
    turns = [Turn("user", 1.0, 2.0, ""), Turn("agent", 21.0, 22.0, "a")]
    whole = call(turns, 24.0, [Event("noise", 20.5, 20.7)])
    pieces = pieces_of(whole, 8.0)
    assert [len(piece.conversation.turns) for piece in pieces] == [1, 0, 0, 1]
    last = pieces[3]
    (event,), (turn,) = last.events, last.conversation.turns
    assert round(turn.start - event.start, 6) == 0.5
    first_second = last.user.first_sample / 8000
    assert round(first_second + turn.start, 6) == 21.0


@given(st.lists(st.integers(1, 60), min_size=2, max_size=40), st.integers(61, 200))
def test_no_piece_is_too_long_and_no_turn_is_cut(lengths, max_frames):
    """Turns and silences of drawn numbers of frames take turns."""
    turns, now = [], 0
    for index, length in enumerate(lengths):
        if index % 2:
            role = "user" if index % 4 == 1 else "agent"
            turns.append(Turn(role, now * 0.08, (now + length) * 0.08, "x"))
        now += length
    whole = call(turns, now * 0.08)
    pieces = pieces_of(whole, max_frames * 0.08)
    assert sum(len(piece.conversation.turns) for piece in pieces) == len(turns)
    limit = max_frames * 0.08 + 1e-9
    assert all(piece.conversation.duration <= limit for piece in pieces)
    assert all(piece.user.first_sample % 640 == 0 for piece in pieces)
