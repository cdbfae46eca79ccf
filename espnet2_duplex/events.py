"""What is heard of a user besides its turns: the `events` of a data folder."""

import json
import math
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


def parse_events(rows: object) -> tuple[Event, ...]:
    """Events from parsed JSON.

    Args:
        rows: list of objects with kind, start, end and perhaps text.

    Raises:
        ValueError: it is no such list; the message shows what is wrong.
    """
    if not isinstance(rows, list):
        raise ValueError(f"its events are {rows!r}; expected a list")
    return tuple(map(_parse_event, rows))


def events_from_json(text: str, conversation_id: str) -> tuple[Event, ...]:
    """Inverse of :func:`events_to_json`.

    Args:
        text: JSON list of objects with kind, start, end, text.
        conversation_id: for messages.

    Raises:
        ValueError: the text is no such list; the message names the conversation.
    """
    try:
        return parse_events(json.loads(text))
    except json.JSONDecodeError as problem:
        raise ValueError(
            f"conversation {conversation_id}: its events are no valid JSON "
            f"({problem.msg} at character {problem.pos}); write them with "
            "events_to_json"
        ) from problem
    except ValueError as problem:
        raise ValueError(f"conversation {conversation_id}: {problem}") from problem


def _parse_event(row: object) -> Event:
    try:
        event = Event(**row)
        # json also reads Infinity
        is_good = event.kind in EVENT_KINDS and 0 <= event.start < event.end < math.inf
    except TypeError:  # no object, other names, or times that are no numbers
        is_good = False
    if not is_good or not isinstance(event.text, str):
        raise ValueError(
            f"an event reads {row!r}; expected an object with kind (one of "
            f"{', '.join(EVENT_KINDS)}), start, end in finite seconds, the end after "
            "the start, and perhaps text"
        )
    return event
