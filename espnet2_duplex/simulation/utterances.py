"""Spoken turns -> utterances of alternating roles, made of parts of wav files."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from espnet2_duplex.simulation.script import Script, SpokenTurn
from espnet2_duplex.simulation.turn_times import Utterance

QUIET_SECONDS = 0.04  # what must be quiet for a pause to stand there
QUIET_DB = -25.0  # against the power of the whole clip
MIDDLE = (0.25, 0.75)  # share of the clip in which a pause may begin


@dataclass(frozen=True)
class Part:
    """A stretch of a wav file in an utterance.

    Attributes:
        wav: the file.
        start: seconds since the beginning of the utterance.
        seconds: how much of the file is heard.
        offset: seconds into the file where that begins.
    """

    wav: str
    start: float
    seconds: float
    offset: float = 0.0


@dataclass(frozen=True)
class Spoken:
    """An utterance with its sound.

    Attributes:
        utterance: role, text, length.
        parts: in order.
        pauses: (start, end) of the silences within, in seconds from its beginning.
    """

    utterance: Utterance
    parts: tuple[Part, ...]
    pauses: tuple[tuple[float, float], ...] = ()

    def with_pause(self, offset: float, pause_seconds: float) -> "Spoken":
        """The same with a silence `offset` seconds into its only part."""
        (whole,) = self.parts
        rest = offset + pause_seconds
        parts = (
            replace(whole, seconds=offset),
            Part(whole.wav, rest, whole.seconds - offset, whole.offset + offset),
        )
        seconds = self.utterance.seconds + pause_seconds
        longer = replace(self.utterance, seconds=seconds)
        return Spoken(longer, parts, ((offset, rest),))


def join_neighbours(
    turns: Sequence[SpokenTurn], draw_joint: Callable[[], float]
) -> list[Spoken]:
    """Utterances of alternating roles; neighbours of one role become one.

    Args:
        turns: in order.
        draw_joint: gives the silence between two such neighbours, in seconds.
    """
    groups = itertools.groupby(turns, key=lambda turn: turn.role)
    return [_join(list(group), draw_joint) for _, group in groups]


def is_too_long(script: Script, max_turn_seconds: float) -> bool:
    """Whether a turn of the script lasts longer than is wanted (Sec. 4.2)."""
    turns = join_neighbours(script.turns, lambda: 0.0)
    return any(one.utterance.seconds > max_turn_seconds for one in turns)


def _join(turns: list[SpokenTurn], draw_joint: Callable[[], float]) -> Spoken:
    parts: list[Part] = []
    pauses = []
    begin = turns[0].start
    end = 0.0
    for turn in turns:
        start = end
        if parts:
            given = turn.start is not None and begin is not None
            start = turn.start - begin if given else end + draw_joint()
            if start > end:
                pauses.append((end, start))
        parts.append(Part(turn.wav, start, turn.heard_seconds))
        end = start + turn.heard_seconds
    text = " ".join(turn.text for turn in turns)
    is_timed = all(turn.end is not None for turn in turns)
    last = begin + end if is_timed else None
    utterance = Utterance(turns[0].role, text, end, begin, last)
    return Spoken(utterance, tuple(parts), tuple(pauses))


def quiet_moment(speech: np.ndarray, sample_rate: int) -> float | None:
    """Where a speaker may pause: the middle of the quietest 40 ms inside a clip.

    Args:
        speech: (N,) float.
        sample_rate: in Hz.
    Returns:
        Seconds into the clip; None if it is nowhere quiet enough, as a pause within a
        word would sound like packet loss.
    """
    hop = round(QUIET_SECONDS * sample_rate)
    num_blocks = len(speech) // hop
    if num_blocks == 0:
        return None
    blocks = speech[: num_blocks * hop].reshape(-1, hop)
    power = np.einsum("ij,ij->i", blocks, blocks) / hop
    first, last = (round(share * num_blocks) for share in MIDDLE)
    middle = power[first:last]
    if len(middle) == 0 or middle.min() > power.mean() * 10 ** (QUIET_DB / 10):
        return None
    return (first + int(middle.argmin()) + 0.5) * hop / sample_rate
