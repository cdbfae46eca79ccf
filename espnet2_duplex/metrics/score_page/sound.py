"""Sound for a page: small, and played by every browser."""

import io

import numpy as np
import soundfile

# 40 kbit/s at 16 kHz. A constant rate, so that a player finds every position.
MP3_COMPRESSION = 0.8


def encode_stereo(samples: np.ndarray, sample_rate: int) -> bytes:
    """An MP3 file; the same samples give the same bytes (Ogg's serial number would not).

    Args:
        samples: (S, 2), full scale 1.
        sample_rate: in Hz.

    Raises:
        ValueError: libsndfile cannot write MP3.
    """
    if "MP3" not in soundfile.available_formats():
        raise ValueError(
            f"libsndfile {soundfile.__libsndfile_version__} cannot write MP3; install "
            "1.1 or later, as the wheels of soundfile bring it"
        )
    file = io.BytesIO()
    soundfile.write(
        file,
        samples,
        sample_rate,
        format="MP3",
        compression_level=MP3_COMPRESSION,
        bitrate_mode="CONSTANT",
    )
    return file.getvalue()
