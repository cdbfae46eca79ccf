"""VAD, ASR, LLM and TTS one after the other, offline in simulated real time.

The clock is that of the audio. Parts run as fast as they can, and their answer is put
where it would have begun: after the end of the user's turn, the silence that shows it
is one, and the time of computing, which is fixed (the same on all machines) or the wall
time of this one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from baselines.answerers import Answerer
from baselines.floor import Answer, FloorOptions, Reply, UserTurn, converse
from baselines.placing import Placed, agent_side, place
from baselines.sides import SAMPLE_RATE, AgentSide, Exchange, UserSide
from baselines.timed import timed
from baselines.voice import NO_SPEECH, Voice

from espnet2_duplex.timing import MICROSECONDS_PER_SECOND, nearest_sample

MARGIN_SECONDS = 0.2  # before a turn and after it: the detector hugs the speech

Detector = Callable[[np.ndarray], Sequence[bool]]  # (N,) at 16 kHz -> frames
Transcriber = Callable[[Sequence[np.ndarray]], Sequence[str]]


@dataclass(frozen=True)
class Parts:
    """What a cascade is made of."""

    detect: Detector
    transcribe: Transcriber
    answerer: Answerer
    voice: Voice


@dataclass(frozen=True)
class Content:
    """Of a reply: what the user was heard to say, and the answer to it."""

    user: str
    text: str
    speech: np.ndarray


class Cascade:
    """A voice assistant of packaged parts.

    Args:
        parts: what it is made of.
        compute_seconds: between the end of the silence and the answer; None is the
            wall time of ASR, LLM and TTS.
        options: when the floor changes hands.

    Raises:
        ValueError: the time is negative.
    """

    def __init__(
        self, parts: Parts, compute_seconds: float | None, options: FloorOptions
    ) -> None:
        if compute_seconds is not None and compute_seconds < 0:
            raise ValueError(
                f"compute_seconds is {compute_seconds}; give 0 or more seconds."
            )
        self._parts = parts
        self._compute_seconds = compute_seconds
        self._options = options

    def take_part(self, user: UserSide) -> AgentSide:
        """See `System`; it declares the mean delay of its answers as latency."""
        frames = self._parts.detect(user.speech)
        respond = partial(self._respond, user)
        answers = converse(frames, user.duration, respond, self._options)
        placed = [answer for answer in map(place_answer, answers) if answer is not None]
        return agent_side(placed, len(user.speech), self._latency(answers))

    def _latency(self, answers: Sequence[Answer]) -> float:
        """Mean seconds from the user's last speech to the answer."""
        computes = [answer.reply.compute_seconds for answer in answers]
        if self._compute_seconds is not None or not computes:
            computes = [self._compute_seconds or 0.0]
        return self._options.end_silence_seconds + sum(computes) / len(computes)

    def _respond(
        self, user: UserSide, turn: UserTurn, answers: Sequence[Answer]
    ) -> Reply[Content]:
        clip = cut_turn(user.speech, turn)
        transcript = timed(lambda: self._parts.transcribe([clip])[0])
        seconds = transcript.seconds
        text, speech = "", NO_SPEECH
        if any(char.isalnum() for char in transcript.value):
            dialogue = [*dialogue_of(answers), Exchange(transcript.value, "")]
            written = self._parts.answerer.answer(user, len(answers), dialogue)
            text, seconds = written.value, seconds + written.seconds
        if text:
            spoken = self._parts.voice.say(text)
            speech, seconds = spoken.value, seconds + spoken.seconds
        if self._compute_seconds is not None:
            seconds = self._compute_seconds
        content = Content(transcript.value, text, speech)
        return Reply(seconds, len(speech) / SAMPLE_RATE, content)


def place_answer(answer: Answer) -> Placed | None:
    """An answer in the agent's channel; None if it is shorter than a sample."""
    content = answer.reply.content
    start, end = _seconds(answer.start_us), _seconds(answer.end_us)
    return place(content.text, content.speech, start, end)


def dialogue_of(answers: Sequence[Answer]) -> list[Exchange]:
    """What both have heard of each other so far."""
    placed = [(answer.reply.content.user, place_answer(answer)) for answer in answers]
    return [Exchange(user, reply.said if reply else "") for user, reply in placed]


def cut_turn(speech: np.ndarray, turn: UserTurn) -> np.ndarray:
    """The samples of a user turn with a margin on both sides.

    Args:
        speech: (N,) at 16 kHz, the user's channel.
        turn: inside it.
    """
    first = nearest_sample(_seconds(turn.start_us) - MARGIN_SECONDS, SAMPLE_RATE)
    last = nearest_sample(_seconds(turn.end_us) + MARGIN_SECONDS, SAMPLE_RATE)
    return speech[max(0, first) : last]


def _seconds(time_us: int) -> float:
    return time_us / MICROSECONDS_PER_SECOND
