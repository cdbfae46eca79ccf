"""Writes Full-Duplex-Bench's folders: ``<root>/<task>/<id>/input.wav`` and JSON files."""

from dataclasses import dataclass
from pathlib import Path

from espnet2_duplex.formats.bench_annotations import annotations_of
from espnet2_duplex.formats.files import write_json
from espnet2_duplex.formats.recording import DuplexRecording
from espnet2_duplex.formats.target_record import TargetRecord
from espnet2_duplex.formats.wavs import write_channels

LABELS, REFERENCE = "conversation.json", "reference.wav"
# Task as Full-Duplex-Bench's evaluate.py names it -> the file that its samples have.
TASKS = {
    "pause_handling": "pause.json",
    "smooth_turn_taking": "turn_taking.json",
    "user_interruption": "interrupt.json",
}
OTHER = "other"  # for conversations that are of none of these, so that all come back
EXPORT_FOLDERS = (*TASKS, OTHER)


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


class BenchWriter:
    """Writes one folder for each task that a conversation has an event of.

    ``turn_taking.json`` has the user's turns that the agent answers, ``interrupt.json``
    those that begin while it speaks, ``pause.json`` the pauses among the events;
    Full-Duplex-Bench's scripts look at the first entry, and each wants its task's
    samples alone in a folder. Words are spread over their turn in proportion to their
    lengths. A wav of an earlier run stays if it was made from the same sound.

    Args:
        root: of the tasks' folders.
        options: rates.
    """

    def __init__(self, root: Path, options: BenchOptions = BenchOptions()) -> None:
        self._root = Path(root)
        self._options = options
        self._record = TargetRecord(self._root)

    def add(self, recording: DuplexRecording) -> None:
        """Write the folders of a conversation."""
        contents = annotations_of(recording)
        tasks = [task for task, name in TASKS.items() if contents[name]]
        for task in tasks or [OTHER]:
            names = ("transcription.json", TASKS.get(task))
            files = {name: contents[name] for name in names if contents.get(name)}
            files[LABELS] = recording.labels()
            self._write(self._root / task / recording.id, files, recording)

    def finish(self) -> None:
        """Remove what this run has not written."""
        self._record.finish()

    def _write(self, folder: Path, files: dict, recording: DuplexRecording) -> None:
        for name, content in files.items():
            write_json(folder / name, content)
            self._record.add(folder / name)
        rates = {
            REFERENCE: self._options.agent_rate or recording.agent.sample_rate,
            # Last, since a folder counts from its input.wav on.
            "input.wav": self._options.user_rate,
        }
        sounds = {REFERENCE: recording.agent, "input.wav": recording.user}
        for name, rate in rates.items():
            write_channels(folder / name, [sounds[name]], rate, self._record)
