"""The words in Full-Duplex-Bench's JSON files.

Words are ``[{"text", "timestamp": [start, end]}, ...]``, also under the key "chunks";
an end that is null is the start. In the smooth turn taking of v1.0, transcription.json
has both speakers of the dialogue that a sample is cut from, ``[{"speaker", "item":
[words]}, ...]``; the user, whom input.wav holds, is the one who speaks up to the
instant of turn_taking.json.
"""

from pathlib import Path

from espnet2_duplex.formats.files import naming, read_json
from espnet2_duplex.words import Word, parse_word


def read_words(path: Path) -> list[Word]:
    """Words of one speaker.

    Raises:
        ValueError: the file is missing or not like that.
    """
    content = read_json(path, (list, dict))
    with naming(path):
        rows = content.get("chunks") if isinstance(content, dict) else content
        if rows is None:
            raise ValueError('it has neither "turns" nor "chunks".')
        return parse_words(rows)


def parse_words(rows: object) -> list[Word]:
    """Words from parsed JSON.

    Raises:
        ValueError: it is not of that kind.
    """
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("its words are no list of objects with text and timestamp.")
    return [parse_word(row.get("text"), _closed(row.get("timestamp"))) for row in rows]


def read_user_words(folder: Path) -> list[Word] | None:
    """The user's words in transcription.json of a sample, None without that file.

    Raises:
        ValueError: it is not of that kind, or does not tell who the user is.
    """
    path = folder / "transcription.json"
    if not path.is_file():
        return None
    rows = read_json(path, list)
    with naming(path):
        if not any(isinstance(row, dict) and "item" in row for row in rows):
            return parse_words(rows)
        speakers = _words_by_speaker(rows)
    if len(speakers) == 1:
        return speakers[0]
    return _user_among(speakers, folder)


def read_turn_end(folder: Path) -> float:
    """Where the user's turn ends, in seconds (turn_taking.json, its first entry).

    Raises:
        ValueError: the file is missing or not of that kind.
    """
    path = folder / "turn_taking.json"
    rows = read_json(path, list)
    if not rows or not isinstance(rows[0], dict):
        raise ValueError(f"{path} has no entry; write it again.")
    return parse_instant(rows[0], path)


def parse_instant(row: dict, path: Path) -> float:
    """Where a turn of the user ends, in seconds, from an entry of turn_taking.json."""
    times = row.get("timestamp")
    with naming(path):
        if not isinstance(times, list) or not times:
            raise ValueError(
                f"an entry has the timestamp {times!r}; expected [end of the user's "
                "turn, start of the next] in seconds"
            )
        return parse_word("", [times[0], times[0]]).start


def _words_by_speaker(rows: list) -> list[list[Word]]:
    """Words of each speaker, in the order of the speakers' names."""
    words: dict[str, list[Word]] = {}
    for row in rows:
        if not isinstance(row, dict) or not {"speaker", "item"} <= row.keys():
            raise ValueError(
                f"an entry reads {str(row)[:60]!r}; expected an object with speaker "
                "and item."
            )
        words.setdefault(str(row["speaker"]), []).extend(parse_words(row["item"]))
    return [words[name] for name in sorted(words)]


def _user_among(speakers: list[list[Word]], folder: Path) -> list[Word]:
    if not (folder / "turn_taking.json").is_file():
        raise ValueError(
            f"{folder / 'transcription.json'} has {len(speakers)} speakers and no "
            "turn_taking.json beside it that tells whose turn ends; keep only the user."
        )
    end = read_turn_end(folder)
    distances = [
        min((abs(word.end - end) for word in words), default=float("inf"))
        for words in speakers
    ]
    return speakers[distances.index(min(distances))]


def _closed(times: object) -> object:
    if isinstance(times, list) and len(times) == 2 and times[1] is None:
        return [times[0], times[0]]
    return times
