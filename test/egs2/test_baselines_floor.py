import pytest
from baselines.floor import FRAME_US, FloorOptions, Reply, converse
from hypothesis import given
from hypothesis import strategies as st

from espnet2_duplex.timing import microseconds

FRAME_SECONDS = 0.032
SILENCE_US = 500_000
LIMIT_US = 7 * FRAME_US  # 0.2 s of speech are known at the end of the seventh frame


def frames(*runs):
    """Frames from (number, is speech) in turn, silence first."""
    return [bool(n % 2) for n, length in enumerate(runs) for _ in range(length)]


def replying(compute_seconds=0.3, duration_seconds=1.0):
    """Always the same reply; the turns asked for are in `.turns`."""

    def respond(turn, answers):
        respond.turns.append(turn)
        return Reply(compute_seconds, duration_seconds, len(answers))

    respond.turns = []
    return respond


def spans(answers):
    return [(answer.start_us, answer.end_us) for answer in answers]


def run(is_speech, respond, options=FloorOptions()):
    return converse(is_speech, len(is_speech) * FRAME_SECONDS, respond, options)


def test_an_answer_begins_after_the_silence_and_the_computing():
    respond = replying()
    # Speech from 0.32 to 0.96 s; its end is known at 1.46 s, the answer at 1.76 s.
    answers = run(frames(10, 20, 100), respond)
    assert spans(answers) == [(1_760_000, 2_760_000)]
    (turn,) = respond.turns
    assert (turn.start_us, turn.end_us, turn.speech_us) == (320_000, 960_000, 640_000)


def test_a_pause_inside_a_turn_does_not_end_it():
    respond = replying()
    answers = run(frames(10, 20, 14, 6, 100), respond)  # 14 frames are 0.448 s
    assert len(respond.turns) == 1 and respond.turns[0].start_us == 320_000
    assert spans(answers) == [(50 * FRAME_US + 800_000, 50 * FRAME_US + 1_800_000)]


def test_an_answer_that_has_not_begun_is_dropped_when_the_user_speaks_on():
    respond = replying()
    # Silence from 0.96 s, over at 1.46 s; speech from 1.6 s; answer due at 1.76 s.
    answers = run(frames(10, 20, 20, 10, 100), respond)
    assert [turn.end_us for turn in respond.turns] == [960_000, 60 * FRAME_US]
    assert respond.turns[1].start_us == 320_000
    assert spans(answers) == [(60 * FRAME_US + 800_000, 60 * FRAME_US + 1_800_000)]


def test_the_agent_stops_once_the_user_has_talked_for_the_limit_and_listens():
    respond = replying()
    # The answer lasts from 1.76 to 2.76 s; the user talks from 1.92 s on.
    answers = run(frames(10, 20, 30, 20, 100), respond)
    assert spans(answers)[0] == (1_760_000, 1_920_000 + LIMIT_US)
    assert respond.turns[1].start_us == 1_920_000
    assert answers[1].start_us == 80 * FRAME_US + 800_000
    assert [answer.reply.content for answer in answers] == [0, 1]


def test_a_backchannel_neither_stops_the_agent_nor_is_answered():
    respond = replying()
    answers = run(frames(10, 20, 30, 6, 100), respond)
    assert spans(answers) == [(1_760_000, 2_760_000)] and len(respond.turns) == 1


def test_speech_that_outlasts_the_answer_is_a_turn_from_its_beginning():
    respond = replying(duration_seconds=0.2)
    # The answer ends at 1.96 s, 0.04 s after the user began: too soon to be stopped.
    answers = run(frames(10, 20, 30, 20, 100), respond)
    assert spans(answers)[0] == (1_760_000, 1_960_000)
    assert respond.turns[1].start_us == 1_920_000


def test_a_noise_is_no_turn():
    assert run(frames(10, 3, 100), replying()) == ()
    assert len(run(frames(10, 4, 100), replying())) == 1


def test_nothing_to_say_ends_the_turn():
    respond = replying(duration_seconds=0.0)
    assert run(frames(10, 20, 30, 20, 100), respond) == ()
    assert [turn.start_us for turn in respond.turns] == [320_000, 1_920_000]


def test_an_answer_ends_with_the_recording():
    assert spans(run(frames(10, 20, 40), replying())) == [(1_760_000, 2_240_000)]
    assert run(frames(10, 20, 25), replying()) == ()


@pytest.mark.parametrize(
    "values, told",
    [
        ({"end_silence_seconds": 0.03}, "end_silence_seconds is 0.03"),
        ({"barge_in_speech_seconds": -1}, "barge_in_speech_seconds is -1"),
    ],
)
def test_impossible_times_are_refused(values, told):
    with pytest.raises(ValueError, match=told):
        FloorOptions(**values)


@st.composite
def conversations(draw):
    """Frames in runs, and the compute and speaking times of each reply."""
    runs = draw(st.lists(st.integers(1, 40), min_size=1, max_size=12))
    times = st.tuples(
        st.sampled_from([0.0, 0.012, 0.3, 1.0]), st.sampled_from([0.0, 0.02, 0.5, 2.0])
    )
    return frames(*runs), draw(st.lists(times, min_size=20, max_size=20))


@given(conversations())
def test_the_rules_of_the_floor_hold_in_any_conversation(conversation):
    is_speech, times = conversation

    def respond(turn, answers):
        return Reply(*times[len(answers)], None)

    answers = run(is_speech, respond)
    duration_us = len(is_speech) * FRAME_US
    for answer, following in zip(answers, [*answers[1:], None]):
        reply, end_us = answer.reply, answer.turn.end_us
        assert answer.start_us == end_us + SILENCE_US + microseconds(
            reply.compute_seconds
        )
        whole_us = answer.start_us + microseconds(reply.duration_seconds)
        assert answer.start_us < answer.end_us <= min(whole_us, duration_us)
        assert is_speech[end_us // FRAME_US - 1]
        # Silence from the turn's end to the last whole frame before the answer.
        assert not any(is_speech[end_us // FRAME_US : answer.start_us // FRAME_US])
        if answer.end_us < min(whole_us, duration_us):
            assert_cut_by_speech(is_speech, answer.end_us)
        if following is not None:
            assert answer.end_us <= following.start_us
            assert answer.turn.end_us < following.turn.end_us
    for start_us, end_us in speech_runs(is_speech):
        for answer in answers:
            late_us = min(answer.end_us, end_us) - max(start_us, answer.start_us)
            assert late_us <= LIMIT_US


def assert_cut_by_speech(is_speech, end_us):
    last = end_us // FRAME_US
    assert end_us == last * FRAME_US and all(is_speech[last - 7 : last])


def speech_runs(is_speech):
    edges = [
        n
        for n, (before, after) in enumerate(
            zip([False, *is_speech], [*is_speech, False])
        )
        if before != after
    ]
    return [(a * FRAME_US, b * FRAME_US) for a, b in zip(edges[::2], edges[1::2])]
