"""When backchannels come, compared with when people give them."""

from collections.abc import Sequence

import numpy as np

from espnet2_duplex.metrics.activity import Segment

BIN_SECONDS = 0.2
EPSILON = 1e-10  # added to each bin


def histogram_of(segments: Sequence[Segment], duration: float) -> np.ndarray:
    """Share of the segments in each 0.2 s of a recording (eval_backchannel.py).

    Args:
        segments: inside the recording; each counts in every bin that it touches.
        duration: of the recording, in seconds.
    Returns:
        (bins,) float64, sums to 1.
    """
    counts = np.zeros(int(duration / BIN_SECONDS) + 1)
    for segment in segments:
        first, last = int(segment.start / BIN_SECONDS), int(segment.end / BIN_SECONDS)
        counts[first : last + 1] += 1
    counts += EPSILON
    return counts / counts.sum()


def distance_to_humans(histogram: np.ndarray, human: np.ndarray) -> float:
    """Jensen-Shannon distance, natural logarithm: from 0 to sqrt(ln 2) = 0.833.

    Args:
        histogram: (bins,) of the agent.
        human: (other bins,) of people; brought to the same bins by linear interpolation
            over the recording.
    """
    # Imported here, as every scorer of a few samples need not wait for it.
    from scipy.spatial.distance import jensenshannon

    places = np.linspace(0, 1, len(histogram))
    resized = np.interp(places, np.linspace(0, 1, len(human)), human)
    return float(jensenshannon(histogram, resized))
