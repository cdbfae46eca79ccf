"""What a conversation is about: topics, and chats or texts as its context."""

import hashlib
import heapq
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from llm.parsing import shorten, tidy
from sources.dialogues import messages
from sources.dictionary import is_crude
from sources.published import read_objects
from sources.rows import Refused
from text_sources import load_summaries

from espnet2_duplex.jsonl import read_text

CONTEXT_WORDS = 60
# Of the packaged summaries; people, places and events make a small model invent.
SUMMARY_TOPICS = (
    "Everyday life",
    "Biology and health sciences",
    "Technology",
    "Physical sciences",
)
EXCHANGE = 2  # messages of a chat that are its context


def read_topics(path: Path) -> list[str]:
    """One topic a line; empty lines and lines with "#" in front are passed over.

    Raises:
        ValueError: there is none.
    """
    lines = [line.strip() for line in read_text(path).split("\n")]
    topics = [line for line in lines if line and not line.startswith("#")]
    if not topics:
        raise ValueError(f"{path} has no topic; write one a line.")
    return topics


def topic_of(topics: Sequence[str], index: int, seed: int) -> str:
    """The topic of conversation `index`: all topics once in random order, then anew."""
    cycle, place = divmod(index, len(topics))
    return random.Random(f"{seed}/topics/{cycle}").sample(topics, len(topics))[place]


def read_contexts(
    path: Path | None, downloads: Path, num: int, seed: int
) -> list[dict[str, str]]:
    """`num` contexts, or all if there are fewer: {"id", "context", "origin"}, by lot.

    Of a larger `num` the first ones are the same.

    Args:
        path: chats, JSON or JSON lines: {"data": [...]} as UltraChat has them, or
            {"messages": [...]}; their first exchange is the context. Without it,
            summaries of Wikipedia's articles stand in.
        downloads: folder of the packaged summaries.
        num: 1 or more.
        seed: of the lots, one for each id.
    Raises:
        ValueError: a file is missing or a chat has no known form; or nothing is left.
    """

    def lot(row: dict[str, str]) -> bytes:
        return hashlib.sha1(f"{seed}/{row['id']}".encode()).digest()

    found = _chats(path) if path else _summaries(downloads)
    rows = heapq.nsmallest(num, found, key=lot)
    if not rows:
        raise ValueError(f"{path or downloads} has no chat to take as context.")
    return rows


def _chats(path: Path) -> Iterator[dict[str, str]]:
    for number, (where, fields) in enumerate(read_objects(path)):
        try:
            exchange = [text for _, text in messages(fields, where)][:EXCHANGE]
        except Refused:
            continue
        text = shorten(tidy(" ".join(exchange)), CONTEXT_WORDS)
        if text and not is_crude(text):
            words = text.split()[:CONTEXT_WORDS]
            yield {
                "id": f"{number:08d}",
                "context": " ".join(words),
                "origin": f"{path.name}, chat {number}",
            }


def _summaries(downloads: Path) -> Iterator[dict[str, str]]:
    for number, article in enumerate(load_summaries(downloads)):
        text = shorten(tidy(article["extract"]), CONTEXT_WORDS)
        is_good = len(text.split()) <= CONTEXT_WORDS and text.isascii()
        if article["topic"] in SUMMARY_TOPICS and is_good and not is_crude(text):
            yield {
                "id": f"{number:08d}",
                "context": text,
                "origin": f"Wikipedia, {article['title']}",
                "licence": "; its context CC-BY-SA",
            }
