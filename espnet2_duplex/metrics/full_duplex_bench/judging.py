"""Questions to a language model whose answers must be of a certain form."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from espnet2_duplex.chat.backend import Message, Prompt

Answer = TypeVar("Answer")

MAX_TOKENS = 200
NUM_TRIES = 3
RETRY_TEMPERATURE = 0.7


class Judge(Protocol):
    """A language model, see :class:`espnet2_duplex.chat.backend.Backend`."""

    def complete(self, prompts: Sequence[Prompt]) -> list[str]:
        """One text for each prompt."""


def ask(
    judge: Judge,
    chats: Sequence[tuple[Message, ...]],
    parse: Callable[[str], Answer | None],
    num_tries: int = NUM_TRIES,
) -> list[Answer | None]:
    """An answer to each chat, None where no reply could be understood.

    Greedy at first; what cannot be parsed is asked again with other seeds, at most
    `num_tries` times in all, where Full-Duplex-Bench asks until it can be.

    Args:
        judge: who is asked.
        chats: questions.
        parse: a reply to an answer, None if it is no answer.
        num_tries: for each chat.

    Raises:
        ValueError: the judge cannot be asked.
    """
    answers: list[Answer | None] = [None] * len(chats)
    for seed in range(num_tries):
        left = [n for n, answer in enumerate(answers) if answer is None]
        if not left:
            break
        temperature = RETRY_TEMPERATURE if seed else 0.0
        replies = judge.complete(
            [Prompt(chats[n], seed, MAX_TOKENS, temperature) for n in left]
        )
        for n, reply in zip(left, replies, strict=True):
            answers[n] = parse(reply)
    return answers
