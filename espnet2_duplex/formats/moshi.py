"""moshi-finetune's data sets: JSONL, stereo wavs, and the agent's words with times.

A line of the JSONL is ``{"path": "data_stereo/x.wav", "duration": 24.5}``, the path
relative to it. Left is the agent ("Moshi"), right the user. Beside each wav, the JSON
that moshi-finetune's annotate.py writes: ``{"alignments": [["word", [start, end],
"SPEAKER_MAIN"], ...]}``, sorted by start, SPEAKER_MAIN being the left channel. We add
the keys of :meth:`DuplexRecording.labels`, which moshi-finetune passes over.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from espnet2_duplex.conversation import Turn
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
from espnet2_duplex.formats.target_record import TargetRecord
from espnet2_duplex.formats.wavs import write_channels
from espnet2_duplex.formats.words import spoken_turns, spread_words, turns_of_words
from espnet2_duplex.jsonl import read_jsonl, write_jsonl
from espnet2_duplex.words import parse_word

SPEAKERS = {"SPEAKER_MAIN": "agent", "SPEAKER_OTHER": "user"}
ROLES = {role: speaker for speaker, role in SPEAKERS.items()}
DATA_FILE, SOUND_FOLDER = "data.jsonl", "data_stereo"


@dataclass(frozen=True)
class MoshiOptions:
    """How the data set is read and written.

    Attributes:
        sample_rate: of the wavs that are written, in Hz; Mimi's is 24 kHz.
        word_gap_seconds: a longer silence between two words begins another turn, where
            the JSON has no turns.
    """

    sample_rate: int = 24000
    word_gap_seconds: float = 0.8


def read_moshi(
    path: Path,
    listener: Listener,
    options: MoshiOptions = MoshiOptions(),
    on_problem: ProblemHandler = raise_problem,
) -> Iterator[DuplexRecording]:
    """Conversations of a data set; ids are the names of the wavs.

    Without our keys, the agent's turns are made of its words, and the user's turns of
    words of SPEAKER_OTHER or, where there are none, of what the listener hears.

    Args:
        path: the JSONL, or a folder with one.
        listener: for the user's turns.
        options: of the turns.
        on_problem: gets the faults of single conversations.

    Raises:
        ValueError: there is not one JSONL, or a line of it is no such object.
    """
    path = Path(path)
    if not path.exists():
        raise ValueError(f"{path} does not exist; name a .jsonl or a folder with one.")
    if path.is_dir():
        found = sorted(path.glob("*.jsonl"))
        if len(found) != 1:
            raise ValueError(f"{path} has {len(found)} .jsonl files; name the one.")
        path = found[0]
    wavs = []
    for number, row in enumerate(read_jsonl(path), 1):
        if not isinstance(row.get("path"), str):
            raise ValueError(
                f"{path}, entry {number} reads {row!r}; expected "
                '{"path": "x.wav", "duration": 1.0}.'
            )
        wavs.append(path.parent / row["path"])
    read = partial(_read_wav, listener=listener, options=options)
    return read_each(wavs, read, on_problem)


def _read_wav(
    wav: Path, listener: Listener, options: MoshiOptions
) -> list[DuplexRecording]:
    agent, user = open_channels(wav, 2)
    path = wav.with_suffix(".json")
    content = read_json(path, dict)
    with naming(path):
        if "turns" in content:
            return [recording_with_labels(wav.stem, content, user, agent)]
        turns, events = _turns_of(content, options.word_gap_seconds), ()
        if not any(turn.role == "user" for turn in turns):
            users, events = listener.user(user, turns, agent)
            turns += users
        names = {"speaker": wav.stem, "events": events}
        return [make_recording(wav.stem, turns, user, agent, **names)]


def _turns_of(content: dict, gap_seconds: float) -> list[Turn]:
    rows = content.get("alignments")
    if not isinstance(rows, list):
        raise ValueError('it has no "alignments"; run annotate.py on the data set.')
    words: dict[str, list] = {"agent": [], "user": []}
    for row in rows:
        if not isinstance(row, list) or len(row) != 3:
            raise ValueError(
                f"an alignment reads {row!r}; expected [word, [start, end], speaker]"
            )
        if row[2] not in SPEAKERS:
            raise ValueError(
                f"the speaker of {row[0]!r} is {row[2]!r}; expected one of "
                f"{', '.join(SPEAKERS)}"
            )
        words[SPEAKERS[row[2]]].append(parse_word(row[0], row[1]))
    return [
        turn
        for role, spoken in words.items()
        for turn in turns_of_words(spoken, role, gap_seconds)
    ]


class MoshiWriter:
    """Writes a data set; the JSONL appears at the end.

    The words of an agent's turn are spread over it in proportion to their lengths, as
    there are no times of words; a turn that the user cuts has only those that there was
    time for. A wav of an earlier run stays if it was made from the same sound.

    Args:
        folder: of data.jsonl and data_stereo/.
        options: rate of the wavs.
    """

    def __init__(self, folder: Path, options: MoshiOptions = MoshiOptions()) -> None:
        self._folder = Path(folder)
        self._rate = options.sample_rate
        self._rows: list[dict] = []
        self._record = TargetRecord(self._folder)

    def add(self, recording: DuplexRecording) -> None:
        """Write wav and JSON of a conversation."""
        wav = self._folder / SOUND_FOLDER / f"{recording.id}.wav"
        # The JSON first: a wav without it would be a fault.
        path = wav.with_name(f"{recording.id}.json")
        write_json(path, {"alignments": _alignments(recording), **recording.labels()})
        self._record.add(path)
        sounds = [recording.agent, recording.user]
        num_samples = write_channels(wav, sounds, self._rate, self._record)
        name = f"{SOUND_FOLDER}/{wav.name}"
        self._rows.append({"path": name, "duration": num_samples / self._rate})

    def finish(self) -> None:
        """Write the JSONL."""
        write_jsonl(self._folder / DATA_FILE, self._rows)
        self._record.finish()


def _alignments(recording: DuplexRecording) -> list:
    return [
        [word.text, [word.start, word.end], ROLES["agent"]]
        for turn in spoken_turns(recording.conversation)
        for word in spread_words(turn)
    ]
