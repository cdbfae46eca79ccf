"""Two-channel recordings of calls, and their transcripts in JSON beside them.

The transcript of ``call.wav`` is ``call.json`` with the keys of
:meth:`DuplexRecording.labels`, of which only "turns" must be there. A call without one
is listened to (:mod:`espnet2_duplex.formats.listening`), and its transcript is kept to
be corrected by hand and to be read by the next run.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import soundfile

from espnet2_duplex.formats.call_pieces import pieces_of
from espnet2_duplex.formats.files import naming, read_json, write_json
from espnet2_duplex.formats.listening import Listener
from espnet2_duplex.formats.recording import (
    DuplexRecording,
    ProblemHandler,
    make_recording,
    raise_problem,
    read_each,
    recording_with_labels,
)
from espnet2_duplex.formats.sounds import open_channels
from espnet2_duplex.formats.stereo_files import write_stereo
from espnet2_duplex.jsonl import read_text

CHANNELS = ("left", "right")


@dataclass(frozen=True)
class StereoOptions:
    """How calls are read and written.

    Attributes:
        agent_channel: "left" or "right".
        max_seconds: longer calls are cut into conversations, where both are silent.
        transcripts: folder for transcripts of calls that have none beside them; None
            keeps none.
        sample_rate: of the wavs that are written, in Hz; None takes the higher one of
            the two streams.
    """

    agent_channel: str = "left"
    max_seconds: float = 120.0
    transcripts: Path | None = None
    sample_rate: int | None = None

    def __post_init__(self) -> None:
        if self.agent_channel not in CHANNELS:
            raise ValueError(
                f"the agent's channel is {self.agent_channel!r}; expected one of "
                f"{', '.join(CHANNELS)}"
            )


def read_stereo(
    path: Path,
    listener: Listener,
    options: StereoOptions = StereoOptions(),
    on_problem: ProblemHandler = raise_problem,
) -> Iterator[DuplexRecording]:
    """Conversations of calls; the id is the file's name, with a number if it is cut.

    Args:
        path: a folder with sound files at any depth, one sound file, or a text file
            that lists sound files, one a line.
        listener: for calls without a transcript.
        options: of the calls.
        on_problem: gets the faults of single calls.

    Raises:
        ValueError: there are no sound files.
    """
    read = partial(_read_call, listener=listener, options=options)
    return read_each(call_files(Path(path)), read, on_problem)


def call_files(path: Path) -> list[Path]:
    """Sound files of a folder (sorted), of a list, or the one.

    Raises:
        ValueError: there are none.
    """
    suffixes = {f".{name.lower()}" for name in soundfile.available_formats()}
    suffixes |= {".opus", ".aif"}
    if path.is_dir():
        files = sorted(f for f in path.rglob("*") if f.suffix.lower() in suffixes)
    elif path.suffix.lower() in suffixes:
        files = [path]
    else:
        lines = read_text(path).split("\n")
        files = [Path(line.strip()) for line in lines if line.strip()]
    if not files:
        raise ValueError(f"{path} has no sound files; name another folder or list.")
    return files


def _read_call(
    path: Path, listener: Listener, options: StereoOptions
) -> list[DuplexRecording]:
    channels = open_channels(path, 2)
    agent = channels.pop(CHANNELS.index(options.agent_channel))
    user = channels[0]
    transcript = _transcript_of(path, options)
    if transcript.is_file():
        with naming(transcript):
            labels = read_json(transcript, dict)
            if "turns" not in labels:
                raise ValueError('it has no "turns"; write them or remove the file.')
            call = recording_with_labels(path.stem, labels, user, agent)
    else:
        with naming(path):
            turns, events = listener.conversation(user, agent)
            names = {"speaker": path.stem, "events": events}
            call = make_recording(path.stem, turns, user, agent, **names)
        if options.transcripts is not None:
            write_json(transcript, call.labels())
    with naming(path):
        return pieces_of(call, options.max_seconds)


def _transcript_of(path: Path, options: StereoOptions) -> Path:
    """Beside the call or, if there is none, in the folder of transcripts."""
    beside = path.with_suffix(".json")
    if beside.is_file() or options.transcripts is None:
        return beside
    return options.transcripts / beside.name


class StereoWriter:
    """Writes ``<id>.wav`` and ``<id>.json``.

    A wav of an earlier run stays if it has the shape that it would get and is not older
    than the sound it is made from.

    Args:
        folder: of the calls.
        options: channel of the agent and rate.
    """

    def __init__(self, folder: Path, options: StereoOptions = StereoOptions()) -> None:
        self._folder = Path(folder)
        self._options = options

    def add(self, recording: DuplexRecording) -> None:
        """Write wav and transcript of a conversation."""
        rates = recording.user.sample_rate, recording.agent.sample_rate
        rate = self._options.sample_rate or max(rates)
        left = "agent" if self._options.agent_channel == "left" else "user"
        # The transcript first: a call without one would be listened to.
        write_json(self._folder / f"{recording.id}.json", recording.labels())
        write_stereo(self._folder / f"{recording.id}.wav", recording, rate, left)

    def finish(self) -> None:
        """Nothing is left to write."""
