"""The two sides of a conversation: what a system is given and what it gives."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from espnet2_duplex.conversation import Turn

SAMPLE_RATE = 16000  # of both sides, in Hz


@dataclass(frozen=True)
class UserSide:
    """One conversation of a data folder.

    Attributes:
        id: as in the files of the folder.
        speech: (N,) float32 at 16 kHz, the user's channel.
        turns: of user and agent in the data; only upper bounds look at them.
    """

    id: str
    speech: np.ndarray
    turns: tuple[Turn, ...]

    @property
    def duration(self) -> float:
        """Seconds."""
        return len(self.speech) / SAMPLE_RATE

    @property
    def user_turns(self) -> tuple[Turn, ...]:
        return tuple(turn for turn in self.turns if turn.role == "user")

    @property
    def agent_turns(self) -> tuple[Turn, ...]:
        return tuple(turn for turn in self.turns if turn.role == "agent")


@dataclass(frozen=True)
class AgentSide:
    """What a system does in a conversation.

    Attributes:
        speech: (N,) float32 at 16 kHz.
        turns: what it says when.
        latency_seconds: that the system declares.
    """

    speech: np.ndarray
    turns: tuple[Turn, ...]
    latency_seconds: float


class System(Protocol):
    """A system in the table; the same side and seed give the same answer."""

    def take_part(self, user: UserSide) -> AgentSide:
        """The agent's side, as long as the user's.

        Raises:
            ValueError: a part of the system cannot do its work.
        """


@dataclass(frozen=True)
class Exchange:
    """What the user said and what could be heard of the agent's answer; "" if none."""

    user: str
    agent: str


Dialogue = Sequence[Exchange]
