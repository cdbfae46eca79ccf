"""What can be heard in the streams of data folders: faults, and gaps."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from espnet2_duplex.conversation import ROLES
from espnet2_duplex.data_folder import read_table
from espnet2_duplex.dataset_checks import load_speech
from espnet2_duplex.metrics.data_report.audio import audio_faults
from espnet2_duplex.metrics.data_report.heard_gaps import listen_to_gaps
from espnet2_duplex.metrics.data_report.records import Record
from espnet2_duplex.sound_files import read_samples


def with_audio_faults(
    records: Iterable[Record], folder: Path, rates: Mapping[str, int]
) -> Iterator[Record]:
    """The records with the faults that can be heard in their two streams.

    Args:
        records: of one folder.
        folder: that holds user.scp and agent.scp.
        rates: in Hz, of "user" and "agent".

    Raises:
        ValueError: a wav is missing, unreadable or of another rate.
    """
    wavs = _read_scps(folder)
    for record in records:
        faults: list[str] = []
        for role, rate in rates.items():
            path = _wav(record.conversation.id, role, wavs, folder)
            speech = load_speech(path, rate)
            turns = [turn for turn in record.conversation.turns if turn.role == role]
            faults += audio_faults(role, speech, rate, turns)
        yield replace(record, audio_faults=tuple(faults))


def with_heard_gaps(
    records: Iterable[Record], folder: Path, num_records: int, max_listened: int
) -> Iterator[Record]:
    """The records, some of them, evenly spaced, with the gaps in their audio.

    A folder without user.scp and agent.scp has no audio: nothing is heard.

    Args:
        records: of one folder.
        folder: that holds user.scp and agent.scp.
        num_records: how many there are.
        max_listened: at most so many are listened to.

    Raises:
        ValueError: a wav is missing or unreadable.
    """
    if not any((folder / f"{role}.scp").exists() for role in ROLES):
        yield from records
        return
    wavs = _read_scps(folder)
    chosen = evenly_spaced(num_records, max_listened)
    for index, record in enumerate(records):
        if index in chosen:
            paths = [_wav(record.conversation.id, role, wavs, folder) for role in ROLES]
            streams = [_read_mono(path) for path in paths]
            heard = listen_to_gaps(record.conversation, *streams)
            record = replace(record, heard_gaps=heard)
        yield record


def evenly_spaced(num_items: int, max_chosen: int) -> set[int]:
    """Indices of at most `max_chosen` of the items, over all of their range."""
    num_chosen = min(num_items, max_chosen)
    return {index * num_items // num_chosen for index in range(num_chosen)}


def _read_scps(folder: Path) -> dict[str, dict[str, str]]:
    return {role: read_table(folder / f"{role}.scp") for role in ROLES}


def _wav(
    id: str, role: str, wavs: Mapping[str, Mapping[str, str]], folder: Path
) -> Path:
    if id not in wavs[role]:
        raise ValueError(
            f"{folder}/{role}.scp lacks the conversation {id}; give every file of "
            f"{folder} the same ids."
        )
    path = Path(wavs[role][id])
    if not path.exists():
        raise ValueError(
            f"{folder}/{role}.scp names {path} for {id}, which does not exist; run this "
            "where the paths of the scp begin, or give --num_listened 0 and no "
            "--check_audio."
        )
    return path


def _read_mono(path: Path) -> tuple[np.ndarray, int]:
    """Samples (S,) and rate in Hz of the first channel."""
    speech, sample_rate = read_samples(path)
    return speech[:, 0], sample_rate
