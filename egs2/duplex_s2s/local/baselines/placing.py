"""Where an answer stands in the agent's channel, and what is heard of it."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from baselines.sides import SAMPLE_RATE, AgentSide
from tts.loudness import FADE_SECONDS

from espnet2_duplex.conversation import Turn
from espnet2_duplex.metrics.turn_taking.natural_end import said_before
from espnet2_duplex.timing import nearest_sample, whole_microseconds


@dataclass(frozen=True)
class Placed:
    """An answer in the agent's channel.

    Attributes:
        turn: with the text of the whole answer, also where it is cut, as in the data.
        said: the words that could be heard.
        speech: (N,) float32 at 16 kHz, up to the turn's end.
    """

    turn: Turn
    said: str
    speech: np.ndarray


def place(text: str, speech: np.ndarray, start: float, limit: float) -> Placed | None:
    """An answer that begins at `start` and is cut at `limit`; None if none is heard.

    Args:
        text: of the whole answer.
        speech: (N,) float32 at 16 kHz, the whole answer.
        start: seconds since the beginning of the conversation.
        limit: likewise.
    """
    num_room = nearest_sample(limit, SAMPLE_RATE) - nearest_sample(start, SAMPLE_RATE)
    heard = speech[: max(0, num_room)].copy()
    if not len(heard):
        return None
    if len(heard) < len(speech):
        _fade_out(heard)
    start = whole_microseconds(start)
    end = whole_microseconds(start + len(heard) / SAMPLE_RATE)
    characters_per_second = len(text) * SAMPLE_RATE / len(speech)
    said = said_before(text, len(heard) / SAMPLE_RATE, characters_per_second)
    return Placed(Turn("agent", start, end, text), said, heard)


def agent_side(
    answers: Iterable[Placed], num_samples: int, latency_seconds: float
) -> AgentSide:
    """A channel of `num_samples` with the answers in it, silence elsewhere."""
    channel = np.zeros(num_samples, np.float32)
    turns = []
    for answer in answers:
        first = nearest_sample(answer.turn.start, SAMPLE_RATE)
        channel[first : first + len(answer.speech)] = answer.speech
        turns.append(answer.turn)
    return AgentSide(channel, tuple(turns), latency_seconds)


def _fade_out(speech: np.ndarray) -> None:
    """Against the click of a cut."""
    num_samples = min(nearest_sample(FADE_SECONDS, SAMPLE_RATE), len(speech))
    speech[len(speech) - num_samples :] *= np.linspace(1, 0, num_samples)
