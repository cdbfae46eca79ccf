"""Both streams in one stereo wav."""

from pathlib import Path

import numpy as np

from espnet2_duplex.formats.files import is_current
from espnet2_duplex.formats.recording import DuplexRecording
from espnet2_duplex.formats.sounds import read_stream, seconds_of
from espnet2_duplex.sound_files import write_wav
from espnet2_duplex.timing import nearest_sample


def write_stereo(
    path: Path, recording: DuplexRecording, sample_rate: int, left: str
) -> int:
    """Write both streams into one 16-bit wav, unless it is there already.

    Args:
        path: of the wav.
        recording: the shorter of its streams gets silence at its end.
        sample_rate: in Hz.
        left: the role of the first channel.

    Returns:
        Samples in each channel.
    """
    sounds = [recording.agent, recording.user]
    if left == "user":
        sounds.reverse()
    seconds = seconds_of(*sounds)
    num_samples = nearest_sample(seconds, sample_rate)
    if not is_current(path, sounds, (num_samples, 2), sample_rate):
        streams = [read_stream(sound, sample_rate, seconds) for sound in sounds]
        write_wav(path, np.stack(streams, axis=1), sample_rate)
    return num_samples
