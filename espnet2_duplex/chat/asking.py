"""Questions to a language model whose answers must be of a certain form."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from espnet2_duplex.chat.backend import Prompt, Refused


class BadAnswer(ValueError):
    """An answer of another form than was asked for; says in which way."""


class Asked(Protocol):
    """What is asked, see :class:`espnet2_duplex.chat.backend.Backend`."""

    def complete(self, prompts: Sequence[Prompt]) -> list[str]:
        """One text for each prompt."""


@dataclass(frozen=True)
class Question[A]:
    """Something to ask.

    Attributes:
        prompt: of the first try.
        parse: a text to the answer that it gives; raises `BadAnswer` where it gives
            none.
    """

    prompt: Prompt
    parse: Callable[[str], A]


def ask[A](
    model: Asked,
    questions: Sequence[Question[A]],
    ask_again: Callable[[Prompt, BadAnswer], Prompt],
    num_tries: int,
) -> list[A | BadAnswer | Refused]:
    """The answer to each question, or what is wrong with its last try.

    Args:
        model: who is asked; all questions of a try at once.
        questions: what is asked.
        ask_again: the prompt of a try and what was wrong with it to the next prompt.
            With the same prompt a model would say the same again.
        num_tries: of each question, 1 or more. A prompt that is refused is not tried
            again.

    Raises:
        Unavailable: the model cannot be asked.
    """
    prompts = [question.prompt for question in questions]
    found: list[A | BadAnswer | Refused | None] = [None] * len(questions)
    left = list(range(len(questions)))
    for number in range(num_tries):
        if number:
            left = [n for n in left if isinstance(found[n], BadAnswer)]
            for n in left:
                prompts[n] = ask_again(prompts[n], found[n])
        replies = complete_each(model, [prompts[n] for n in left])
        for n, reply in zip(left, replies, strict=True):
            found[n] = _parsed(reply, questions[n].parse)
    return found


def complete_each(model: Asked, prompts: Sequence[Prompt]) -> list[str | Refused]:
    """A text for each prompt, or why the model does not take it.

    Prompts that are given together are lost together, so where one is refused each half
    is given alone, down to the one.

    Raises:
        Unavailable: the model cannot be asked.
    """
    if not prompts:
        return []
    try:
        return list(model.complete(prompts))
    except Refused as problem:
        if len(prompts) == 1:
            return [problem]
    half = len(prompts) // 2
    return [
        *complete_each(model, prompts[:half]),
        *complete_each(model, prompts[half:]),
    ]


def _parsed[A](
    reply: str | Refused, parse: Callable[[str], A]
) -> A | BadAnswer | Refused:
    if isinstance(reply, Refused):
        return reply
    try:
        return parse(reply)
    except BadAnswer as problem:
        return problem
