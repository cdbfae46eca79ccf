"""A conversation with its times, and which piece of which wav file is heard when."""

import json
from dataclasses import asdict, dataclass

from espnet2_duplex.conversation import Conversation, Turn
from espnet2_duplex.events import Event


@dataclass(frozen=True)
class Piece:
    """A stretch of a wav file, put into one of the two streams.

    Attributes:
        role: whose stream.
        wav: the file.
        start: seconds since the beginning of the conversation.
        seconds: how much of the file is heard.
        offset: seconds into the file where that begins.
        gain_db: change of level.
        in_turn: whether it is a part of a turn; backchannels and noises are none.
    """

    role: str
    wav: str
    start: float
    seconds: float
    offset: float = 0.0
    gain_db: float = 0.0
    in_turn: bool = True


@dataclass(frozen=True)
class Layout:
    """All that the two streams of a conversation are made from.

    Attributes:
        conversation: turns and duration.
        pieces: sorted by start.
        events: sorted by start.
        speaker: the user's voice.
        source: dataset of its scripts.
    """

    conversation: Conversation
    pieces: tuple[Piece, ...]
    events: tuple[Event, ...]
    speaker: str
    source: str

    def to_json(self) -> str:
        """One line of a layouts file."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @staticmethod
    def from_json(text: str) -> "Layout":
        """Inverse of :meth:`to_json`."""
        fields = json.loads(text)
        told = fields["conversation"]
        turns = tuple(Turn(**turn) for turn in told["turns"])
        return Layout(
            conversation=Conversation(told["id"], turns, told["duration"]),
            pieces=tuple(Piece(**piece) for piece in fields["pieces"]),
            events=tuple(Event(**event) for event in fields["events"]),
            speaker=fields["speaker"],
            source=fields["source"],
        )
