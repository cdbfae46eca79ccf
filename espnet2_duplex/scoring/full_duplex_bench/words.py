"""What the JSON files of a sample of Full-Duplex-Bench say, and its transcripts."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from espnet2_duplex.formats.files import naming, read_json, write_json
from espnet2_duplex.metrics.activity import Segment
from espnet2_duplex.metrics.full_duplex_bench.behaviour import Transcripts
from espnet2_duplex.scoring.full_duplex_bench.files import BenchSample, transcript_path
from espnet2_duplex.words import Word, parse_word


def turn_end(folder: Path) -> float:
    """Where the user's turn ends, in seconds (turn_taking.json, its first entry).

    Raises:
        ValueError: the file is missing or not of that kind.
    """
    row = _first_row(folder / "turn_taking.json")
    with naming(folder / "turn_taking.json"):
        times = row.get("timestamp")
        if not isinstance(times, list) or not times:
            raise ValueError(f"its first entry has the timestamp {times!r}")
        return parse_word("", [times[0], times[0]]).start


@dataclass(frozen=True)
class Interruption:
    """The user's interruption: when it is, and both of the user's turns as text."""

    span: Segment
    context: str
    text: str


def interruption_of(folder: Path) -> Interruption:
    """The first entry of interrupt.json.

    Raises:
        ValueError: the file is missing or not of that kind.
    """
    row = _first_row(folder / "interrupt.json")
    with naming(folder / "interrupt.json"):
        word = parse_word(row.get("interrupt"), row.get("timestamp"))
        span = Segment(word.start, word.end)
        return Interruption(span, str(row.get("context", "")), word.text)


def user_end(folder: Path) -> float | None:
    """End of the user's last word in seconds, None without transcription.json.

    Raises:
        ValueError: the file is not of that kind.
    """
    path = folder / "transcription.json"
    if not path.is_file():
        return None
    with naming(path):
        words = _parse_words(read_json(path, list))
    return max((word.end for word in words), default=None)


def read_chunks(path: Path) -> list[Word]:
    """Words of a transcript, as Full-Duplex-Bench's asr.py writes it.

    A word without an end ends where it starts, as eval_pause_handling.py takes it.

    Raises:
        ValueError: the file is missing or not of that kind.
    """
    content = read_json(path, dict)
    with naming(path):
        if "chunks" not in content:
            raise ValueError('it has no "chunks"; give --asr_model to make them')
        return _parse_words(content["chunks"])


def read_spoken_text(path: Path) -> str:
    """The key "text" of a transcript, or its words."""
    text = read_json(path, dict).get("text")
    if isinstance(text, str):
        return text
    return " ".join(word.text for word in read_chunks(path))


def write_chunks(path: Path, text: str, words: Sequence[Word], more: dict) -> None:
    """Write a transcript in Full-Duplex-Bench's form; other keys of the file stay.

    Args:
        path: of the file.
        text: all of it.
        words: in time order.
        more: further keys.
    """
    content = read_json(path, dict) if path.is_file() else {}
    chunks = [
        {"text": word.text, "timestamp": [word.start, word.end]} for word in words
    ]
    write_json(path, {**content, "text": text, "chunks": chunks, **more})


def overlap_transcripts(sample: BenchSample) -> Transcripts:
    """The four transcripts of a sample of v1.5.

    Raises:
        ValueError: one is missing or not of that kind.
    """
    names = ("clean_input", "input", "clean_output", "output")
    return Transcripts(*(read_chunks(transcript_path(sample, name)) for name in names))


def _parse_words(rows: object) -> list[Word]:
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("its words are no list of objects with text and timestamp")
    return [parse_word(row.get("text"), _closed(row)) for row in rows]


def _closed(row: dict) -> object:
    times = row.get("timestamp")
    if isinstance(times, list) and len(times) == 2 and times[1] is None:
        return [times[0], times[0]]
    return times


def _first_row(path: Path) -> dict:
    rows = read_json(path, list)
    if not rows or not isinstance(rows[0], dict):
        raise ValueError(f"{path} has no entry; write it again.")
    return rows[0]
