"""One stream of a conversation, by reference: its samples are read when asked for."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import soundfile

from espnet2_duplex.dataset_checks import check_speech
from espnet2_duplex.timing import nearest_sample


class Sound(Protocol):
    """Mono sound that is somewhere on disk.

    Attributes:
        path: the file it is read from; None of sound that is made up.
        sample_rate: in Hz.
        num_samples: of :meth:`read`.
    """

    path: Path | None
    sample_rate: int
    num_samples: int

    def read(self) -> np.ndarray:
        """Samples (num_samples,) float32.

        Raises:
            ValueError: the file is damaged or has samples that are no finite numbers.
        """


@dataclass(frozen=True)
class FileSound:
    """A stretch of one channel of a sound file.

    Attributes:
        path: anything that libsndfile reads.
        sample_rate: of the file, in Hz.
        num_samples: of the stretch.
        channel: from 0.
        first_sample: where the stretch begins.
    """

    path: Path
    sample_rate: int
    num_samples: int
    channel: int = 0
    first_sample: int = 0

    def read(self) -> np.ndarray:
        try:
            samples, _ = soundfile.read(
                self.path,
                frames=self.num_samples,
                start=self.first_sample,
                dtype="float32",
                always_2d=True,
            )
        except soundfile.LibsndfileError as problem:
            raise ValueError(_unreadable(self.path, problem)) from problem
        return _checked(self, np.ascontiguousarray(samples[:, self.channel]))


@dataclass(frozen=True)
class LoadedSound:
    """Sound that another library decodes.

    Attributes:
        path: the file it comes from.
        sample_rate: in Hz.
        num_samples: expected of `load`.
        load: gives (num_samples,) float32.
    """

    path: Path
    sample_rate: int
    num_samples: int
    load: Callable[[], np.ndarray] = field(repr=False)

    def read(self) -> np.ndarray:
        return _checked(self, self.load())


@dataclass(frozen=True)
class Silence:
    """An agent that has not spoken yet.

    Attributes:
        sample_rate: in Hz.
        num_samples: all of them zero.
    """

    sample_rate: int
    num_samples: int
    path: None = None

    def read(self) -> np.ndarray:
        return np.zeros(self.num_samples, np.float32)


def open_channels(path: Path, num_channels: int) -> list[FileSound]:
    """The channels of a sound file; only its header is read.

    Raises:
        ValueError: the file is missing, unreadable or empty, or has another number of
            channels.
    """
    if not Path(path).is_file():
        raise ValueError(f"{path} does not exist; correct the path or make the file.")
    try:
        info = soundfile.info(path)
    except soundfile.LibsndfileError as problem:
        raise ValueError(_unreadable(path, problem)) from problem
    if info.channels != num_channels:
        expected = {1: "one (mono)", 2: "two, one for each speaker"}[num_channels]
        raise ValueError(
            f"{path} has {info.channels} channel(s); expected {expected}, so write it "
            "again from recordings of the speakers."
        )
    if info.frames == 0:
        raise ValueError(f"{path} has no samples; record it again or leave it out.")
    return [
        FileSound(Path(path), info.samplerate, info.frames, channel)
        for channel in range(num_channels)
    ]


def seconds_of(*sounds: Sound) -> float:
    """Length of the longest."""
    return max(sound.num_samples / sound.sample_rate for sound in sounds)


def read_stream(sound: Sound, sample_rate: int, seconds: float) -> np.ndarray:
    """Samples (N,) float32 at a rate, with silence after them up to a length.

    Sound that has the rate already keeps its samples.

    Args:
        sound: not longer than `seconds`.
        sample_rate: in Hz.
        seconds: of the result, to the nearest sample.
    """
    samples = sound.read()
    if sound.sample_rate != sample_rate:
        samples = _resample(samples, sound.sample_rate, sample_rate)
    num_samples = nearest_sample(seconds, sample_rate)
    # soxr's lengths are rounded up; one sample more than the nearest may come out.
    samples = samples[:num_samples]
    return np.pad(samples, (0, num_samples - len(samples)))


def _resample(samples: np.ndarray, old_rate: int, new_rate: int) -> np.ndarray:
    try:
        import soxr  # here, because most conversions need no resampling
    except ImportError as problem:
        raise ValueError(
            f"resampling from {old_rate} to {new_rate} Hz needs the package soxr, which "
            "is not installed; run pip install 'espnet2-duplex[formats]'."
        ) from problem
    return soxr.resample(samples, old_rate, new_rate)


def _checked(sound: Sound, samples: np.ndarray) -> np.ndarray:
    if len(samples) != sound.num_samples:
        raise ValueError(
            f"{sound.path} has {len(samples)} samples where {sound.num_samples} are "
            "announced; it is cut off, so write it again."
        )
    check_speech(str(sound.path), samples, sound.sample_rate, sound.sample_rate)
    return samples


def _unreadable(path: Path, problem: soundfile.LibsndfileError) -> str:
    return (
        f"{path} cannot be read as audio ({problem.error_string.rstrip('.')}); write "
        "it again as wav."
    )
