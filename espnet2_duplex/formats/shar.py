"""Lhotse Shar as NeMo's duplex speech-to-speech dataset reads it.

A cut holds ``recording`` (the user), the custom field ``target_audio`` (the agent, as
long) and one supervision a turn, whose speaker is its role. Speaker, source and events
stand in the custom keys ``user_speaker``, ``source`` and ``events``, which NeMo passes
over.
"""

import re
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from espnet2_duplex.conversation import Turn
from espnet2_duplex.formats.files import naming
from espnet2_duplex.formats.recording import (
    UNKNOWN,
    DuplexRecording,
    ProblemHandler,
    make_recording,
    parse_events,
    raise_problem,
    read_each,
    role_of,
)
from espnet2_duplex.formats.sounds import LoadedSound
from espnet2_duplex.timing import MICROSECONDS_PER_SECOND, microseconds

FIELDS = ("recording", "target_audio")
TIME_STAMP = re.compile(r"<\|\d+\|>")  # NeMo's: "<|0|> Hey <|3|>", in frames
# What lhotse and the libraries below it raise where a shard is damaged.
_DAMAGES = (
    AssertionError,
    EOFError,
    KeyError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    tarfile.TarError,
    zlib.error,
)


@dataclass(frozen=True)
class SharOptions:
    """How shards are written.

    Attributes:
        shard_size: conversations in one shard.
        encoding: "flac" or "wav"; both keep 16 bits.
        user_rate: in Hz; None keeps that of the source.
        agent_rate: in Hz; None keeps that of the source.
    """

    shard_size: int = 1000
    encoding: str = "flac"
    user_rate: int | None = None
    agent_rate: int | None = None


def import_lhotse():
    """The library, loaded when it is used.

    Raises:
        ValueError: it is not installed.
    """
    try:
        import lhotse.shar
    except ImportError as problem:
        raise ValueError(
            "Lhotse Shar needs the package lhotse, which is not installed; run pip "
            "install 'espnet2-duplex[formats]'."
        ) from problem
    return lhotse


def read_shar(
    folder: Path, on_problem: ProblemHandler = raise_problem
) -> Iterator[DuplexRecording]:
    """Conversations of a Shar folder, in its order, one shard open at a time.

    Raises:
        ValueError: lhotse is not installed, or a shard is missing or damaged.
    """
    folder = Path(folder)
    for field in ("cuts", *FIELDS):
        if not any(folder.glob(f"{field}.*")):
            raise ValueError(
                f"{folder} has no shards of {field}; expected cuts.*.jsonl.gz, "
                "recording.*.tar and target_audio.*.tar in it."
            )
    read = partial(_read_cut, folder=folder)
    return read_each(_cuts(folder), read, on_problem)


def _cuts(folder: Path) -> Iterator:
    lhotse = import_lhotse()
    last = "its beginning"
    try:
        for cut in lhotse.CutSet.from_shar(in_dir=folder):
            last = f"cut {cut.id}"
            yield cut
    except _DAMAGES as problem:
        reason = str(problem).strip().split("\n")[0] or type(problem).__name__
        raise ValueError(
            f"{folder} is damaged after {last} ({reason}); write its shards again."
        ) from problem


def _read_cut(cut, folder: Path) -> list[DuplexRecording]:
    with naming(f"{folder}, cut {cut.id}"):
        custom = getattr(cut, "custom", None) or {}
        for field in FIELDS:
            there = cut.has_recording if field == "recording" else field in custom
            if not there:
                raise ValueError(f"it has no {field}; give every cut both streams.")
        recording = make_recording(
            cut.id,
            [_turn(supervision) for supervision in cut.supervisions],
            _sound(cut, "recording", cut.sampling_rate, folder),
            _sound(cut, "target_audio", custom["target_audio"].sampling_rate, folder),
            speaker=custom.get("user_speaker", cut.id),
            source=custom.get("source", UNKNOWN),
            events=parse_events(custom.get("events", [])),
        )
    return [recording]


def _turn(supervision) -> Turn:
    text = TIME_STAMP.sub("", supervision.text or "")
    if text != supervision.text:
        text = " ".join(text.split())
    with naming(f"supervision {supervision.id}"):
        end = microseconds(supervision.start) + microseconds(supervision.duration)
        return Turn(
            role_of(supervision.speaker),
            supervision.start,
            end / MICROSECONDS_PER_SECOND,
            text,
        )


def _sound(cut, name: str, rate: int, folder: Path) -> LoadedSound:
    """A stream of a cut, whose encoded bytes lhotse holds."""

    def load_first_channel():
        is_user = name == "recording"
        samples = cut.load_audio() if is_user else cut.load_custom(name)
        if len(samples) != 1:
            raise ValueError(
                f"{folder}, cut {cut.id} has {len(samples)} channels; expected mono."
            )
        return samples[0]

    # As lhotse counts the samples that it loads.
    num_samples = import_lhotse().utils.compute_num_samples(cut.duration, rate)
    path, part = Path(cut.shard_origin), (cut.id, name)
    return LoadedSound(path, rate, num_samples, load_first_channel, part)
