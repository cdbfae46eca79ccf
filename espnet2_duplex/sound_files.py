"""Sound files: written whole or not at all, read with clear errors."""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from espnet2_duplex.atomic import replacing

FORMATS = {".wav": "WAV", ".flac": "FLAC"}


@dataclass(frozen=True)
class SoundHeader:
    """What a sound file says of itself.

    Attributes:
        sample_rate: in Hz.
        num_channels: 1 is mono.
        num_samples: of each channel.
        format: of the file, for example "WAV".
    """

    sample_rate: int
    num_channels: int
    num_samples: int
    format: str

    @property
    def seconds(self) -> float:
        """Length of the sound."""
        return self.num_samples / self.sample_rate


def pcm16(samples: np.ndarray) -> np.ndarray:
    """(N, ...) float -> (N, ...) int16, the inverse of dividing by 32768; clips.

    Several times faster than libsndfile's own conversion, and exact for samples that
    were read from a 16-bit file.
    """
    scaled = np.multiply(samples, 32768, dtype=np.float32)
    np.rint(scaled, out=scaled)
    return np.clip(scaled, -32768, 32767, out=scaled).astype(np.int16)


def encode_sound(
    samples: np.ndarray, sample_rate: int, format: str, subtype: str = "PCM_16"
) -> bytes:
    """The bytes of a sound file; the same samples give the same bytes.

    Args:
        samples: (N,) or (N, channels) float; what lies outside [-1, 1] is clipped.
        sample_rate: in Hz.
        format: "WAV" or "FLAC".
        subtype: libsndfile's name of a sample's type; "PCM_24" has 24 bits.
    """
    if subtype == "PCM_16":
        samples = pcm16(samples)
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, sample_rate, subtype, format=format)
    return buffer.getvalue()


def write_wav(
    path: str | Path, samples: np.ndarray, sample_rate: int, subtype: str = "PCM_16"
) -> None:
    """Write sound, as FLAC where the suffix of `path` is .flac.

    Args:
        path: .wav or .flac; its folder is made where there is none.
        samples: (N,) or (N, channels) float; what lies outside [-1, 1] is clipped.
        sample_rate: in Hz.
        subtype: see :func:`encode_sound`.

    Raises:
        ValueError: the suffix is another one.
        OSError: the file cannot be written; `path` is what it was.
    """
    path = Path(path)
    if path.suffix not in FORMATS:
        raise ValueError(
            f"{path} has the suffix {path.suffix!r}; name it .wav or .flac."
        )
    # Encoded in memory, because libsndfile does not tell a full disk from other errors.
    content = encode_sound(samples, sample_rate, FORMATS[path.suffix], subtype)
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def read_header(path: str | Path) -> SoundHeader:
    """Rate, channels and length of a sound file, without its samples.

    Raises:
        ValueError: it is missing or unreadable.
    """
    _check_there(path)
    try:
        info = soundfile.info(str(path))
    except soundfile.LibsndfileError as problem:
        raise ValueError(_unreadable(path, problem)) from problem
    return SoundHeader(info.samplerate, info.channels, info.frames, info.format)


def read_samples(
    path: str | Path, first: int = 0, num_samples: int | None = None
) -> tuple[np.ndarray, int]:
    """All channels of a stretch of a sound file, as they are, and their rate in Hz.

    Args:
        path: anything that libsndfile reads.
        first: sample of the file where the stretch begins.
        num_samples: of the stretch; None is to the end. A file that ends before that
            gives what there is.
    Returns:
        (N, channels) float32, and the rate.
    Raises:
        ValueError: the file is missing or unreadable.
    """
    _check_there(path)
    try:
        return soundfile.read(
            str(path),
            start=first,
            frames=-1 if num_samples is None else num_samples,
            dtype="float32",
            always_2d=True,
        )
    except soundfile.LibsndfileError as problem:
        raise ValueError(_unreadable(path, problem)) from problem


def read_mono(
    path: str | Path, sample_rate: int, first: int = 0, num_samples: int | None = None
) -> np.ndarray:
    """First channel (N,) float32 of a sound file, resampled where its rate is another.

    The first one and not the mean: channels are mostly several microphones or several
    speakers, whose mean is a comb filter or a mixture.

    Args:
        path: anything that libsndfile reads.
        sample_rate: of the result, in Hz.
        first: as in :func:`read_samples`, at the file's own rate.
        num_samples: likewise.

    Raises:
        ValueError: the file is missing, unreadable, empty or not finite.
    """
    samples, rate = read_samples(path, first, num_samples)
    if len(samples) == 0 or not np.isfinite(samples[:, 0]).all():
        raise ValueError(
            f"{path} has no samples, or some that are not finite numbers; write it "
            "again from the original."
        )
    return resample(np.ascontiguousarray(samples[:, 0]), rate, sample_rate)


def resample(samples: np.ndarray, old_rate: int, new_rate: int) -> np.ndarray:
    """(N,) float32 at another rate, in Hz; the samples themselves at the same one.

    Raises:
        ValueError: the rates differ and the package soxr is not installed.
    """
    if old_rate == new_rate:
        return samples
    try:
        import soxr  # here, because most uses of the package need no resampling
    except ImportError as problem:
        raise ValueError(
            f"resampling from {old_rate} to {new_rate} Hz needs the package soxr, "
            "which is not installed; run pip install soxr."
        ) from problem
    return soxr.resample(samples, old_rate, new_rate)


def _check_there(path: str | Path) -> None:
    if not Path(path).is_file():
        raise ValueError(f"{path} does not exist; correct the path or make the file.")


def _unreadable(path: str | Path, problem: soundfile.LibsndfileError) -> str:
    return (
        f"{path} cannot be read as audio ({problem.error_string.rstrip('.')}); write "
        "it again as wav."
    )
