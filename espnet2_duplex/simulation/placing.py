"""Put the sound of utterances where their turns are."""

from collections.abc import Sequence

from espnet2_duplex.conversation import Conversation
from espnet2_duplex.events import Event
from espnet2_duplex.simulation.layout import Piece
from espnet2_duplex.simulation.utterances import Spoken
from espnet2_duplex.timing import whole_microseconds


def place_parts(
    conversation: Conversation, spoken: Sequence[Spoken]
) -> tuple[list[Piece], list[Event]]:
    """Pieces of all turns, ended where their turn ends, and the pauses within turns.

    Args:
        conversation: as `lay_out` made it of the utterances.
        spoken: the same utterances with their sound.
    """
    turns = {"user": conversation.user_turns, "agent": conversation.agent_turns}
    waiting = {role: iter(of_role) for role, of_role in turns.items()}
    pieces, events = [], []
    for one in spoken:
        turn = next(waiting[one.utterance.role])
        for part in one.parts:
            start = whole_microseconds(turn.start + part.start)
            seconds = whole_microseconds(min(part.seconds, turn.end - start))
            if seconds > 0:
                pieces.append(Piece(turn.role, part.wav, start, seconds, part.offset))
        if turn.role == "user":
            for start, end in one.pauses:
                times = (turn.start + start, turn.start + end)
                events.append(Event("pause", *map(whole_microseconds, times)))
    return pieces, events
