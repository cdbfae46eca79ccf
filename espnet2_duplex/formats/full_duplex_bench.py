"""Full-Duplex-Bench's folders, v1 and v1.5: ``<root>/<id>/input.wav`` and JSON files.

The user's turns come from the JSON files (:mod:`.bench_annotations`); what they leave
open is heard. The agent is what a system wrote, ``output.wav`` with ``output.json``
(Full-Duplex-Bench's words or our turns); without it the agent of our own export,
``reference.wav``; without that it is silent. ``conversation.json`` is ours and holds
all labels, so that an export can be read back.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from espnet2_duplex.conversation import Turn
from espnet2_duplex.formats.bench_annotations import (
    annotated_user,
    annotations_of,
    read_words,
)
from espnet2_duplex.formats.files import is_current, naming, read_json, write_json
from espnet2_duplex.formats.listening import Listener
from espnet2_duplex.formats.recording import (
    DuplexRecording,
    ProblemHandler,
    make_recording,
    parse_turns,
    raise_problem,
    read_each,
    recording_with_labels,
)
from espnet2_duplex.formats.sounds import (
    Silence,
    Sound,
    open_channels,
    read_stream,
    seconds_of,
)
from espnet2_duplex.formats.words import turns_of_words
from espnet2_duplex.sound_files import write_wav
from espnet2_duplex.timing import nearest_sample

SOURCE = "full-duplex-bench"
LABELS, REFERENCE = "conversation.json", "reference.wav"


@dataclass(frozen=True)
class BenchOptions:
    """How folders are read and written.

    Attributes:
        word_gap_seconds: a longer silence between two words begins another turn.
        user_rate: of input.wav, in Hz; Full-Duplex-Bench's backchannel script takes
            16 kHz for granted.
        agent_rate: of reference.wav, in Hz; None keeps that of the source.
    """

    word_gap_seconds: float = 0.8
    user_rate: int = 16000
    agent_rate: int | None = None


def read_bench(
    root: Path,
    listener: Listener,
    options: BenchOptions = BenchOptions(),
    on_problem: ProblemHandler = raise_problem,
) -> Iterator[DuplexRecording]:
    """Samples of a task, or of several below one root.

    Ids are folder names; those of deeper folders are joined by "_".

    Args:
        root: folders with input.wav at any depth.
        listener: for what no file tells.
        options: of the turns.
        on_problem: gets the faults of single samples.

    Raises:
        ValueError: there is no input.wav.
    """
    root = Path(root)
    folders = sorted(path.parent for path in root.rglob("input.wav"))
    if not folders:
        raise ValueError(f"{root} has no folder with input.wav; name another one.")
    read = partial(_read_sample, root=root, listener=listener, options=options)
    return read_each(folders, read, on_problem)


def _read_sample(
    folder: Path, root: Path, listener: Listener, options: BenchOptions
) -> list[DuplexRecording]:
    id = "_".join(folder.relative_to(root).parts) or folder.name
    (user,) = open_channels(folder / "input.wav", 1)
    agent = _agent_sound(folder, user)
    with naming(folder):
        labels_path = folder / LABELS
        if labels_path.is_file():
            labels = dict(read_json(labels_path, dict))
            if agent.path is not None and agent.path.name == "output.wav":
                turns = parse_turns(labels["turns"])
                turns = [turn for turn in turns if turn.role == "user"]
                turns += _agent_turns(folder, agent, listener, options)
                labels["turns"] = [turn.to_dict() for turn in turns]
            return [recording_with_labels(id, labels, user, agent)]
        turns, events = annotated_user(
            folder, lambda: listener.turns("user", user), options.word_gap_seconds
        )
        turns += _agent_turns(folder, agent, listener, options)
        names = {"speaker": id, "source": SOURCE, "events": events}
        return [make_recording(id, turns, user, agent, **names)]


def _agent_sound(folder: Path, user: Sound) -> Sound:
    for name in ("output.wav", REFERENCE):
        if (folder / name).is_file():
            return open_channels(folder / name, 1)[0]
    return Silence(user.sample_rate, user.num_samples)


def _agent_turns(
    folder: Path, agent: Sound, listener: Listener, options: BenchOptions
) -> list[Turn]:
    if agent.path is None:
        return []
    path = folder / "output.json"
    if not path.is_file():
        return listener.turns("agent", agent)
    content = read_json(path, dict)
    if "turns" in content:
        with naming(path):
            turns = parse_turns(content["turns"])
        return [turn for turn in turns if turn.role == "agent"]
    return turns_of_words(read_words(path), "agent", options.word_gap_seconds)


class BenchWriter:
    """Writes one folder a conversation, with every JSON file that its turns give.

    ``turn_taking.json`` has the user's turns that the agent answers, ``interrupt.json``
    those that begin while it speaks, ``pause.json`` the pauses among the events;
    Full-Duplex-Bench's scripts look at the first entry. Words are spread over their
    turn in proportion to their lengths. A wav of an earlier run stays if it has the
    length and rate that it would get and is not older than what it is made from.

    Args:
        root: of the folders.
        options: rates.
    """

    def __init__(self, root: Path, options: BenchOptions = BenchOptions()) -> None:
        self._root = Path(root)
        self._options = options

    def add(self, recording: DuplexRecording) -> None:
        """Write the folder of a conversation."""
        folder = self._root / recording.id
        for name, content in annotations_of(recording).items():
            if content:
                write_json(folder / name, content)
            else:
                (folder / name).unlink(missing_ok=True)
        write_json(folder / LABELS, recording.labels())
        agent_rate = self._options.agent_rate or recording.agent.sample_rate
        _write_wav(folder / REFERENCE, recording.agent, agent_rate)
        # Last, since a folder counts from its input.wav on.
        _write_wav(folder / "input.wav", recording.user, self._options.user_rate)

    def finish(self) -> None:
        """Nothing is left to write."""


def _write_wav(path: Path, sound: Sound, rate: int) -> None:
    seconds = seconds_of(sound)
    if not is_current(path, [sound], (nearest_sample(seconds, rate),), rate):
        write_wav(path, read_stream(sound, rate, seconds), rate)
