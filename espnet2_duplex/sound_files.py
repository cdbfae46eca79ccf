"""Sound files that are whole or absent."""

import io
from pathlib import Path

import numpy as np
import soundfile

from espnet2_duplex.atomic import replacing

FORMATS = {".wav": "WAV", ".flac": "FLAC"}


def pcm16(samples: np.ndarray) -> np.ndarray:
    """(N, ...) float -> (N, ...) int16, the inverse of dividing by 32768; clips.

    Several times faster than libsndfile's own conversion, and exact for samples that
    were read from a 16-bit file.
    """
    scaled = np.multiply(samples, 32768, dtype=np.float32)
    np.rint(scaled, out=scaled)
    return np.clip(scaled, -32768, 32767, out=scaled).astype(np.int16)


def encode_sound(samples: np.ndarray, sample_rate: int, format: str) -> bytes:
    """The bytes of a 16-bit sound file; the same samples give the same bytes.

    Args:
        samples: (N,) or (N, channels) float; what lies outside [-1, 1] is clipped.
        sample_rate: in Hz.
        format: "WAV" or "FLAC".
    """
    buffer = io.BytesIO()
    soundfile.write(buffer, pcm16(samples), sample_rate, "PCM_16", format=format)
    return buffer.getvalue()


def write_wav(path: str | Path, samples: np.ndarray, sample_rate: int) -> None:
    """Write 16-bit sound, as FLAC where the suffix of `path` is .flac.

    Args:
        path: .wav or .flac; its folder is made where there is none.
        samples: (N,) or (N, channels) float; what lies outside [-1, 1] is clipped.
        sample_rate: in Hz.

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
    content = encode_sound(samples, sample_rate, FORMATS[path.suffix])
    with replacing(path) as temporary:
        temporary.write_bytes(content)
