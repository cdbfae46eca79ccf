"""Sentences for the encoder to learn from: packaged texts, spelt as they are spoken."""

import random
from collections.abc import Collection, Iterator
from pathlib import Path

from sources.dictionary import is_crude, num_unknown_words
from sources.published import load_json
from sources.rows import Refused
from sources.speakable import SENTENCE_END, speakable
from sources.typed import spoken_turn
from text_sources import (
    chatterbot_pairs,
    country_pairs,
    load_summaries,
    wikipedia_pairs,
)

from espnet2_duplex.perception.ctc import spoken_characters

MIN_WORDS, MAX_WORDS = 2, 18


def wikipedia_sentences(downloads: Path) -> Iterator[str]:
    """Sentences of the summaries."""
    for article in load_summaries(downloads):
        yield from SENTENCE_END.split(" ".join(article["extract"].split()))


def chitchat_sentences(downloads: Path) -> Iterator[str]:
    """Sentences of real dialogues."""
    for dialogue in load_json(downloads / "chitchat_dataset/dataset.json").values():
        for message in (m for group in dialogue["messages"] for m in group):
            try:
                yield from SENTENCE_END.split(spoken_turn([str(message["text"])]))
            except Refused:
                continue


def questions(downloads: Path) -> Iterator[str]:
    """Questions about countries, small talk and what Wikipedia defines."""
    for pairs in (country_pairs(), chatterbot_pairs(), wikipedia_pairs(downloads)):
        yield from (pair.question for pair in pairs)


KINDS = {
    "wikipedia": wikipedia_sentences,
    "chitchat": chitchat_sentences,
    "questions": questions,
}
ASSETS = {"chitchat": "chitchat-dataset"}  # besides the default ones


def sentences(
    kind: str, downloads: Path, seed: int, heard: Collection[str]
) -> list[str]:
    """Candidates of a kind in a random order, each once however it is written.

    They have 2 to 18 words and only letters that CTC can spell. Whether `will_do`, which
    is slow, agrees is not asked yet.

    Args:
        kind: one of `KINDS`.
        downloads: folder of the assets.
        seed: of the order.
        heard: texts to leave out, as `spoken_characters` spells them.

    Raises:
        ValueError: an asset is not there.
    """
    chosen = {}
    for text in KINDS[kind](downloads):
        spelt = spoken_characters(text)
        if spelt and spelt not in heard and _is_short(spelt):
            chosen.setdefault(spelt, text)
    texts = sorted(chosen.values())
    random.Random(f"{seed}/{kind}").shuffle(texts)
    return texts


def will_do(text: str) -> bool:
    """Whether the voices' dictionary has all its words, and none is crude."""
    try:
        text = speakable(text)
    except Refused:
        return False
    return not is_crude(text) and not num_unknown_words(text)


def _is_short(text: str) -> bool:
    return MIN_WORDS <= len(text.split()) <= MAX_WORDS
