"""Layout + clips -> the two streams of a conversation, as they stand on disk."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Sequence, Tuple

import numpy as np
import soundfile
from draw_conversations import Layout
from scipy.signal import lfilter
from voices import AGENT_RATE, USER_RATE

from espnet2_duplex.conversation import Turn
from espnet2_duplex.timing import nearest_sample

CUT_FADE_SECONDS = 0.01
PEAK = 0.99


@dataclass(frozen=True)
class Room:
    """How the user's stream varies in training; silence stays digital elsewhere."""

    level_range_db: Tuple[float, float] = (-6.0, 6.0)
    snr_range_db: Tuple[float, float] = (20.0, 40.0)
    noise_colour_range: Tuple[float, float] = (0.0, 0.95)  # pole: white to brown
    clean_share: float = 0.25  # has no noise, as the test sets


@lru_cache(maxsize=512)
def load_clip(path: str, sample_rate: int) -> np.ndarray:
    """Samples (N,) float32 of a mono clip.

    Raises:
        ValueError: if its rate is another one; names the file.
    """
    speech, rate = soundfile.read(path, dtype="float32")
    if rate != sample_rate or speech.ndim != 1:
        raise ValueError(
            f"{path} has {rate} Hz and shape {speech.shape}; expected mono at "
            f"{sample_rate} Hz, delete it and run local/data.sh --stage 2."
        )
    return speech


def place_clips(
    turns: Sequence[Turn],
    clips: Sequence[np.ndarray],
    duration: float,
    sample_rate: int,
) -> np.ndarray:
    """Put clips at the starts of their turns; outside all is exactly zero.

    A clip that is longer than its turn is cut and its last 10 ms faded out.

    Args:
        turns: of one role.
        clips: one (N,) float32 per turn.
        duration: of the conversation, in seconds.
        sample_rate: in Hz.
    Returns:
        (duration * sample_rate,) float32.
    """
    stream = np.zeros(nearest_sample(duration, sample_rate), np.float32)
    for turn, clip in zip(turns, clips):
        start = nearest_sample(turn.start, sample_rate)
        length = min(len(clip), nearest_sample(turn.end, sample_rate) - start)
        piece = clip[:length].copy()
        # One sample of difference is rounding of the turn's end, not a cut.
        if len(clip) - length > 1:
            fade = min(length, nearest_sample(CUT_FADE_SECONDS, sample_rate))
            piece[length - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
        stream[start : start + length] = piece
    return stream


def vary_user(
    stream: np.ndarray, room: Room, generator: np.random.Generator
) -> np.ndarray:
    """Another level, and mostly some noise, for a user's stream (S,) float32."""
    level = 10 ** (generator.uniform(*room.level_range_db) / 20)
    peak = float(np.abs(stream).max())
    stream = stream * np.float32(min(level, PEAK / max(peak, 1e-6)))
    snr_db, pole = (
        generator.uniform(*bounds)
        for bounds in (room.snr_range_db, room.noise_colour_range)
    )
    if generator.random() < room.clean_share:
        return stream
    noise = generator.standard_normal(len(stream), dtype=np.float32)
    noise = lfilter([1.0], [1.0, -pole], noise).astype(np.float32)
    speech_power = np.mean(stream[stream != 0] ** 2)
    gain = np.sqrt(speech_power * 10 ** (-snr_db / 10) / np.mean(noise**2))
    return np.clip(stream + np.float32(gain) * noise, -PEAK, PEAK)


def render(layout: Layout, room: Room, seed: int) -> Tuple[np.ndarray, np.ndarray]:
    """User stream at 16 kHz and agent stream at 22.05 kHz, float32, equally long.

    Args:
        layout: what is said when; noise and level only where it says so.
        seed: with the conversation's id it decides level and noise.
    """
    conversation = layout.conversation
    streams = {}
    for role, rate in (("user", USER_RATE), ("agent", AGENT_RATE)):
        spoken = [
            (turn, load_clip(wav, rate))
            for turn, wav in zip(conversation.turns, layout.wavs)
            if turn.role == role
        ]
        turns, clips = [t for t, _ in spoken], [c for _, c in spoken]
        streams[role] = place_clips(turns, clips, conversation.duration, rate)
    if layout.is_noisy:
        key = [seed, *conversation.id.encode()]
        generator = np.random.default_rng(key)
        streams["user"] = vary_user(streams["user"], room, generator)
    return streams["user"], streams["agent"]
