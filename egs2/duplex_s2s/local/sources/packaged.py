"""Questions, readings and small talk from packaged texts (`text_sources.py`)."""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import yaml
from sources.dictionary import is_crude, num_unknown_words, pronunciation
from sources.rows import Job, Options, Refused, agent, kept, make_row, user
from sources.speakable import SENTENCE_END, speakable
from sources.turn_lengths import short
from text_sources import (
    TextPair,
    chatterbot_pairs,
    country_pairs,
    is_suitable,
    load_summaries,
    package_folder,
    sentence,
    wikipedia_pair,
    wikipedia_pairs,
)

PAIRS = {
    "countryinfo": lambda job: country_pairs(),
    "chatterbot": lambda job: chatterbot_pairs(),
    "wikipedia": lambda job: wikipedia_pairs(job.downloads),
}
ABOUT_THE_READING = (
    "So, {question}",
    "Now tell me, {question}",
    "In one sentence, {question}",
    "Going by that, {question}",
    "And in short, {question}",
    "My question is, {question}",
)
DEFINING = 0  # number of the wording "What is ...?" in `wikipedia_pair`


@dataclass(frozen=True, kw_only=True)
class QuestionOptions(Options):
    """Options of `questions`.

    Attributes:
        of: "countryinfo" (templated facts), "chatterbot" or "wikipedia" (definitions);
            also the name of the dataset unless `name` is given.
    """

    name: str = ""
    of: str

    def __post_init__(self) -> None:
        if self.of not in PAIRS:
            raise ValueError(f"of is {self.of!r}; write one of {', '.join(PAIRS)}.")
        if not self.name:
            object.__setattr__(self, "name", self.of)


def questions(options: QuestionOptions, job: Job) -> Iterator[dict]:
    """Short questions with one answer, all pronounced from the dictionary."""
    pairs = enumerate(PAIRS[options.of](job))
    return kept(pairs, partial(_pair_row, options), job.refused)


def _pair_row(options: QuestionOptions, item: tuple[int, TextPair]) -> dict:
    number, pair = item
    if not is_suitable(pair):
        raise Refused("too long, too short, crude or not speakable as it stands")
    if num_unknown_words(f"{pair.question} {pair.answer}"):
        raise Refused("a word that is not in the dictionary")
    turns = [user(pair.question), agent(pair.answer)]
    return make_row(options, f"{number:05d}", turns, pair.licence, pair.source)


@dataclass(frozen=True, kw_only=True)
class ReadingOptions(Options):
    """Options of `wikipedia_context`.

    Attributes:
        max_context_seconds: longest reading.
        max_answer_words: longest answer.
    """

    name: str = "wikipedia_context"
    max_context_seconds: float = 16.4
    max_answer_words: int = 20


def wikipedia_context(options: ReadingOptions, job: Job) -> Iterator[dict]:
    """The user reads one or two sentences of a summary and asks what it is about.

    The answer is the defining sentence, so that it lies in the context, as it does in
    MS MARCO.
    """
    articles = enumerate(load_summaries(job.downloads))
    return kept(articles, partial(_reading_row, options, job.seed), job.refused)


def _reading_row(options: ReadingOptions, seed: int, item: tuple[int, dict]) -> dict:
    number, article = item
    rng = random.Random(f"{seed}/{options.name}/{number}")
    pair = wikipedia_pair(article, DEFINING)
    if pair is None:
        raise Refused("no definition")
    text = " ".join(article["extract"].split())
    context = " ".join(SENTENCE_END.split(text)[: rng.choice((1, 2, 2, 2))])
    context = short(speakable(context), "user", options.max_context_seconds)
    answer = short_answer(speakable(pair.answer), options.max_answer_words)
    asked = pair.question[0].lower() + pair.question[1:]
    question = rng.choice(ABOUT_THE_READING).format(question=asked)
    said = f"{context} {question} {answer}"
    if is_crude(said) or pronunciation().phonemes(said) is None:
        raise Refused("crude, or a word that is not in the dictionary")
    turns = [user(context), user(question), agent(answer)]
    return make_row(
        options, f"{number:05d}", turns, pair.licence, pair.source, group=pair.source
    )


def short_answer(text: str, max_words: int) -> str:
    """A definition of at most `max_words`, cut at a comma if need be.

    Raises:
        Refused: there is no such comma.
    """
    clauses = re.split(r",\s+", text.rstrip("."))
    for count in range(len(clauses), 0, -1):
        said = ", ".join(clauses[:count])
        if 4 <= len(said.split()) <= max_words:
            return sentence(said)
    raise Refused("a definition that is too long")


@dataclass(frozen=True, kw_only=True)
class SmallTalkOptions(Options):
    """Options of `chatterbot_dialogues`.

    Attributes:
        max_turns: later turns are left out.
        max_words: dialogues with a longer turn are left out.
    """

    name: str = "chatterbot_dialogues"
    max_turns: int = 8
    max_words: int = 30


def chatterbot_dialogues(options: SmallTalkOptions, job: Job) -> Iterator[dict]:
    """Dialogues of chatterbot-corpus with four lines or more.

    Only its file "conversations" holds such; several lines in other files are different
    answers to one question.
    """
    path = package_folder("chatterbot_corpus") / "data/english/conversations.yml"
    listed = yaml.safe_load(path.read_text("utf-8"))["conversations"]
    longest = options.max_turns // 2 * 2
    parts = [
        (f"{number:03d}", lines[: len(lines) // 2 * 2][:longest])
        for number, lines in enumerate(listed)
        if len(lines) >= 4
    ]
    return kept(parts, partial(_small_talk_row, options), job.refused)


def _small_talk_row(options: SmallTalkOptions, part: tuple[str, list]) -> dict:
    key, lines = part
    lines = [speakable(str(line)) for line in lines]
    if any(is_crude(line) for line in lines):
        raise Refused("crude")
    if any(len(line.split()) > options.max_words for line in lines):
        raise Refused("a turn that is too long")
    turns = [
        (user, agent)[number % 2](sentence(line, line[-1] if line[-1] in "?!" else "."))
        for number, line in enumerate(lines)
    ]
    origin = "chatterbot-corpus, english/conversations.yml"
    return make_row(options, key, turns, "BSD-3-Clause", origin)
