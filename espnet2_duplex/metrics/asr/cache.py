"""Transcripts that are kept: JSON lines, one conversation each, with its digest."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from espnet2_duplex.jsonl import read_jsonl, write_jsonl
from espnet2_duplex.metrics.activity import Segment
from espnet2_duplex.metrics.asr.interface import PACKAGES, AsrOptions
from espnet2_duplex.metrics.versions import versions_of
from espnet2_duplex.words import Word


@dataclass(frozen=True)
class Utterance:
    """A segment of the agent's speech and its words.

    Attributes:
        start: seconds since the beginning of the recording.
        end: seconds, exclusive.
        text: transcript.
        words: inside the segment, on the same clock; empty unless they were asked for.
    """

    start: float
    end: float
    text: str
    words: tuple[Word, ...] = ()


@dataclass(frozen=True)
class Spoken:
    """What is said in one conversation.

    Attributes:
        digest: of what it was heard from, see `digest_of`.
        utterances: in time order.
    """

    digest: str
    utterances: tuple[Utterance, ...]


def digest_of(
    segments: Sequence[Segment], clips: Sequence[np.ndarray], options: AsrOptions
) -> str:
    """Of everything that the transcripts of one conversation depend on."""
    digest = hashlib.sha256()
    engine = versions_of([PACKAGES[options.engine]])
    made_by = f"{options.definition()} {engine} {tuple(segments)}\n"
    digest.update(made_by.encode())
    for clip in clips:
        digest.update(np.ascontiguousarray(clip, dtype=np.float32).tobytes())
    return digest.hexdigest()


def read_spoken(path: Path) -> dict[str, Spoken]:
    """Conversations of a file by id; none if there is no file.

    Raises:
        ValueError: it is damaged.
    """
    if not path.is_file():
        return {}
    try:
        return {
            row["id"]: Spoken(
                str(row["digest"]), tuple(map(_utterance, row["utterances"]))
            )
            for row in read_jsonl(path)
        }
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} is damaged ({error!r}); delete it and score again"
        ) from error


def write_spoken(
    path: Path, names: Iterable[str], spoken: Mapping[str, Spoken]
) -> None:
    """Write the conversations among `names` that are known, atomically."""
    write_jsonl(
        path, ({"id": name, **asdict(spoken[name])} for name in names if name in spoken)
    )


def _utterance(fields: dict) -> Utterance:
    words = tuple(Word(**word) for word in fields["words"])
    return Utterance(**{**fields, "words": words})
