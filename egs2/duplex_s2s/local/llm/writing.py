"""How a text comes about: which prompts are put, and what is done with the answers.

A text in the making is a generator: it yields a `Prompt`, is sent what the model wrote,
and returns its lines. So that one loop (`runner.py`) can serve many texts with one
batch, and the ways of writing stay plain sequences of questions.

Two ways. "whole": the model writes all lines at once, after the examples, as large
models can. "turns": line by line; the first speaker's lines go on with the transcript,
the second speaker's are the model's ordinary answers to the chat so far; each line is
filtered, and tried again, on its own.
"""

import random
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass

from llm.parsing import parse_lines, shorten, tidy
from llm.prompts import PromptFile

from espnet2_duplex.chat.backend import Message, Prompt

Writing = Generator[Prompt, str, list[str]]
TOKENS_PER_WORD = 1.5  # of English, with a margin
TRIES_PER_TURN = 4
WARMER = 0.15  # at each new try of an answer: a cool model says the same again


class Rejected(Exception):
    """No text came about in this attempt; the counter has the reasons."""


@dataclass(frozen=True)
class Sampling:
    """Temperatures of the first speaker's (or all) lines and of the answers."""

    temperature: float = 0.7
    answer_temperature: float = 0.4
    top_p: float = 0.95


@dataclass(frozen=True)
class Script:
    """What is to be written.

    Attributes:
        id: its seeds are drawn from it.
        prompts: the prompt file; sections [system], [request], [answer], [example].
        labels: the two speakers as they stand in the transcript; lines take turns.
        num_lines: of the text.
        values: of the placeholders.
        max_words: of a line.
        objection: name of the filter that rejects a line, None if none does; is given
            the line and those before it.
    """

    id: str
    prompts: PromptFile
    labels: tuple[str, str]
    num_lines: int
    values: Mapping[str, str]
    max_words: int
    objection: Callable[[str, Sequence[str]], str | None]
    sampling: Sampling = Sampling()

    def seed(self, *numbers: int) -> int:
        """A seed of its own for each attempt, line and try."""
        name = "/".join([self.id, *map(str, numbers)])
        return random.Random(name).getrandbits(31)

    def transcript(self, lines: Sequence[str]) -> str:
        labels = [self.labels[n % 2] for n in range(len(lines))]
        return "\n".join(f"{label}: {text}" for label, text in zip(labels, lines))

    def introduction(self) -> list[Message]:
        """System message, the examples as exchanges, and the request."""
        messages = [Message("system", self.prompts.text("system", self.values))]
        for example in self.prompts.examples(self.labels):
            request = self.prompts.text("request", {**self.values, **example.values})
            messages.append(Message("user", request))
            messages.append(Message("assistant", self.transcript(example.lines)))
        request = self.prompts.text("request", self.values)
        return [*messages, Message("user", request)]


def write_whole(script: Script, attempt: int, rejections: Counter) -> Writing:
    """All lines from one prompt.

    Raises:
        Rejected: not the right number of lines, or a filter rejects one.
    """
    max_tokens = round(script.num_lines * (script.max_words * TOKENS_PER_WORD + 4))
    text = yield Prompt(
        tuple(script.introduction()),
        script.seed(attempt),
        max_tokens=max_tokens,
        temperature=script.sampling.temperature,
        top_p=script.sampling.top_p,
    )
    lines = parse_lines(text, script.labels, script.num_lines)
    if lines is None:
        rejections["not the form"] += 1
        raise Rejected
    lines = [shorten(line, script.max_words) for line in lines]
    for number, line in enumerate(lines):
        objection = script.objection(line, lines[:number])
        if objection:
            rejections[objection] += 1
            raise Rejected
    return lines


def write_turns(script: Script, attempt: int, rejections: Counter) -> Writing:
    """One line after the other.

    Raises:
        Rejected: a line was rejected `TRIES_PER_TURN` times.
    """
    lines: list[str] = []
    while len(lines) < script.num_lines:
        lines.append((yield from _write_line(script, lines, attempt, rejections)))
    return lines


def _write_line(script: Script, lines: list[str], attempt: int, rejections: Counter):
    is_answer = len(lines) % 2 == 1
    messages = answer_messages(script, lines) if is_answer else opened(script, lines)
    sampling = script.sampling
    for number in range(TRIES_PER_TURN):
        warm = sampling.answer_temperature + WARMER * number
        text = yield Prompt(
            tuple(messages),
            script.seed(attempt, len(lines), number),
            max_tokens=round(script.max_words * TOKENS_PER_WORD),
            temperature=warm if is_answer else sampling.temperature,
            top_p=sampling.top_p,
            stop=("\n",),
        )
        line = shorten(tidy(text), script.max_words)
        objection = script.objection(line, lines)
        if objection is None:
            return line
        rejections[objection] += 1
    raise Rejected


def opened(script: Script, lines: Sequence[str]) -> list[Message]:
    """The transcript so far as the beginning of the model's own message."""
    label = script.labels[len(lines) % 2]
    opening = f"{script.transcript(lines)}\n{label}:".lstrip()
    return [*script.introduction(), Message("assistant", opening)]


def answer_messages(script: Script, lines: Sequence[str]) -> list[Message]:
    """The lines so far as a chat; the last one with the wish for a short answer."""
    roles = ("user", "assistant")
    chat = [Message(roles[n % 2], line) for n, line in enumerate(lines)]
    wish = script.prompts.text("answer", {**script.values, "line": lines[-1]})
    return [*chat[:-1], Message("user", wish)]


STYLES = {"whole": write_whole, "turns": write_turns}
