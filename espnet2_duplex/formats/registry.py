"""The formats by name, and the conversion of one into another."""

from collections.abc import Iterable
from dataclasses import dataclass
from operator import length_hint
from pathlib import Path
from typing import Protocol

from tqdm import tqdm

from espnet2_duplex.formats.bench_writer import BenchOptions, BenchWriter
from espnet2_duplex.formats.full_duplex_bench import read_bench
from espnet2_duplex.formats.kaldi import KaldiOptions, KaldiWriter, read_kaldi
from espnet2_duplex.formats.listening import Listener
from espnet2_duplex.formats.moshi import MoshiOptions, MoshiWriter, read_moshi
from espnet2_duplex.formats.recording import (
    DuplexRecording,
    ProblemHandler,
    raise_problem,
)
from espnet2_duplex.formats.shar import SharOptions, read_shar
from espnet2_duplex.formats.shar_writer import SharWriter
from espnet2_duplex.formats.stereo_calls import (
    SilenceHandler,
    StereoOptions,
    pass_over,
    read_stereo,
)
from espnet2_duplex.formats.stereo_writer import StereoWriter

FORMATS = ("kaldi", "shar", "moshi", "fdb", "stereo")


class Writer(Protocol):
    """Takes conversations one by one."""

    def add(self, recording: DuplexRecording) -> None:
        """Write a conversation.

        Raises:
            ValueError: its sound cannot be read.
        """

    def finish(self) -> None:
        """Write what needs all conversations; called if there were no errors.

        Raises:
            ValueError: sound that was left for later cannot be read.
        """


@dataclass(frozen=True)
class FormatOptions:
    """Options of all formats."""

    kaldi: KaldiOptions = KaldiOptions()
    shar: SharOptions = SharOptions()
    moshi: MoshiOptions = MoshiOptions()
    fdb: BenchOptions = BenchOptions()
    stereo: StereoOptions = StereoOptions()


def open_reader(
    name: str,
    path: Path,
    options: FormatOptions = FormatOptions(),
    listener: Listener | None = None,
    on_problem: ProblemHandler = raise_problem,
    on_silence: SilenceHandler = pass_over,
) -> Iterable[DuplexRecording]:
    """Conversations of a corpus, read while they are asked for.

    Args:
        name: one of FORMATS.
        path: of the corpus.
        options: of the formats.
        listener: for turns that a corpus does not tell; by default silero, no words.
        on_problem: gets the faults of single conversations.
        on_silence: gets the pieces of a call in which nobody speaks.

    Raises:
        ValueError: the name is unknown, or the corpus is not in its format.
    """
    listener = listener or Listener()
    match _known(name):
        case "kaldi":
            return read_kaldi(path, on_problem)
        case "shar":
            return read_shar(path, on_problem)
        case "moshi":
            return read_moshi(path, listener, options.moshi, on_problem)
        case "fdb":
            return read_bench(path, listener, options.fdb, on_problem)
        case _:
            return read_stereo(path, listener, options.stereo, on_problem, on_silence)


def open_writer(
    name: str, path: Path, options: FormatOptions = FormatOptions()
) -> Writer:
    """A writer of a format; see :func:`open_reader`.

    Raises:
        ValueError: the name is unknown, or an option is not valid.
    """
    makers = {
        "kaldi": KaldiWriter,
        "shar": SharWriter,
        "moshi": MoshiWriter,
        "fdb": BenchWriter,
        "stereo": StereoWriter,
    }
    return makers[_known(name)](Path(path), getattr(options, name))


def convert(
    recordings: Iterable[DuplexRecording],
    writer: Writer,
    on_problem: ProblemHandler = raise_problem,
) -> int:
    """Write all conversations, with a progress bar; returns their number.

    Raises:
        ValueError: there are none, or an id comes twice.
    """
    seen: set[str] = set()
    total = length_hint(recordings) or None
    for recording in tqdm(recordings, "converting", total, unit=" conversations"):
        try:
            if recording.id in seen:
                raise ValueError(
                    f"the conversation {recording.id} comes twice; give each its own "
                    "id, that is, file or folder name."
                )
            writer.add(recording)
        except ValueError as problem:
            on_problem(problem)
            continue
        seen.add(recording.id)
    if not seen:
        raise ValueError("there is no conversation that could be converted.")
    try:
        writer.finish()
    except ValueError as problem:
        on_problem(problem)
    return len(seen)


def _known(name: str) -> str:
    if name not in FORMATS:
        raise ValueError(
            f"the format is {name!r}; expected one of {', '.join(FORMATS)}"
        )
    return name
