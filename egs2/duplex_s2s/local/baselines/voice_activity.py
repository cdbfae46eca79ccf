"""Is the user speaking? One answer for each 32 ms, each from the past alone."""

from collections.abc import Iterable

import numpy as np
from baselines.sides import SAMPLE_RATE

THRESHOLD = 0.5  # probability from which speech begins: silero's own
RELEASE = 0.35  # below which it ends, likewise: no flicker between words


class SileroFrames:
    """silero-vad over a whole channel: what its streaming form gives frame by frame."""

    def __init__(self) -> None:
        # Imported here: systems without a detector do without the package.
        from silero_vad import load_silero_vad

        self._network = load_silero_vad(sequence=True)

    def __call__(self, speech: np.ndarray) -> list[bool]:
        """Whether each frame of speech (N,) float32 at 16 kHz is speech."""
        probabilities = self._network.audio_forward(speech, SAMPLE_RATE)
        return with_hysteresis(probabilities.tolist(), THRESHOLD, RELEASE)


def with_hysteresis(
    probabilities: Iterable[float], threshold: float, release: float
) -> list[bool]:
    """Speech from `threshold` on until a probability is below `release`."""
    states, speaks = [], False
    for probability in probabilities:
        speaks = probability >= (release if speaks else threshold)
        states.append(speaks)
    return states
