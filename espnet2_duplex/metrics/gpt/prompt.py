"""What the judge of the GPT score is shown, and under which digest."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Literal

from espnet2_duplex.chat.backend import Message
from espnet2_duplex.metrics.answers import Answer

JudgeStyle = Literal["json", "likelihood"]
PROMPT_FILES: dict[JudgeStyle, str] = {
    "json": "prompt.txt",
    "likelihood": "prompt_turn.txt",
}
OPENED = Message("assistant", "Score: ")
NOTHING = "(nothing)"


@dataclass(frozen=True)
class AgentTurn:
    """One answer of the agent; "" where there is nothing.

    Attributes:
        user: what the user said before it.
        reference: what the agent should say; an answer without one is not judged.
        hypothesis: what it said, as a recogniser heard it.
    """

    user: str
    reference: str
    hypothesis: str

    @property
    def is_judged(self) -> bool:
        return bool(self.reference)

    @property
    def is_silent(self) -> bool:
        """Judged, but there is nothing to read to the judge."""
        return self.is_judged and not self.hypothesis.strip()


@dataclass(frozen=True)
class Dialogue:
    """A conversation as it is judged.

    Attributes:
        id: of the conversation.
        turns: one for each of its answers, in time order.
    """

    id: str
    turns: tuple[AgentTurn, ...]

    @property
    def judged(self) -> tuple[AgentTurn, ...]:
        """The turns that get a score."""
        return tuple(turn for turn in self.turns if turn.is_judged)


def dialogue_of(
    conversation_id: str, user_texts: Sequence[str], answers: Sequence[Answer]
) -> Dialogue:
    """A conversation from what `pair_answers` gives.

    Args:
        conversation_id: its name.
        user_texts: of all N user turns.
        answers: N + 1, the first of them before the first user turn.
    """
    turns = (
        AgentTurn(user, answer.reference, answer.spoken)
        for user, answer in zip(("", *user_texts), answers, strict=True)
    )
    return Dialogue(conversation_id, tuple(turns))


def dialogue_messages(dialogue: Dialogue) -> tuple[Message, ...]:
    """Ask for a JSON object with the scores of all judged turns.

    A turn that is not judged shows what the user said.
    """
    blocks, number = [], 0
    for turn in dialogue.turns:
        if turn.is_judged:
            number += 1
            blocks.append(f"Turn {number}\n{_lines(turn)}")
        elif turn.user:
            blocks.append(f"User: {_one_line(turn.user)}")
    return _messages("json", "\n\n".join(blocks))


def turn_messages(turn: AgentTurn) -> tuple[Message, ...]:
    """Ask for the score of one turn; the judge's answer is opened."""
    return (*_messages("likelihood", _lines(turn)), OPENED)


def prompt_digest(style: JudgeStyle) -> str:
    """Of all that the judge is shown beside the conversation."""
    turn = AgentTurn("user", "reference", hypothesis="")
    if style == "json":
        turns = (turn, AgentTurn("user", reference="", hypothesis=""))
        messages = dialogue_messages(Dialogue("", turns))
    else:
        messages = turn_messages(turn)
    shown = json.dumps([(message.role, message.content) for message in messages])
    return hashlib.sha256(shown.encode()).hexdigest()[:16]


def _messages(style: JudgeStyle, request: str) -> tuple[Message, ...]:
    file = resources.files(__package__) / PROMPT_FILES[style]
    instruction = file.read_text(encoding="utf-8").strip()
    return Message("system", instruction), Message("user", request)


def _lines(turn: AgentTurn) -> str:
    fields = ("user", "reference", "hypothesis")
    return "\n".join(
        f"{name.capitalize()}: {_one_line(getattr(turn, name))}" for name in fields
    )


def _one_line(text: str) -> str:
    """No text of the data can look like a line of the form."""
    return " ".join(text.split()) or NOTHING
