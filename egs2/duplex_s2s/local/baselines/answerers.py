"""Who decides what the agent says: the reference, or a text LLM (language_model.py)."""

import math
from dataclasses import dataclass
from typing import Protocol

from baselines.sides import Dialogue, UserSide
from baselines.timed import Timed

SYSTEM_PROMPT = "Answer in one short sentence."


class Answerer(Protocol):
    """Says what the agent answers."""

    def answer(self, user: UserSide, number: int, dialogue: Dialogue) -> Timed[str]:
        """The answer to the last exchange of a dialogue; "" is none.

        Args:
            user: the conversation.
            number: of the user turn in it, from 0.
            dialogue: up to and with the user turn to answer, whose agent is "".
        """


class Reference:
    """The agent's turns of the data, each an answer to the last user turn before it."""

    def answer(self, user: UserSide, number: int, dialogue: Dialogue) -> Timed[str]:
        onsets = [turn.start for turn in user.user_turns] + [math.inf]
        texts = [
            turn.text
            for turn in user.agent_turns
            if onsets[number] <= turn.start < onsets[number + 1]
        ]
        return Timed(" ".join(texts), 0.0)


@dataclass(frozen=True)
class AnswerOptions:
    """How a language model answers.

    Attributes:
        system_prompt: first message of the chat; "" is none.
        max_words: whole sentences up to this number of words are said.
        max_tokens: after which the model is stopped; the end of a line stops it, too.
        temperature: 0 takes the likeliest token always.
        seed: of drawing tokens.

    Raises:
        ValueError: a number of words or tokens below 1.
    """

    system_prompt: str = SYSTEM_PROMPT
    max_words: int = 20
    max_tokens: int = 32
    temperature: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("max_words", "max_tokens"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; give 1 or more.")
