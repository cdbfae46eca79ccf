"""What the JSON files of a sample of Full-Duplex-Bench say, and its transcripts."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from espnet2_duplex.formats.bench_words import (
    parse_words,
    read_turn_end,
    read_user_words,
)
from espnet2_duplex.formats.files import naming, read_json, write_json
from espnet2_duplex.metrics.activity import Segment
from espnet2_duplex.metrics.full_duplex_bench.behaviour import Transcripts
from espnet2_duplex.scoring.full_duplex_bench.files import BenchSample, transcript_path
from espnet2_duplex.words import Word, parse_word


def turn_end(folder: Path) -> float:
    """Where the user's turn ends, in seconds; see :func:`.bench_words.read_turn_end`."""
    return read_turn_end(folder)


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
        ValueError: the file is not of that kind, or does not tell who the user is.
    """
    words = read_user_words(folder) or ()
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
        return parse_words(content["chunks"])


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


def _first_row(path: Path) -> dict:
    rows = read_json(path, list)
    if not rows or not isinstance(rows[0], dict):
        raise ValueError(f"{path} has no entry; write it again.")
    return rows[0]
