"""Gap, concatenation, barge-in and impatience (Sec. 4 and 5.2)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from espnet2_duplex.conversation import (
    CUT_SECONDS,
    GAP_SECONDS,
    Conversation,
    Turn,
)
from espnet2_duplex.simulation.timeline import impatient_pauses, lay_out
from espnet2_duplex.simulation.turn_times import TurnRules, Utterance
from espnet2_duplex.timing import FrameClock, microseconds

CLOCK = FrameClock()
QUESTION = Utterance("user", "why?", 1.0)
ANSWER = Utterance("agent", "because.", 3.0)
ANYWHERE = TurnRules(on_frames=False)
SILENCES = {"lead_seconds": 0.5, "tail_seconds": 1.0}


def spans(conversation, role):
    turns = {"user": conversation.user_turns, "agent": conversation.agent_turns}[role]
    return [(turn.start, turn.end) for turn in turns]


def two_exchanges(pause_seconds, on_frames=False):
    utterances = [QUESTION, ANSWER, QUESTION, ANSWER]
    pauses = {"pauses_seconds": [pause_seconds]}
    return lay_out(
        "c1", utterances, **pauses, **SILENCES, rules=TurnRules(on_frames=on_frames)
    )


def test_agent_speaks_a_gap_after_the_user():
    conversation = lay_out(
        "c1", [QUESTION, ANSWER], pauses_seconds=[], rules=ANYWHERE, **SILENCES
    )
    assert conversation == Conversation(
        "c1",
        (Turn("user", 0.5, 1.5, "why?"), Turn("agent", 2.14, 5.14, "because.")),
        6.16,  # 77 frames
    )


def test_pause_counts_from_the_end_of_the_answer():
    conversation = two_exchanges(pause_seconds=0.8)
    assert spans(conversation, "user") == [(0.5, 1.5), (5.94, 6.94)]
    assert spans(conversation, "agent") == [(2.14, 5.14), (7.58, 10.58)]
    assert conversation.duration == 11.6


def test_barge_in_cuts_the_agent_after_the_onset():
    conversation = two_exchanges(pause_seconds=-1.0)
    assert spans(conversation, "user") == [(0.5, 1.5), (4.14, 5.14)]
    assert spans(conversation, "agent") == [(2.14, 4.78), (5.78, 8.78)]
    assert conversation.agent_turns[0].text == "because."


def test_cut_never_lengthens_an_answer():
    conversation = two_exchanges(pause_seconds=-0.3)
    assert spans(conversation, "agent")[0] == (2.14, 5.14)


def test_turns_stay_sorted_when_they_overlap():
    starts = [turn.start for turn in two_exchanges(-1.0).turns]
    assert starts == sorted(starts)


def test_on_frames_the_users_turn_ends_so_that_the_agent_begins_on_a_frame():
    conversation = two_exchanges(pause_seconds=0.8, on_frames=True)
    # 0.5 + 1 + 0.64 = 2.14 lies before frame 27 (2.16); 7.60 is frame 95.
    assert spans(conversation, "user") == [(0.5, 1.52), (5.96, 6.96)]
    assert spans(conversation, "agent") == [(2.16, 5.16), (7.6, 10.6)]
    assert conversation.duration == 11.6  # 145 frames


def test_the_agent_may_speak_first():
    greeting = Utterance("agent", "hello", 1.0)
    conversation = lay_out(
        "c1",
        [greeting, QUESTION, ANSWER],
        pauses_seconds=[0.7],
        rules=ANYWHERE,
        **SILENCES,
    )
    assert spans(conversation, "agent") == [(0.5, 1.5), (3.84, 6.84)]
    assert spans(conversation, "user") == [(2.2, 3.2)]


def test_given_starts_are_kept_and_a_start_inside_an_answer_cuts_it():
    again = Utterance("user", "stop", 1.0, start=3.0)
    answer = Utterance("agent", "ok", 1.0, start=5.03)
    conversation = lay_out(
        "c1",
        [QUESTION, ANSWER, again, answer],
        pauses_seconds=[9.0],
        **SILENCES,
    )
    assert spans(conversation, "user")[1] == (3.0, 4.0)
    assert spans(conversation, "agent") == [(2.16, 3.64), (5.04, 6.04)]


@pytest.mark.parametrize("start", [0.0, None])
def test_an_agent_must_not_begin_in_a_user_turn_whose_times_are_open(start):
    question = Utterance("user", "why?", 5.0, start)
    answer = Utterance("agent", "because.", 1.0, start=2.0)
    message = (
        "conversation c1: the agent's turn 'because.' starts at 2 s, before the user's "
        "turn 'why\\?' ends at 5.* s; leave out the agent's start, or, .* give the user's"
    )
    with pytest.raises(ValueError, match=message):
        lay_out("c1", [question, answer], pauses_seconds=[], **SILENCES)


def test_an_open_user_turn_may_end_where_the_given_answer_begins():
    answer = Utterance("agent", "because.", 1.0, start=1.52)
    conversation = lay_out(
        "c1",
        [QUESTION, answer],
        pauses_seconds=[],
        **{**SILENCES, "lead_seconds": 0.52},
    )
    assert spans(conversation, "user") == [(0.52, 1.52)]
    assert spans(conversation, "agent") == [(1.52, 2.52)]


def test_turns_whose_start_and_end_are_given_are_neither_moved_nor_cut():
    utterances = [
        Utterance("user", "why?", 5.0, start=0.0, end=5.0),
        Utterance("agent", "well", 4.0, start=4.0, end=8.0),
        Utterance("user", "uh-huh", 0.4, start=6.0, end=6.4),
        Utterance("agent", "because.", 2.0, start=9.2, end=11.2),
    ]
    conversation = lay_out("c1", utterances, pauses_seconds=[0.5], **SILENCES)
    assert spans(conversation, "user") == [(0.0, 5.0), (6.0, 6.4)]
    assert spans(conversation, "agent") == [(4.0, 8.0), (9.2, 11.2)]


def test_an_agent_that_would_begin_while_it_still_speaks_is_refused():
    utterances = [
        QUESTION,
        Utterance("agent", "well", 4.0, start=4.0, end=8.0),
        Utterance("user", "uh-huh", 0.4, start=6.0, end=6.4),
        ANSWER,
    ]
    with pytest.raises(ValueError, match="c1, turn 3: .* must not overlap"):
        lay_out("c1", utterances, pauses_seconds=[0.5], **SILENCES)


def test_number_of_pauses_must_fit():
    with pytest.raises(ValueError, match="conversation c1: 2 pauses .*expected 1"):
        lay_out(
            "c1", [QUESTION, ANSWER, QUESTION], pauses_seconds=[1.0, 1.0], **SILENCES
        )


def test_roles_must_alternate():
    with pytest.raises(ValueError, match="c1: the roles are user, user; .*join"):
        lay_out("c1", [QUESTION, QUESTION], pauses_seconds=[1.0], **SILENCES)


def test_user_cannot_barge_in_before_the_agent_speaks():
    with pytest.raises(ValueError, match="conversation c1: the user begins at 2.14 s"):
        two_exchanges(pause_seconds=-3.0)


def test_impatient_halves_the_silence_between_user_turns():
    # The user is silent for 0.64 + 3 + 0.8 = 4.44 s; half of it ends 1.42 s before
    # the end of the answer.
    (pause,) = impatient_pauses([3.0], [0.8], heard_seconds=0.3)
    assert pause == pytest.approx(-1.42)
    hurried = two_exchanges(pause)
    assert spans(hurried, "user") == [(0.5, 1.5), (3.72, 4.72)]
    assert spans(hurried, "agent") == [(2.14, 4.36), (5.36, 8.36)]


def test_impatient_user_lets_some_of_the_answer_be_heard():
    # Half of 0.64 + 1 + 0 s lies 0.18 s into the answer; 0.3 s must be heard.
    assert impatient_pauses([1.0], [0.0], heard_seconds=0.3) == [-0.7]


def test_impatience_after_a_long_pause_is_no_barge_in():
    assert impatient_pauses([1.0], [3.0], heard_seconds=0.3) == [
        pytest.approx((0.64 + 1 + 3) / 2 - 0.64 - 1)
    ]


seconds = st.integers(min_value=4800, max_value=160000).map(lambda n: n / 16000)


@given(st.lists(st.tuples(seconds, seconds), min_size=1, max_size=5), st.data())
def test_gap_and_cut_are_exact_in_any_conversation(lengths, data):
    utterances, pauses = [], []
    for question, answer in lengths:
        utterances += [
            Utterance("user", "q", question),
            Utterance("agent", "a", answer),
        ]
        pauses.append(data.draw(st.floats(-0.8 * answer, 3.0)))
    on_frames = data.draw(st.booleans())
    conversation = lay_out(
        "c",
        utterances,
        lead_seconds=data.draw(st.floats(0, 2)),
        pauses_seconds=pauses[:-1],
        tail_seconds=1.0,
        rules=TurnRules(on_frames=on_frames),
    )
    num_frames = CLOCK.nearest_frame(conversation.duration)
    assert conversation.duration == pytest.approx(CLOCK.seconds(num_frames))
    users, agents = conversation.user_turns, conversation.agent_turns
    starts = [turn.start for turn in conversation.turns]
    assert starts == sorted(starts)
    # Times are kept to the microsecond, so that a difference may be off by one.
    for user, agent in zip(users, agents):
        assert abs(microseconds(agent.start - user.end - GAP_SECONDS)) <= 1
        if on_frames:
            frame = CLOCK.nearest_frame(agent.start)
            assert abs(microseconds(agent.start - CLOCK.seconds(frame))) <= 1
    for (question, _), user in zip(lengths, users):
        silence = user.end - user.start - question
        assert -2e-6 <= silence < (0.08 if on_frames else 2e-6)
    for (_, answer), agent, user in zip(lengths, agents, users[1:]):
        uncut = agent.start + answer
        if user.start < uncut - 2e-6:
            expected = min(uncut, user.start + CUT_SECONDS)
            assert abs(microseconds(agent.end - expected)) <= 1
        else:
            assert abs(microseconds(agent.end - uncut)) <= 1
