"""Two conversations, worked out by hand."""

from espnet2_duplex.conversation import Conversation, Turn
from espnet2_duplex.metrics.data_report.records import Record, TurnTokens


class Backchannel:
    kind, start, end = "backchannel", 3.0, 3.5


def record(id, *spans, duration=12.0, source="alpaca", **known):
    """A record of turns such as ("user", 1.0, 2.0, "some words")."""
    whole = Conversation(id, tuple(Turn(*span) for span in spans), duration)
    return Record(whole, known.pop("speaker", "ann"), source, **known)


INTERRUPTED = record(
    "c1",
    ("user", 1.0, 2.0, "tell me"),
    ("agent", 2.64, 6.64, "a b c d e f g h i j k l m n o p q r s t u v w x y z"),
    ("user", 6.0, 8.0, "stop it"),
    ("agent", 8.64, 10.64, "all right I do"),
    events=(Backchannel(),),
    tokens=(TurnTokens(80, 32, 50), TurnTokens(4, 1, 25)),
)
PLAIN = record(
    "c2",
    ("user", 0.5, 2.5, "hello there"),
    ("agent", 3.14, 5.14, "hi to you my friend"),
    duration=6.0,
    speaker="bob",
    tokens=(TurnTokens(6, 0, 25),),
)
