"""Where silero hears speech, with the settings that Full-Duplex-Bench leaves at default."""

from collections.abc import Callable

import numpy as np

from espnet2_duplex.metrics.activity import SAMPLE_RATE, Segment

# Samples (S,) float32 -> segments in time order; times as if they were at 16 kHz.
BenchDetector = Callable[[np.ndarray], tuple[Segment, ...]]


def make_bench_detector(num_decimals: int | None = None) -> BenchDetector:
    """Silero with its own defaults: 0.25 s of speech, 0.1 s of silence, 30 ms of padding.

    Args:
        num_decimals: of the seconds to round to; eval_backchannel.py leaves silero's
            default of 1, get_timing.py does not round (None).
    """
    # Imported here: the rest of the package is used without the network.
    from silero_vad import get_speech_timestamps_sequence, load_silero_vad

    network = load_silero_vad(sequence=True)

    def detect(samples: np.ndarray) -> tuple[Segment, ...]:
        spans = get_speech_timestamps_sequence(
            samples,
            network,
            sampling_rate=SAMPLE_RATE,
            return_seconds=num_decimals is not None,
            time_resolution=num_decimals or 0,
        )
        scale = 1 if num_decimals is not None else SAMPLE_RATE
        return tuple(
            Segment(span["start"] / scale, span["end"] / scale) for span in spans
        )

    return detect
