"""Streams as the channels of wavs."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from espnet2_duplex.formats.sounds import Sound, read_stream, seconds_of
from espnet2_duplex.formats.target_record import TargetRecord, origin_of
from espnet2_duplex.sound_files import write_wav
from espnet2_duplex.timing import nearest_sample


def write_channels(
    path: Path, sounds: Sequence[Sound], sample_rate: int, record: TargetRecord
) -> int:
    """Write one or two streams into a 16-bit wav, unless it is there already.

    Args:
        path: of the wav.
        sounds: its channels; the shorter one gets silence at its end.
        sample_rate: in Hz.
        record: of the target; gets the wav.

    Returns:
        Samples in each channel.

    Raises:
        ValueError: a stream cannot be read.
    """
    seconds = seconds_of(*sounds)
    num_samples = nearest_sample(seconds, sample_rate)
    origin = origin_of(sounds, sample_rate)
    if record.origin(path) != origin:
        streams = [read_stream(sound, sample_rate, num_samples) for sound in sounds]
        samples = np.stack(streams, axis=1) if len(streams) > 1 else streams[0]
        write_wav(path, samples, sample_rate)
    record.add(path, origin)
    return num_samples
