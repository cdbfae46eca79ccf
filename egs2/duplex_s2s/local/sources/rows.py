"""What all sources share: options, the job, rows, refusals and the choice of rows."""

import hashlib
import heapq
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path

from tts.kokoro import TEST_VOICES, TRAIN_VOICES

HELD_OUT_SHARES = {"valid": 0.02, "test": 0.02}
NOT_IN_IDS = re.compile(r"[^A-Za-z0-9_.-]+")
GROUP = "group"  # key of a row until its set is chosen


class Refused(Exception):
    """An item of a source that no row can be made of; says why in a few words."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """Options of every kind of source.

    Attributes:
        name: of the dataset; begins the ids. Entries of one kind need different names.
        num: how many conversations, chosen by seed and id; None for all.
        set: data folder of all its conversations; None splits them by their ids.
        held_out: without `set`, shares of the sets beside train.
    """

    name: str
    num: int | None = None
    set: str | None = None
    held_out: dict = field(default_factory=lambda: dict(HELD_OUT_SHARES))


@dataclass(frozen=True)
class Job:
    """What a source is given besides its options.

    Attributes:
        downloads: folder filled by `assets.py`.
        out: folder of conversations.jsonl; sources may write sounds and lists into it.
        seed: of all choices.
        train_voices: of users in training and valid.
        test_voices: of users in the test sets.
        user_rate: of the corpus, in Hz.
        agent_rate: of the corpus, in Hz.
        refused: number of items by reason; sources add to it.
    """

    downloads: Path
    out: Path
    seed: int = 0
    train_voices: tuple[str, ...] = TRAIN_VOICES
    test_voices: tuple[str, ...] = TEST_VOICES
    user_rate: int = 16000
    agent_rate: int = 22050
    refused: Counter = field(default_factory=Counter)

    def find(self, path: str) -> Path:
        """A source's file: relative to `out` if it is there, else to the work folder.

        Raises:
            ValueError: it is in neither.
        """
        for folder in (self.out, Path()):
            if (folder / path).exists():
                return folder / path
        raise ValueError(
            f"{path} does not exist, nor does {self.out / path}; correct the path in "
            "the texts of the corpus YAML."
        )


def kept[T](
    items: Iterable, convert: Callable[..., T], refused: Counter
) -> Iterator[T]:
    """`convert(item)` of all items that it does not refuse; the others are counted."""
    for item in items:
        try:
            row = convert(item)
        except Refused as reason:
            refused[str(reason)] += 1
        else:
            yield row


def user(text: str, **fields) -> dict:
    """A user's turn of a row."""
    return {"role": "user", "text": text, **fields}


def agent(text: str, **fields) -> dict:
    """An agent's turn of a row."""
    return {"role": "agent", "text": text, **fields}


def make_row(
    options: Options,
    key: object,
    turns: list[dict],
    licence: str,
    origin: str,
    group: str | None = None,
) -> dict:
    """A row.

    Args:
        options: give it the name of the dataset.
        key: tells it from the others of its dataset.
        turns: of the format.
        licence: of the text.
        origin: where the text comes from.
        group: rows of one group, whatever their dataset, share a set; it is `GROUP` of
            the row until the set is chosen.
    """
    row = {
        "id": NOT_IN_IDS.sub("-", f"{options.name}_{key}"),
        "source": options.name,
        "licence": licence,
        "origin": origin,
        "turns": turns,
    }
    return row if group is None else {**row, GROUP: group}


def choose[T](
    items: Iterable[T],
    num: int | None,
    seed: int,
    id_of: Callable[[T], str] = itemgetter("id"),
) -> list[T]:
    """`num` rows by seed and id, whatever their order; in the order of their ids.

    Of a longer source the same rows are chosen, or new ones in their place.

    Args:
        items: rows, or what holds one.
        num: None for all.
        seed: of the choice.
        id_of: gives an item's id.
    """
    if num is None:
        return list(items)

    def lot(item: T) -> bytes:
        return hashlib.sha1(f"{seed}/{id_of(item)}".encode()).digest()

    return sorted(heapq.nsmallest(num, items, key=lot), key=id_of)
