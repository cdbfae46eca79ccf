"""When the agent speaks: a waveform becomes segments of speech."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from espnet2_duplex.timing import microseconds

SAMPLE_RATE = 16000  # of all audio that is scored, in Hz
ENERGY_FRAME_SECONDS = 0.02
VADS = ("silero", "energy")


@dataclass(frozen=True)
class Segment:
    """A stretch of speech.

    Attributes:
        start: seconds since the beginning of the recording.
        end: seconds, exclusive.

    Raises:
        ValueError: the end does not follow the start.
    """

    start: float
    end: float

    def __post_init__(self) -> None:
        if not self.start < self.end:
            raise ValueError(
                f"a segment spans {self.start} to {self.end} s; its end must follow "
                "its start"
            )


@dataclass(frozen=True)
class ActivityOptions:
    """What counts as speech; the paper leaves it open.

    Attributes:
        vad: "silero" (the network's probability of speech) or "energy".
        merge_gap_seconds: segments whose silence in between is shorter become one, so
            that a pause between words is no stop.
        min_speech_seconds: shorter bursts are no speech (silero).
        min_silence_seconds: shorter silences do not end a segment (silero).
        threshold: probability from which a 32 ms window is speech (silero).
        threshold_db: level from which a 20 ms frame is speech, in dB of full scale
            (energy).

    Raises:
        ValueError: a number is not finite or outside its range.
    """

    vad: str = "silero"
    merge_gap_seconds: float = 0.5
    min_speech_seconds: float = 0.1
    min_silence_seconds: float = 0.1
    threshold: float = 0.5
    threshold_db: float = -45.0

    def __post_init__(self) -> None:
        for name in ("merge_gap_seconds", "min_speech_seconds", "min_silence_seconds"):
            _check_range(name, getattr(self, name), 0, math.inf)
        _check_range("threshold", self.threshold, 0, 1)
        _check_range("threshold_db", self.threshold_db, -math.inf, 0)


def _check_range(name: str, value: float, lowest: float, highest: float) -> None:
    if not (math.isfinite(value) and lowest <= value <= highest):
        raise ValueError(
            f"{name} is {value}; expected a finite number from {lowest} to {highest}"
        )


def make_detector(
    options: ActivityOptions,
) -> Callable[[np.ndarray], tuple[Segment, ...]]:
    """A function from speech (S,) float32 at 16 kHz to merged segments in time order.

    Raises:
        ValueError: ``options.vad`` is unknown.
    """
    makers = {"silero": _silero_detector, "energy": _energy_detector}
    if options.vad not in makers:
        raise ValueError(
            f"the voice activity detector is {options.vad!r}; "
            f"expected one of {', '.join(makers)}"
        )
    detect = makers[options.vad](options)
    return lambda speech: merge_segments(detect(speech), options.merge_gap_seconds)


def merge_segments(
    segments: Iterable[Segment], merge_gap_seconds: float
) -> tuple[Segment, ...]:
    """Join neighbours whose silence in between is shorter than ``merge_gap_seconds``.

    Args:
        segments: in any order; they may touch or overlap.
        merge_gap_seconds: a silence of exactly this length stays.
    """
    merged: list[Segment] = []
    for segment in sorted(segments, key=lambda segment: segment.start):
        if merged:
            silence = microseconds(segment.start) - microseconds(merged[-1].end)
            if silence <= 0 or silence < microseconds(merge_gap_seconds):
                end = max(merged[-1].end, segment.end)
                merged[-1] = Segment(merged[-1].start, end)
                continue
        merged.append(segment)
    return tuple(merged)


def energy_segments(speech: np.ndarray, threshold_db: float) -> list[Segment]:
    """Runs of 20 ms frames whose root mean square reaches a fixed level.

    Args:
        speech: (S,) float at 16 kHz, full scale 1.
        threshold_db: dB of full scale.
    """
    frame_samples = round(ENERGY_FRAME_SECONDS * SAMPLE_RATE)
    num_frames = -(-len(speech) // frame_samples)
    padded = np.zeros(num_frames * frame_samples)
    padded[: len(speech)] = speech
    power = np.square(padded.reshape(num_frames, frame_samples)).mean(axis=1)  # (F,)
    active = power >= 10 ** (threshold_db / 10)
    edges = np.flatnonzero(np.diff(active, prepend=False, append=False))
    times = np.minimum(edges * frame_samples, len(speech)) / SAMPLE_RATE
    return [Segment(float(start), float(end)) for start, end in times.reshape(-1, 2)]


def _energy_detector(options: ActivityOptions):
    return lambda speech: energy_segments(speech, options.threshold_db)


def _silero_detector(options: ActivityOptions):
    # Imported here: the rest of this module is used without the network.
    from silero_vad import get_speech_timestamps_sequence, load_silero_vad

    # The "sequence" form gives the same probabilities, several hundred windows a call.
    network = load_silero_vad(sequence=True)

    def detect(speech: np.ndarray) -> list[Segment]:
        # No padding: silero's usual 30 ms on each side would move every latency.
        spans = get_speech_timestamps_sequence(
            speech,
            network,
            threshold=options.threshold,
            sampling_rate=SAMPLE_RATE,
            min_speech_duration_ms=round(options.min_speech_seconds * 1000),
            min_silence_duration_ms=round(options.min_silence_seconds * 1000),
            speech_pad_ms=0,
        )
        return [
            Segment(span["start"] / SAMPLE_RATE, span["end"] / SAMPLE_RATE)
            for span in spans
        ]

    return detect
