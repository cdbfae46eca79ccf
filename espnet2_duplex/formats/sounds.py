"""One stream of a conversation, by reference: its samples are read when asked for."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

from espnet2_duplex.dataset_checks import check_speech
from espnet2_duplex.sound_files import read_header, read_samples, resample


class Sound(Protocol):
    """Mono sound that is somewhere on disk.

    Attributes:
        path: the file it is read from; None of sound that is made up.
        sample_rate: in Hz.
        num_samples: of :meth:`read`.
        part: what of the file it is, in JSON's types.
    """

    path: Path | None
    sample_rate: int
    num_samples: int
    part: tuple

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

    @property
    def part(self) -> tuple:
        """Channel and first sample."""
        return self.channel, self.first_sample

    def read(self) -> np.ndarray:
        samples, _ = read_samples(self.path, self.first_sample, self.num_samples)
        return _checked(self, np.ascontiguousarray(samples[:, self.channel]))


@dataclass(frozen=True)
class LoadedSound:
    """Sound that another library decodes.

    Attributes:
        path: the file it comes from.
        sample_rate: in Hz.
        num_samples: expected of `load`.
        load: gives (num_samples,) float32.
        part: see :class:`Sound`.
    """

    path: Path
    sample_rate: int
    num_samples: int
    load: Callable[[], np.ndarray] = field(repr=False)
    part: tuple = ()

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
    part: tuple = ()

    def read(self) -> np.ndarray:
        return np.zeros(self.num_samples, np.float32)


def open_channels(path: Path, num_channels: int) -> list[FileSound]:
    """The channels of a sound file; only its header is read.

    Raises:
        ValueError: the file is missing, unreadable or empty, or has another number of
            channels.
    """
    header = read_header(path)
    if header.num_channels != num_channels:
        expected = {1: "one (mono)", 2: "two, one for each speaker"}[num_channels]
        raise ValueError(
            f"{path} has {header.num_channels} channel(s); expected {expected}, so "
            "write it again from recordings of the speakers."
        )
    if header.num_samples == 0:
        raise ValueError(f"{path} has no samples; record it again or leave it out.")
    return [
        FileSound(Path(path), header.sample_rate, header.num_samples, channel)
        for channel in range(num_channels)
    ]


def seconds_of(*sounds: Sound) -> float:
    """Length of the longest."""
    return max(sound.num_samples / sound.sample_rate for sound in sounds)


def read_stream(sound: Sound, sample_rate: int, num_samples: int) -> np.ndarray:
    """Samples (num_samples,) float32 at a rate, the last of them perhaps silence.

    Sound that has the rate already keeps its samples.

    Args:
        sound: not longer than `num_samples`, but for the rounding of its length.
        sample_rate: in Hz.
        num_samples: of the result.
    """
    samples = resample(sound.read(), sound.sample_rate, sample_rate)
    # soxr's lengths are rounded up; one sample more than the nearest may come out.
    samples = samples[:num_samples]
    return np.pad(samples, (0, num_samples - len(samples)))


def _checked(sound: Sound, samples: np.ndarray) -> np.ndarray:
    if len(samples) != sound.num_samples:
        raise ValueError(
            f"{sound.path} has {len(samples)} samples where {sound.num_samples} are "
            "announced; it is cut off, so write it again."
        )
    check_speech(str(sound.path), samples, sound.sample_rate, sound.sample_rate)
    return samples
