"""Two-channel recordings of calls, and their transcripts in JSON beside them.

The transcript of ``call.wav`` is ``call.json`` with the keys of
:meth:`DuplexRecording.labels`, of which only "turns" must be there. A call without one
is listened to (:mod:`espnet2_duplex.formats.listening`), and its transcript is kept to
be corrected by hand and to be read by the next run (:mod:`.transcripts`).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import soundfile

from espnet2_duplex.formats.call_pieces import CLOCK, pieces_of
from espnet2_duplex.formats.files import naming, read_json
from espnet2_duplex.formats.listening import Listener
from espnet2_duplex.formats.recording import (
    DuplexRecording,
    ProblemHandler,
    make_recording,
    raise_problem,
    read_each,
    recording_with_labels,
)
from espnet2_duplex.formats.sounds import FileSound, open_channels
from espnet2_duplex.formats.transcripts import keep, kept_path, read_kept
from espnet2_duplex.jsonl import read_text

CHANNELS = ("left", "right")
SilenceHandler = Callable[[Sequence[DuplexRecording]], None]


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
        if CLOCK.nearest_frame(self.max_seconds) < 1:
            raise ValueError(
                f"calls are to be cut after {self.max_seconds} s; give --max_seconds "
                f"at least a frame of {CLOCK.seconds(1)} s"
            )


def pass_over(pieces: Sequence[DuplexRecording]) -> None:
    """The handler that says nothing of silent pieces."""


def read_stereo(
    path: Path,
    listener: Listener,
    options: StereoOptions = StereoOptions(),
    on_problem: ProblemHandler = raise_problem,
    on_silence: SilenceHandler = pass_over,
) -> Iterator[DuplexRecording]:
    """Conversations of calls; the id is the file's name, with a number if it is cut.

    Args:
        path: a folder with sound files at any depth, one sound file, or a text file
            that lists sound files, one a line.
        listener: for calls without a transcript.
        options: of the calls.
        on_problem: gets the faults of single calls, also that nothing is heard in one.
        on_silence: gets the pieces of a call in which nobody speaks, which are left
            out.

    Raises:
        ValueError: there are no sound files.
    """
    path = Path(path)
    read = partial(
        _read_call,
        root=path if path.is_dir() else path.parent,
        listener=listener,
        options=options,
        on_silence=on_silence,
    )
    # An iterator, since the number of conversations is not that of calls.
    return read_each(iter(call_files(path)), read, on_problem)


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
    elif not path.is_file():
        raise ValueError(
            f"{path} does not exist; name a folder with calls, a sound file, or a list "
            "of sound files."
        )
    else:
        lines = read_text(path).split("\n")
        files = [Path(line.strip()) for line in lines if line.strip()]
    if not files:
        raise ValueError(f"{path} has no sound files; name another folder or list.")
    return files


def _read_call(
    path: Path,
    root: Path,
    listener: Listener,
    options: StereoOptions,
    on_silence: SilenceHandler,
) -> list[DuplexRecording]:
    channels = open_channels(path, 2)
    agent = channels.pop(CHANNELS.index(options.agent_channel))
    user = channels[0]
    beside = path.with_suffix(".json")
    if beside.is_file():
        call = _labelled(path.stem, beside, read_json(beside, dict), user, agent)
    elif options.transcripts is None:
        call = _heard(path, user, agent, listener)
    else:
        transcript = kept_path(options.transcripts, path, root)
        how = {"agent_channel": options.agent_channel, "samples": agent.num_samples}
        how |= asdict(listener.options)
        labels = read_kept(transcript, how)
        if labels is None:
            call = _heard(path, user, agent, listener)
            keep(transcript, call.labels(), how)
        else:
            call = _labelled(path.stem, transcript, labels, user, agent)
    with naming(path):
        return _spoken_pieces(call, options.max_seconds, on_silence)


def _labelled(
    id: str, transcript: Path, labels: dict, user: FileSound, agent: FileSound
) -> DuplexRecording:
    with naming(transcript):
        if "turns" not in labels:
            raise ValueError('it has no "turns"; write them or remove the file.')
        return recording_with_labels(id, labels, user, agent)


def _heard(
    path: Path, user: FileSound, agent: FileSound, listener: Listener
) -> DuplexRecording:
    with naming(path):
        turns, events = listener.conversation(user, agent)
        names = {"speaker": path.stem, "events": events}
        return make_recording(path.stem, turns, user, agent, **names)


def _spoken_pieces(
    call: DuplexRecording, max_seconds: float, on_silence: SilenceHandler
) -> list[DuplexRecording]:
    if not call.conversation.turns:
        raise ValueError(
            "nobody speaks in it; try --vad energy, write its turns into a JSON file "
            "beside it, or leave it out."
        )
    pieces = pieces_of(call, max_seconds)
    spoken = [piece for piece in pieces if piece.conversation.turns]
    if len(spoken) < len(pieces):
        on_silence([piece for piece in pieces if not piece.conversation.turns])
    return spoken
