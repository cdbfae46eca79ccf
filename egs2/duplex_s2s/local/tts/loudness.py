"""One level for all clips, and no silence around them."""

import numpy as np

from espnet2_duplex.timing import nearest_sample

LEVEL_DBFS = -24.0  # RMS of a clip: room for peaks 24 dB above it, as speech has them
PEAK = 0.95  # where that room is not enough, the clip stays below its level
TRIM_DB = 38.0  # below the loudest 10 ms counts as silence at the ends
FADE_SECONDS = 0.004  # against clicks where the silence was cut off


def trim_and_level(speech: np.ndarray, sample_rate: int) -> np.ndarray:
    """Cut the silence off both ends and bring the rest to `LEVEL_DBFS`.

    Without that, the silences of the simulation would be longer than drawn by what a
    voice leaves around its speech, and voices would be told by their loudness.

    Args:
        speech: (N,) float.
        sample_rate: in Hz.
    Returns:
        (M,) float32, M <= N; first and last 10 ms belong to speech.
    Raises:
        ValueError: there is nothing but silence, or a sample is not a finite number.
    """
    if not np.isfinite(speech).all():
        raise ValueError("the voice gave samples that are not finite numbers")
    hop = sample_rate // 100
    num_blocks = len(speech) // hop
    blocks = np.asarray(speech[: num_blocks * hop], np.float64).reshape(-1, hop)
    power = np.mean(blocks**2, axis=1)
    if num_blocks == 0 or not power.max() > 0:
        raise ValueError("the voice gave silence")
    (loud,) = np.nonzero(power > power.max() * 10 ** (-TRIM_DB / 10))
    clip = speech[loud[0] * hop : (loud[-1] + 1) * hop].astype(np.float64)
    gain = 10 ** (LEVEL_DBFS / 20) / np.sqrt(np.mean(clip**2))
    clip *= min(gain, PEAK / np.abs(clip).max())
    fade = np.linspace(0, 1, nearest_sample(FADE_SECONDS, sample_rate))
    clip[: len(fade)] *= fade
    clip[len(clip) - len(fade) :] *= fade[::-1]
    return clip.astype(np.float32)
