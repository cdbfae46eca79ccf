"""Stretches of recordings as wavs of a user."""

import hashlib
from pathlib import Path

from sources.asr_manifest import Utterance

from espnet2_duplex.sound_files import read_header, read_mono, write_wav
from espnet2_duplex.timing import nearest_sample

WHOLE_FILE_SECONDS = 0.01  # an utterance that lacks no more of its file is all of it
TOLERANCE_SECONDS = 0.1  # of manifests that round the lengths of files


def heard_seconds(utterance: Utterance) -> float:
    """Length of an utterance in its recording.

    Raises:
        ValueError: the recording is missing, unreadable or too short.
    """
    path, offset = utterance.path, utterance.offset
    length = read_header(path).seconds
    seconds = length - offset if utterance.seconds is None else utterance.seconds
    if seconds <= 0 or offset + seconds > length + TOLERANCE_SECONDS:
        end = "its end" if utterance.seconds is None else f"{offset + seconds:.2f} s"
        raise ValueError(
            f"{path} lasts {length:.2f} s, but the manifest has an utterance from "
            f"{offset:.2f} s until {end}; correct the manifest."
        )
    return seconds


def user_wav(utterance: Utterance, seconds: float, out: Path, sample_rate: int) -> str:
    """Path, for a row in `out`, of an utterance as a mono wav.

    Of several channels the first is taken. A copy that is there and not older than the
    recording is kept.

    Args:
        utterance: the recording.
        seconds: `heard_seconds` of it.
        out: folder of the rows.
        sample_rate: of the wav, in Hz.
    Raises:
        ValueError: the recording is unreadable.
    """
    path, offset = utterance.path, utterance.offset
    header = read_header(path)
    is_whole = offset == 0 and seconds >= header.seconds - WHOLE_FILE_SECONDS
    form = (header.format, header.sample_rate, header.num_channels)
    if is_whole and form == ("WAV", sample_rate, 1):
        return str(path.absolute())
    content = f"{path.absolute()}|{offset}|{utterance.seconds}|{sample_rate}"
    name = f"asr_wav/{hashlib.sha1(content.encode()).hexdigest()[:16]}.wav"
    copy = out / name
    if copy.is_file() and copy.stat().st_mtime_ns >= path.stat().st_mtime_ns:
        return name
    first, num_samples = (
        nearest_sample(t, header.sample_rate) for t in (offset, seconds)
    )
    write_wav(copy, read_mono(path, sample_rate, first, num_samples), sample_rate)
    return name
