"""The record that all formats read into and write from."""

import re
from collections.abc import Callable, Iterable, Iterator, Sized
from dataclasses import asdict, dataclass
from typing import TypeVar

from espnet2_duplex.conversation import Conversation, Turn
from espnet2_duplex.dataset_checks import check_equal_duration
from espnet2_duplex.events import Event, parse_events
from espnet2_duplex.formats.sounds import Sound, seconds_of
from espnet2_duplex.timing import FrameClock, microseconds

WORD = re.compile(r"\S+")  # what a table of a data folder can hold as a key
UNKNOWN = "unknown"  # source or speaker that a format does not tell
# As NeMo's data sets and chat templates write them.
ROLES = {"user": "user", "agent": "agent", "assistant": "agent"}

Item = TypeVar("Item")
ProblemHandler = Callable[[ValueError], None]


@dataclass(frozen=True)
class DuplexRecording:
    """A conversation with its two streams.

    Attributes:
        conversation: id, turns, and the duration in whole frames.
        user: the user's stream.
        agent: the agent's stream; both cover the same frames.
        speaker: the user's.
        source: dataset it comes from.
        events: what else happens in the user's stream.

    Raises:
        ValueError: an agent's turn has no text, or a name has white space in it.
    """

    conversation: Conversation
    user: Sound
    agent: Sound
    speaker: str = UNKNOWN
    source: str = UNKNOWN
    events: tuple[Event, ...] = ()

    def __post_init__(self) -> None:
        id = self.conversation.id
        for what, name in (
            ("id", id),
            ("speaker", self.speaker),
            ("source", self.source),
        ):
            good = isinstance(name, str) and WORD.fullmatch(name)
            # The id names files, too.
            if not good or (what == "id" and "/" in name):
                raise ValueError(
                    f"conversation {id}: its {what} is {name!r}; write it without "
                    "white space, and an id without /."
                )
        for index, turn in enumerate(self.conversation.turns):
            if turn.role == "agent" and not turn.text.strip():
                raise ValueError(
                    f"conversation {id}, turn {index}: the agent's turn at "
                    f"{turn.start} s has no text, which training needs; write what is "
                    "said or let it be transcribed (--asr_model)."
                )

    @property
    def id(self) -> str:
        """Of the conversation."""
        return self.conversation.id

    def labels(self) -> dict:
        """All but id and sound, as our key in the JSON files of other formats."""
        return {
            "turns": [turn.to_dict() for turn in self.conversation.turns],
            "speaker": self.speaker,
            "source": self.source,
            "events": [asdict(event) for event in self.events],
        }


def make_recording(
    id: str,
    turns: Iterable[Turn],
    user: Sound,
    agent: Sound,
    *,
    speaker: str = UNKNOWN,
    source: str = UNKNOWN,
    events: Iterable[Event] = (),
) -> DuplexRecording:
    """Sort the turns and check all that needs no samples.

    Raises:
        ValueError: the streams differ in length, a turn ends after them, turns of one
            role overlap, or a text or name is not as it must be.
    """
    clock = FrameClock()
    num_frames = [clock.ceil_frames(seconds_of(sound)) for sound in (user, agent)]
    check_equal_duration(id, *num_frames, clock)
    ordered = sorted(turns, key=lambda turn: microseconds(turn.start))
    conversation = Conversation(id, tuple(ordered), clock.seconds(num_frames[0]))
    return DuplexRecording(conversation, user, agent, speaker, source, tuple(events))


def recording_with_labels(
    id: str, labels: dict, user: Sound, agent: Sound
) -> DuplexRecording:
    """Inverse of :meth:`DuplexRecording.labels`; all but the turns may be absent.

    Raises:
        ValueError: they are not as :meth:`DuplexRecording.labels` writes them.
    """
    return make_recording(
        id,
        parse_turns(labels.get("turns")),
        user,
        agent,
        speaker=labels.get("speaker", id),
        source=labels.get("source", UNKNOWN),
        events=parse_events(labels.get("events", [])),
    )


def parse_turns(rows: object) -> list[Turn]:
    """Turns from parsed JSON.

    Raises:
        ValueError: it is no list of turns; the message names the turn.
    """
    if not isinstance(rows, list):
        raise ValueError(f"its turns are {rows!r}; expected a list")
    turns = []
    for index, row in enumerate(rows):
        try:
            turns.append(Turn.from_dict(row))
        except ValueError as problem:
            raise ValueError(f"turn {index}: {problem}") from problem
    return turns


def role_of(speaker: object) -> str:
    """ "user" or "agent", from the names that formats give them.

    Raises:
        ValueError: the name is another one.
    """
    role = ROLES.get(str(speaker).lower())
    if role is None:
        raise ValueError(
            f"the speaker is {speaker!r}; expected one of {', '.join(ROLES)}"
        )
    return role


def raise_problem(problem: ValueError) -> None:
    """The handler that ends a conversion at the first fault."""
    raise problem


class Reading(Iterator[DuplexRecording]):
    """Recordings one by one, and about how many of them there are.

    Args:
        recordings: to be read.
        number: of them; 0 is unknown.
    """

    def __init__(self, recordings: Iterator[DuplexRecording], number: int) -> None:
        self._recordings = recordings
        self._number = number

    def __next__(self) -> DuplexRecording:
        return next(self._recordings)

    def __length_hint__(self) -> int:
        return self._number


def read_each(
    items: Iterable[Item],
    read: Callable[[Item], Iterable[DuplexRecording]],
    on_problem: ProblemHandler,
) -> Reading:
    """Recordings of all items; the ValueError of one item goes to the handler.

    Args:
        items: a list of them gives one recording each.
        read: gives the recordings of an item.
        on_problem: the handler.
    """
    number = len(items) if isinstance(items, Sized) else 0
    return Reading(_each(items, read, on_problem), number)


def _each(
    items: Iterable[Item],
    read: Callable[[Item], Iterable[DuplexRecording]],
    on_problem: ProblemHandler,
) -> Iterator[DuplexRecording]:
    for item in items:
        try:
            recordings = list(read(item))
        except ValueError as problem:
            on_problem(problem)
            continue
        yield from recordings
