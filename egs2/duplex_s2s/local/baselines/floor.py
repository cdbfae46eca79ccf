"""Who has the floor: the controller of a cascade, a state machine over VAD frames.

    user      |turn-----|        |uh-huh|            |turn---------|
    silence              |-0.5-|                     |0.2|
    compute                    |---|
    agent                          |answer----------------|cut

Nothing here hears or speaks: frames of voice activity come in, the instants of answers
go out. Times are whole microseconds, so that they add without error. A frame is known
at its end; what is due at that same instant happens after it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from espnet2_duplex.timing import MICROSECONDS_PER_SECOND, microseconds

FRAME_US = 32_000  # of silero-vad: 512 samples at 16 kHz


@dataclass(frozen=True)
class FloorOptions:
    """When the floor changes hands.

    Attributes:
        end_silence_seconds: without speech, after which a user turn is over.
        barge_in_speech_seconds: of speech without a break while the agent talks, after
            which it stops; anything shorter is a backchannel and is ignored.
        min_turn_seconds: of speech in a turn; less is a noise and gets no answer.

    Raises:
        ValueError: the silence is shorter than a frame, or a time is negative.
    """

    end_silence_seconds: float = 0.5
    barge_in_speech_seconds: float = 0.2
    min_turn_seconds: float = 0.1

    def __post_init__(self) -> None:
        if microseconds(self.end_silence_seconds) < FRAME_US:
            raise ValueError(
                f"end_silence_seconds is {self.end_silence_seconds}; give at least "
                f"{FRAME_US / MICROSECONDS_PER_SECOND}, one frame of the detector."
            )
        for name in ("barge_in_speech_seconds", "min_turn_seconds"):
            if microseconds(getattr(self, name)) < 0:
                raise ValueError(
                    f"{name} is {getattr(self, name)}; give 0 or more seconds."
                )


@dataclass(frozen=True)
class UserTurn:
    """What the user has said since the agent's last answer, as the detector hears it.

    Attributes:
        start_us: beginning of its first frame of speech.
        end_us: end of its last.
        speech_us: length of all its speech.
    """

    start_us: int
    end_us: int
    speech_us: int


@dataclass(frozen=True)
class Reply[Content]:
    """What the agent is going to say.

    Attributes:
        compute_seconds: that it takes to have it.
        duration_seconds: of its speech; 0 is nothing to say.
        content: for the caller.
    """

    compute_seconds: float
    duration_seconds: float
    content: Content


@dataclass(frozen=True)
class Answer[Content]:
    """A reply on the clock; `end_us` comes early if the user cut it."""

    turn: UserTurn
    start_us: int
    end_us: int
    reply: Reply[Content]


# A user turn that is over and the answers heard so far -> what to reply.
Respond = Callable[[UserTurn, Sequence[Answer]], Reply]


@dataclass(frozen=True)
class Floor:
    """State between two frames.

    Attributes:
        turn: the user's that is not answered yet.
        run_start_us: beginning of the speech that is going on.
        answer: that waits for its time or is being said.
        answers: that are over.
    """

    turn: UserTurn | None = None
    run_start_us: int | None = None
    answer: Answer | None = None
    answers: tuple[Answer, ...] = ()


def converse(
    is_speech: Iterable[bool],
    duration_seconds: float,
    respond: Respond,
    options: FloorOptions,
) -> tuple[Answer, ...]:
    """The answers that are heard in a conversation, in time order.

    Args:
        is_speech: of the user, one for each frame of 32 ms.
        duration_seconds: of the conversation; the last answer ends there.
        respond: called when a user turn is over, with what has been said by then. If
            the user speaks on before the answer begins, its reply is dropped, and it is
            called again for the whole turn.
        options: when the floor changes hands.
    """
    floor, now_us = Floor(), 0
    for speaks in is_speech:
        now_us += FRAME_US
        floor = pass_time(floor, now_us, respond, options)
        floor = hear(floor, speaks, now_us, options)
    end_us = microseconds(duration_seconds)
    floor = pass_time(floor, end_us, respond, options)
    last = () if floor.answer is None else (floor.answer,)
    return tuple(
        replace(answer, end_us=min(answer.end_us, end_us))
        for answer in floor.answers + last
        if answer.start_us < end_us
    )


def pass_time(
    floor: Floor, until_us: int, respond: Respond, options: FloorOptions
) -> Floor:
    """All that is due before an instant: ends of turns, begins and ends of answers."""
    before = None
    while floor is not before:
        before, floor = floor, _next(floor, until_us, respond, options)
    return floor


def _next(
    floor: Floor, until_us: int, respond: Respond, options: FloorOptions
) -> Floor:
    """After the next thing that is due; the same floor if nothing is."""
    answer, turn = floor.answer, floor.turn
    if answer is not None:
        if turn is not None and answer.start_us < until_us:
            return replace(floor, turn=None)  # it has begun: the turn is answered
        if answer.end_us < until_us:
            return replace(floor, answer=None, answers=(*floor.answers, answer))
        return floor
    if turn is None:
        return floor
    over_us = turn.end_us + microseconds(options.end_silence_seconds)
    if over_us >= until_us:
        return floor
    if turn.speech_us < microseconds(options.min_turn_seconds):
        return replace(floor, turn=None)
    reply = respond(turn, floor.answers)
    if reply.duration_seconds <= 0:
        return replace(floor, turn=None)
    start_us = over_us + microseconds(reply.compute_seconds)
    end_us = start_us + microseconds(reply.duration_seconds)
    return replace(floor, answer=Answer(turn, start_us, end_us, reply))


def hear(floor: Floor, speaks: bool, now_us: int, options: FloorOptions) -> Floor:
    """After a frame of the user's channel that ends at `now_us`."""
    if not speaks:
        return replace(floor, run_start_us=None)
    start_us = floor.run_start_us
    if start_us is None:
        start_us = now_us - FRAME_US
    floor = replace(floor, run_start_us=start_us)
    answers = floor.answers
    if floor.answer is not None and floor.answer.start_us < now_us:
        if now_us - start_us < microseconds(options.barge_in_speech_seconds):
            return floor
        answers = (*answers, replace(floor.answer, end_us=now_us))
    # An answer that has not begun is dropped here: the user has more to say.
    turn = _extended(floor.turn, start_us, now_us)
    return replace(floor, turn=turn, answer=None, answers=answers)


def _extended(turn: UserTurn | None, start_us: int, now_us: int) -> UserTurn:
    if turn is None:
        return UserTurn(start_us, now_us, now_us - start_us)
    return UserTurn(turn.start_us, now_us, turn.speech_us + FRAME_US)
