"""Data folders -> the records that the report of the data counts."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from espnet2_duplex.conversation import Conversation, turns_from_json
from espnet2_duplex.data_folder import read_table
from espnet2_duplex.events import events_from_json
from espnet2_duplex.metrics.data_report.paper_table import SourceInfo
from espnet2_duplex.metrics.data_report.records import Record
from espnet2_duplex.metrics.data_report.timings import Timing, parse_timing

UNKNOWN_SOURCE = "unknown"
ROUNDING_SECONDS = 0.01  # utt2dur has two decimals


@dataclass(frozen=True)
class FolderTables:
    """The text files of a data folder, id -> value.

    Attributes:
        folder: where they were read.
        turns: JSON.
        durations: seconds, as text.
        speakers: of the user.
        sources: datasets; empty if the folder does not tell them.
        events: JSON; empty if the folder has none.
    """

    folder: Path
    turns: Mapping[str, str]
    durations: Mapping[str, str]
    speakers: Mapping[str, str]
    sources: Mapping[str, str]
    events: Mapping[str, str]


def read_tables(folder: Path) -> FolderTables:
    """Read `turns`, `utt2dur`, `utt2spk`, and where they exist `utt2source`, `events`.

    Raises:
        ValueError: a file is missing or broken, or has other ids than `turns`.
    """
    tables = {
        name: read_table(folder / name) for name in ("turns", "utt2dur", "utt2spk")
    }
    for name in ("utt2source", "events"):
        path = folder / name
        tables[name] = read_table(path) if path.exists() else {}
    for name, table in tables.items():
        odd = sorted(set(table).symmetric_difference(tables["turns"]))
        if table and odd:
            lacking = folder / (name if odd[0] in tables["turns"] else "turns")
            raise ValueError(
                f"{lacking} lacks the conversation {odd[0]}; give every file of "
                f"{folder} the same ids."
            )
    return FolderTables(folder, *tables.values())


def read_records(tables: FolderTables) -> Iterator[Record]:
    """One record for each conversation.

    Raises:
        ValueError: turns, events or a duration are broken; names file and conversation.
    """
    for id in tables.turns:
        try:
            yield Record(
                conversation=_conversation(id, tables),
                speaker=tables.speakers[id],
                source=tables.sources.get(id, UNKNOWN_SOURCE),
                events=events_from_json(tables.events.get(id, "[]"), id),
            )
        except ValueError as error:
            raise ValueError(f"{tables.folder}: {error}") from error


def read_source_infos(folder: Path) -> dict[str, SourceInfo]:
    """What `<folder>/sources` says of the datasets; nothing if it is absent or empty.

    A line has a name as in `utt2source` and JSON with any of "name" (to show), "task",
    "speech", "multi_turn", all texts, see :class:`SourceInfo`::

        ms_marco {"name": "MS MARCO", "task": "Spoken QA", "speech": "TTS"}

    Raises:
        ValueError: a line is not like that.
    """
    path = folder / "sources"
    if not path.exists() or not path.stat().st_size:
        return {}
    infos = {}
    for source, text in read_table(path).items():
        try:
            infos[source] = SourceInfo(**{"name": source, **json.loads(text)})
        except (json.JSONDecodeError, TypeError) as problem:
            raise ValueError(
                f"{path}: {source} has {text}; expected a JSON object with name, task, "
                'speech, multi_turn, such as {"task": "Spoken QA", "speech": "TTS"}.'
            ) from problem
    return infos


def read_timings(path: Path) -> tuple[Timing, ...]:
    """What each line says, see :func:`.timings.parse_timing`.

    Raises:
        ValueError: the file is missing, or a line is not like that.
    """
    if not path.is_file():
        raise ValueError(f"{path} does not exist; leave out --timings or correct it.")
    timings = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            timings.append(parse_timing(line))
        except ValueError as error:
            raise ValueError(f"{path}, line {number}: {error}.") from error
    return tuple(timings)


def _conversation(id: str, tables: FolderTables) -> Conversation:
    turns = turns_from_json(tables.turns[id], id)
    try:
        told = float(tables.durations[id])
    except ValueError:
        raise ValueError(
            f"conversation {id} has the duration {tables.durations[id]!r} in utt2dur; "
            "expected seconds"
        ) from None
    last = max((turn.end for turn in turns), default=0.0)
    is_rounded = told < last <= told + ROUNDING_SECONDS
    return Conversation(id, turns, last if is_rounded else told)
