"""How the judge of Full-Duplex-Bench is asked."""

from collections.abc import Callable
from dataclasses import replace

from espnet2_duplex.chat.asking import BadAnswer, Question
from espnet2_duplex.chat.backend import Message, Prompt

MAX_TOKENS = 200
# Full-Duplex-Bench asks until it understands.
NUM_TRIES = 3
RETRY_TEMPERATURE = 0.7
MARKS = r"(?:[^\w\n]|_)*"  # of punctuation and emphasis, in one line


def question_of[A](chat: tuple[Message, ...], parse: Callable[[str], A]) -> Question[A]:
    """A question whose first try is greedy.

    Args:
        chat: what to ask.
        parse: a reply to an answer; raises `BadAnswer` where it is none.
    """
    return Question(Prompt(chat, 0, MAX_TOKENS, temperature=0.0), parse)


def other_try(last: Prompt, problem: BadAnswer) -> Prompt:
    """The same question, drawn with the next seed."""
    return replace(last, seed=last.seed + 1, temperature=RETRY_TEMPERATURE)
