"""Data folders of this project (DESIGN, "Data on disk")."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import soundfile

from espnet2_duplex.conversation import turns_from_json, turns_to_json
from espnet2_duplex.data_folder import read_table, write_speakers, write_table
from espnet2_duplex.events import Event, events_to_json
from espnet2_duplex.formats.files import is_current, naming
from espnet2_duplex.formats.recording import (
    UNKNOWN,
    DuplexRecording,
    ProblemHandler,
    make_recording,
    parse_events,
    raise_problem,
    read_each,
)
from espnet2_duplex.formats.sounds import (
    FileSound,
    Sound,
    open_channels,
    read_stream,
    seconds_of,
)
from espnet2_duplex.sound_files import write_wav
from espnet2_duplex.timing import nearest_sample

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
    tables = {name: read_table(folder / name) for name in REQUIRED}
    for name in OPTIONAL:
        if (folder / name).is_file():
            tables[name] = read_table(folder / name)
    for name, table in tables.items():
        odd = sorted(set(table) ^ set(tables["user.scp"]))
        if odd:
            where = folder / (name if odd[0] not in table else "user.scp")
            raise ValueError(
                f"{where} lacks the conversation {odd[0]}; give every file of {folder} "
                "the same ids."
            )
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
            events=_parsed_events(tables.get("events", {}).get(key, "[]")),
        )
    return [recording]


def _parsed_events(text: str) -> tuple[Event, ...]:
    try:
        return parse_events(json.loads(text))
    except json.JSONDecodeError as problem:
        raise ValueError(
            f"its events are no valid JSON ({problem.msg} at character {problem.pos}); "
            "write them with events_to_json."
        ) from problem


def _open(location: str) -> FileSound:
    if location.endswith("|"):
        raise ValueError(
            f"its wav is the command {location!r}; run it and name the file instead."
        )
    return open_channels(Path(location), 1)[0]


class KaldiWriter:
    """Writes a data folder; its tables appear at the end.

    A wav of an earlier run stays if it has the length and the rate that it would get
    and is not older than the sound it is made from.

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

    def _place(self, sound: Sound, name: str, rate: int) -> Path:
        """Where a stream is at its rate; it is written if it is nowhere."""
        if self._options.audio == "reference" and _fits(sound, rate):
            return sound.path
        path = self._folder / "wav" / f"{name}.wav"
        seconds = seconds_of(sound)
        shape = (nearest_sample(seconds, rate),)
        if not is_current(path, [sound], shape, rate):
            write_wav(path, read_stream(sound, rate, seconds), rate)
        return path


def _fits(sound: Sound, rate: int) -> bool:
    """Whether a stream is a whole mono file at the rate."""
    if not isinstance(sound, FileSound) or sound.sample_rate != rate:
        return False
    info = soundfile.info(sound.path)
    return info.channels == 1 and info.frames == sound.num_samples
