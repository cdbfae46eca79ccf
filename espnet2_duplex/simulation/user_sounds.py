"""What the user lets be heard between its turns: backchannels and noises."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from espnet2_duplex.conversation import Conversation
from espnet2_duplex.events import Event
from espnet2_duplex.simulation.layout import Piece
from espnet2_duplex.simulation.section_settings import Backchannels, Noises
from espnet2_duplex.simulation.tally import Tally
from espnet2_duplex.timing import whole_microseconds

Interval = tuple[float, float]  # seconds
Sounds = list[tuple[Event, Piece]]
NO_ROOM = "they fit nowhere beside the user's speech"


@dataclass(frozen=True)
class Sound:
    """A recording to choose from.

    Attributes:
        wav: mono, at the rate of the user's stream.
        seconds: its length.
        text: what is said in it, if anything.
    """

    wav: str
    seconds: float
    text: str = ""


@dataclass(frozen=True)
class Pools:
    """What backchannels and noises are drawn from.

    Attributes:
        backchannels: of each speaker.
        noises: of everybody.
    """

    backchannels: Mapping[str, Sequence[Sound]] = field(default_factory=dict)
    noises: Sequence[Sound] = ()


def free_intervals(
    busy: Sequence[Interval], within: Interval, margin_seconds: float
) -> list[Interval]:
    """What is left of an interval at some distance from all busy ones."""
    free = []
    start, end = within
    for busy_start, busy_end in sorted(busy):
        if busy_start - margin_seconds > start:
            free.append((start, min(busy_start - margin_seconds, end)))
        start = max(start, busy_end + margin_seconds)
    free.append((start, end))
    return [(start, end) for start, end in free if end > start]


def draw_start(
    rng: random.Random, intervals: Sequence[Interval], seconds: float
) -> float | None:
    """Start of a sound, uniform over all places where it fits; None if nowhere."""
    rooms = [(start, end - seconds - start) for start, end in intervals]
    rooms = [(start, room) for start, room in rooms if room > 0]
    offset = rng.uniform(0, sum(room for _, room in rooms))
    for start, room in rooms:
        if offset <= room:
            return whole_microseconds(start + offset)
        offset -= room
    return None


def draw_backchannels(
    rng: random.Random,
    conversation: Conversation,
    sounds: Sequence[Sound],
    settings: Backchannels,
    tally: Tally,
) -> Sounds:
    """Backchannels over the agent's longer turns, at most one each, clear of turns.

    They never touch a start or an end: an agent that ends beside one would teach that
    it has stopped for it.
    """
    drawn: Sounds = []
    users = [(turn.start, turn.end) for turn in conversation.user_turns]
    for turn in conversation.agent_turns:
        long_enough = turn.end - turn.start >= settings.min_turn_seconds
        if not long_enough or rng.random() >= settings.share:
            continue
        if not sounds:
            tally.note("backchannels", "the voice has none")
            continue
        sound = rng.choice(sounds)
        margin = settings.margin_seconds
        within = (turn.start + margin, turn.end - margin)
        start = draw_start(rng, free_intervals(users, within, margin), sound.seconds)
        tally.note("backchannels", "" if start is not None else NO_ROOM)
        if start is not None:
            gain_db = rng.uniform(*settings.gain_range_db)
            drawn.append(_heard("backchannel", sound, start, gain_db))
    return drawn


def draw_noises(
    rng: random.Random,
    conversation: Conversation,
    taken: Sequence[Event],
    sounds: Sequence[Sound],
    settings: Noises,
    tally: Tally,
) -> Sounds:
    """Noises where the user does not speak, whatever the agent does.

    Args:
        rng: draws.
        conversation: with all its turns.
        taken: backchannels, which are speech, too.
        sounds: to choose from.
        settings: how many.
        tally: gets those that were wanted.
    """
    busy = [(turn.start, turn.end) for turn in conversation.user_turns]
    busy += [(event.start, event.end) for event in taken]
    within = (0.0, conversation.duration)
    free = free_intervals(busy, within, settings.margin_seconds)
    minutes = sum(end - start for start, end in free) / 60
    expected = settings.per_minute * minutes
    count = int(expected) + (rng.random() < expected % 1)
    drawn: Sounds = []
    for _ in range(count):
        sound = rng.choice(sounds)
        free = free_intervals(busy, within, settings.margin_seconds)
        start = draw_start(rng, free, sound.seconds)
        tally.note("noises", "" if start is not None else NO_ROOM)
        if start is not None:
            gain_db = rng.uniform(*settings.gain_range_db)
            drawn.append(_heard("noise", sound, start, gain_db))
            busy.append((start, start + sound.seconds))
    return drawn


def _heard(
    kind: str, sound: Sound, start: float, gain_db: float
) -> tuple[Event, Piece]:
    end = whole_microseconds(start + sound.seconds)
    piece = Piece(
        "user",
        sound.wav,
        start,
        sound.seconds,
        gain_db=round(gain_db, 2),
        in_turn=False,
    )
    return Event(kind, start, end, sound.text), piece
