"""Data folders of this project (DESIGN, "Data on disk")."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import soundfile

from espnet2_duplex.conversation import turns_from_json, turns_to_json
from espnet2_duplex.data_folder import read_tables, write_speakers, write_table
from espnet2_duplex.events import events_from_json, events_to_json
from espnet2_duplex.formats.files import naming
from espnet2_duplex.formats.recording import (
    UNKNOWN,
    DuplexRecording,
    ProblemHandler,
    make_recording,
    raise_problem,
    read_each,
)
from espnet2_duplex.formats.sounds import FileSound, Sound, open_channels
from espnet2_duplex.formats.target_record import TargetRecord
from espnet2_duplex.formats.wavs import write_channels

REQUIRED = ("user.scp", "agent.scp", "turns", "utt2spk")
OPTIONAL = ("events", "utt2source")


@dataclass(frozen=True)
class KaldiOptions:
    """How a data folder is written.

    Attributes:
        user_rate: of the user's wavs, in Hz.
        agent_rate: of the agent's wavs, in Hz.
        audio: "reference": mono files that have the rate stay where they are, and the
            scp names them; all other sound becomes 16-bit wavs in ``<folder>/wav``.
            "copy": all sound does.
    """

    user_rate: int = 16000
    agent_rate: int = 22050
    audio: str = "reference"


def read_kaldi(
    folder: Path, on_problem: ProblemHandler = raise_problem
) -> Iterator[DuplexRecording]:
    """Conversations of a data folder, in the order of user.scp.

    ``events`` and ``utt2source`` may be absent; durations are those of the wavs.

    Raises:
        ValueError: a file of the folder is missing, no UTF-8 or lacks an id.
    """
    folder = Path(folder)
    for name in REQUIRED:
        if not (folder / name).is_file():
            raise ValueError(
                f"{folder} has no {name}; name a data folder, which has "
                f"{', '.join(REQUIRED)}."
            )
    tables = read_tables(folder, REQUIRED, OPTIONAL)
    read = partial(_read_conversation, tables=tables)
    return read_each(tables["user.scp"], read, on_problem)


def _read_conversation(key: str, tables: dict) -> list[DuplexRecording]:
    with naming(f"conversation {key}"):
        recording = make_recording(
            key,
            turns_from_json(tables["turns"][key], key),
            *(_open(tables[f"{role}.scp"][key]) for role in ("user", "agent")),
            speaker=tables["utt2spk"][key],
            source=tables.get("utt2source", {}).get(key, UNKNOWN),
            events=events_from_json(tables.get("events", {}).get(key, "[]"), key),
        )
    return [recording]


def _open(location: str) -> FileSound:
    if location.endswith("|"):
        raise ValueError(
            f"its wav is the command {location!r}; run it and name the file instead."
        )
    return open_channels(Path(location), 1)[0]


class KaldiWriter:
    """Writes a data folder; its tables appear at the end.

    A wav of an earlier run stays if it was made from the same sound.

    Args:
        folder: of the set.
        options: rates, and what becomes of sound that fits.
    """

    def __init__(self, folder: Path, options: KaldiOptions = KaldiOptions()) -> None:
        if options.audio not in ("reference", "copy"):
            raise ValueError(
                f"the way of the audio is {options.audio!r}; expected reference or copy"
            )
        self._folder = Path(folder)
        self._options = options
        self._record = TargetRecord(self._folder)
        names = ("user.scp", "agent.scp", "turns", "utt2dur", *OPTIONAL)
        self._tables: dict[str, dict[str, str]] = {name: {} for name in names}
        self._speakers: dict[str, str] = {}

    def add(self, recording: DuplexRecording) -> None:
        """Write the wavs of a conversation."""
        conversation, options = recording.conversation, self._options
        key = conversation.id
        user = self._place(recording.user, f"{key}_user", options.user_rate)
        agent = self._place(recording.agent, f"{key}_agent", options.agent_rate)
        line = {
            "user.scp": str(user),
            "agent.scp": str(agent),
            "turns": turns_to_json(conversation.turns),
            "utt2dur": f"{conversation.duration:.2f}",  # whole frames of 0.08 s
            "events": events_to_json(recording.events),
            "utt2source": recording.source,
        }
        for name, value in line.items():
            self._tables[name][key] = value
        self._speakers[key] = recording.speaker

    def finish(self) -> None:
        """Write the tables."""
        for name, table in self._tables.items():
            write_table(self._folder / name, table)
        write_speakers(self._folder, self._speakers)
        self._record.finish()

    def _place(self, sound: Sound, name: str, rate: int) -> Path:
        """Where a stream is at its rate; it is written if it is nowhere."""
        if self._options.audio == "reference" and _fits(sound, rate):
            self._record.keep(sound.path)
            return sound.path
        path = self._folder / "wav" / f"{name}.wav"
        write_channels(path, [sound], rate, self._record)
        return path


def _fits(sound: Sound, rate: int) -> bool:
    """Whether a stream is a whole mono file at the rate."""
    if not isinstance(sound, FileSound) or sound.sample_rate != rate:
        return False
    info = soundfile.info(sound.path)
    return info.channels == 1 and info.frames == sound.num_samples
