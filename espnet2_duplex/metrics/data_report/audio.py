"""Faults of a stream that can be heard in it: level, clipping, silent turns."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from espnet2_duplex.conversation import Turn
from espnet2_duplex.timing import nearest_sample

FLOOR = 1e-10  # power of digital silence, -100 dB
BLOCKS_PER_SECOND = 100


@dataclass(frozen=True)
class AudioLimits:
    """What is no longer usual.

    Attributes:
        min_level_dbfs: RMS of all turns of the stream.
        max_level_dbfs: the same.
        clipped_at: samples from this magnitude on count as clipped; full scale is 1.
        max_clipped_share: of the samples of the stream.
        silence_dbfs: 10 ms of a lower RMS are silent.
        max_silence_share: of the turns' time.
    """

    min_level_dbfs: float = -45.0
    max_level_dbfs: float = -10.0
    clipped_at: float = 0.999
    max_clipped_share: float = 0.001
    silence_dbfs: float = -60.0
    max_silence_share: float = 0.6


def audio_faults(
    role: str,
    speech: np.ndarray,
    sample_rate: int,
    turns: Sequence[Turn],
    limits: AudioLimits = AudioLimits(),
) -> Iterator[str]:
    """Sentences about what is wrong with a stream.

    Args:
        role: whose stream it is.
        speech: (S,) float, full scale 1.
        sample_rate: in Hz.
        turns: of that role.
        limits: see there.
    """
    clipped = float(np.mean(np.abs(speech) >= limits.clipped_at))
    if clipped > limits.max_clipped_share:
        yield f"{clipped:.2%} of the {role}'s samples are clipped"
    power = _turn_power(speech, sample_rate, turns)
    if len(power) == 0:
        return
    level = _decibels(power.mean())
    if not limits.min_level_dbfs <= level <= limits.max_level_dbfs:
        yield f"the {role}'s turns have a level of {level:.1f} dBFS"
    silent = float(np.mean(_decibels(power) < limits.silence_dbfs))
    if silent > limits.max_silence_share:
        yield f"{silent:.0%} of the {role}'s turns are silent"


def _turn_power(
    speech: np.ndarray, sample_rate: int, turns: Sequence[Turn]
) -> np.ndarray:
    """Mean square of every whole 10 ms of the turns, (blocks,)."""
    hop = sample_rate // BLOCKS_PER_SECOND
    parts = [np.empty(0)]
    for turn in turns:
        start, end = (nearest_sample(t, sample_rate) for t in (turn.start, turn.end))
        part = speech[start:end].astype(np.float64)
        blocks = part[: len(part) // hop * hop].reshape(-1, hop)
        parts.append(np.mean(blocks**2, axis=1))
    return np.concatenate(parts)


def _decibels(power: np.ndarray) -> np.ndarray:
    return 10 * np.log10(np.maximum(power, FLOOR))
