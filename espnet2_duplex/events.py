"""What is heard of a user besides its turns: the `events` of a data folder."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

EVENT_KINDS = ("pause", "backchannel", "noise")


@dataclass(frozen=True)
class Event:
    """What happens in the user's stream besides its turns, or inside one.

    Attributes:
        kind: "pause" (silence inside a user turn), "backchannel" (the user's "uh-huh"
            while the agent goes on) or "noise" (a cough, a knock: no speech).
        start: seconds since the beginning of the conversation.
        end: seconds, exclusive.
        text: of a backchannel.
    """

    kind: str
    start: float
    end: float
    text: str = ""


def events_to_json(events: Iterable[Event]) -> str:
    """Events as the one-line JSON list of an ``events`` file."""
    return json.dumps([asdict(event) for event in events], ensure_ascii=False)


def events_from_json(text: str, conversation_id: str) -> tuple[Event, ...]:
    """Inverse of :func:`events_to_json`.

    Args:
        text: JSON list of objects with kind, start, end, text.
        conversation_id: for messages.

    Raises:
        ValueError: the text is no such list; the message names the conversation.
    """
    try:
        items = json.loads(text)
        if not isinstance(items, list):
            raise TypeError(type(items))
        events = tuple(Event(**fields) for fields in items)
    except (ValueError, TypeError) as problem:
        raise ValueError(
            f"conversation {conversation_id}: its events read {text:.80}; expected a "
            "JSON list of objects with kind, start, end, text"
        ) from problem
    odd = {event.kind for event in events} - set(EVENT_KINDS)
    if odd:
        raise ValueError(
            f"conversation {conversation_id}: an event is of the kind {min(odd)!r}; "
            f"expected one of {', '.join(EVENT_KINDS)}"
        )
    return events
