"""Draw when things are said: scripts -> layouts, from one seed (Sec. 4 and 5.2).

Each conversation has draws of its own, made from the seed, the set's name and its
number, so that neither the number of jobs nor another conversation changes it.
"""

import random
from collections.abc import Iterator, Sequence

from espnet2_duplex.conversation import Conversation
from espnet2_duplex.dataset_checks import load_speech
from espnet2_duplex.events import Event
from espnet2_duplex.simulation.layout import Layout, Piece
from espnet2_duplex.simulation.script import Script
from espnet2_duplex.simulation.settings import Range, Settings
from espnet2_duplex.simulation.timeline import impatient_pauses, lay_out
from espnet2_duplex.simulation.user_sounds import (
    Pools,
    draw_backchannels,
    draw_noises,
)
from espnet2_duplex.simulation.utterances import (
    Spoken,
    join_neighbours,
    quiet_moment,
)
from espnet2_duplex.timing import MICROSECONDS_PER_SECOND, FrameClock, microseconds


class Drawer:
    """Draws the conversations of one set.

    Args:
        name: of the set.
        scripts: to draw from; at least one.
        settings: what is drawn.
        pools: backchannels and noises.
        seed: of everything.
        user_rate: of the users' wavs, in Hz.
        clock: frames on which agent turns begin.

    Raises:
        ValueError: noises or backchannels are wanted and there are none to draw from.
    """

    def __init__(
        self,
        name: str,
        scripts: Sequence[Script],
        settings: Settings,
        pools: Pools,
        seed: int,
        user_rate: int = 16000,
        clock: FrameClock = FrameClock(),
    ) -> None:
        self.name = name
        self.settings = settings
        self.pools = pools
        self.seed = seed
        self.user_rate = user_rate
        self.clock = clock if settings.turn_taking.on_frames else None
        self.scripts = list(scripts)
        self._partners: dict[tuple[str, str], list[Script]] = {}
        for script in self.scripts:
            if is_single(script):
                key = (script.source, script.speaker)
                self._partners.setdefault(key, []).append(script)
        if settings.noises.per_minute > 0 and not pools.noises:
            raise ValueError(
                f"set {name}: noises are wanted, but there are no sounds; make them "
                "with local/make_sounds.py or set noises.per_minute to 0"
            )
        if settings.backchannels.share > 0 and not pools.backchannels:
            raise ValueError(
                f"set {name}: backchannels are wanted, but no voice has any; name "
                "texts under speech.backchannels or set backchannels.share to 0"
            )

    def __len__(self) -> int:
        count = self.settings.num_conversations
        return len(self.scripts) if count is None else count

    def __iter__(self) -> Iterator[Layout]:
        """All layouts, in order."""
        order = self._in_rounds()
        for number in range(len(self)):
            yield self.draw(number, next(order))

    def draw(self, number: int, first: Script) -> Layout:
        """Layout of one conversation, whose first script is given."""
        rng = random.Random(f"{self.seed}/{self.name}/{number}")
        scripts = self._join_partners(first, rng)
        key = first.id
        if self.settings.num_conversations is not None:
            key = f"{first.speaker}-{self.name}_{number:06d}"
        spoken = self._speak(scripts, rng)
        conversation = self._lay_out(key, spoken, rng)
        return self._layout(conversation, spoken, first, rng)

    def _in_rounds(self) -> Iterator[Script]:
        """All scripts in a new order again and again: each is used equally often."""
        rng = random.Random(f"{self.seed}/{self.name}")
        while True:
            yield from rng.sample(self.scripts, len(self.scripts))

    def _join_partners(self, first: Script, rng: random.Random) -> list[Script]:
        """The script, followed by others of its source and voice if it is single."""
        shares = self.settings.num_exchanges
        (count,) = rng.choices(list(shares), list(shares.values()))
        chosen = [first]
        if not is_single(first):
            return chosen
        partners = self._partners[key_of(first)]
        # Some more than are wanted, as the same text may be among them.
        for script in rng.sample(partners, min(len(partners), 4 * count)):
            said = [text_of(other) for other in chosen]
            if len(chosen) < count and text_of(script) not in said:
                chosen.append(script)
        return chosen

    def _speak(self, scripts: Sequence[Script], rng: random.Random) -> list[Spoken]:
        """Utterances of alternating roles, some of the user's with a pause in them."""
        pauses = self.settings.user_pauses
        turns = [turn for script in scripts for turn in script.turns]
        spoken = join_neighbours(turns, lambda: drawn(rng, pauses.joint_seconds))
        return [self._with_pause(one, rng) for one in spoken]

    def _with_pause(self, spoken: Spoken, rng: random.Random) -> Spoken:
        pauses = self.settings.user_pauses
        is_candidate = spoken.utterance.role == "user" and len(spoken.parts) == 1
        if not is_candidate or rng.random() >= pauses.share:
            return spoken
        seconds = drawn(rng, pauses.seconds)
        moment = quiet_moment(
            load_speech(spoken.parts[0].wav, self.user_rate), self.user_rate
        )
        if moment is None or moment >= spoken.utterance.seconds:
            return spoken
        return spoken.with_pause(moment, seconds)

    def _lay_out(
        self, key: str, spoken: Sequence[Spoken], rng: random.Random
    ) -> Conversation:
        timing = self.settings.turn_taking
        lead, tail = drawn(rng, timing.lead_seconds), drawn(rng, timing.tail_seconds)
        return lay_out(
            key,
            [one.utterance for one in spoken],
            lead_seconds=lead,
            pauses_seconds=self._pauses(spoken, rng),
            tail_seconds=tail,
            gap_seconds=timing.gap_seconds,
            cut_seconds=self.settings.barge_in.cut_seconds,
            clock=self.clock,
        )

    def _pauses(self, spoken: Sequence[Spoken], rng: random.Random) -> list[float]:
        """Silence before each user turn that follows an agent's; negative: barge-in."""
        timing, barge_in = self.settings.turn_taking, self.settings.barge_in
        answers = [
            before.utterance.seconds
            for before, after in zip(spoken, spoken[1:])
            if after.utterance.role == "user"
        ]
        pauses = []
        for answer in answers:
            pause = drawn(rng, timing.pause_seconds)
            latest = max(barge_in.heard_seconds, answer - barge_in.unheard_seconds)
            onset = drawn(rng, (barge_in.heard_seconds, latest))
            is_cut = rng.random() < barge_in.share and onset < answer
            pauses.append(round(onset - answer, 6) if is_cut else pause)
        if not timing.impatient:
            return pauses
        # An agent who spoke first has no user turn before it whose silence is halved.
        skipped = int(spoken[0].utterance.role == "agent")
        return pauses[:skipped] + impatient_pauses(
            answers[skipped:],
            pauses[skipped:],
            heard_seconds=barge_in.heard_seconds,
            gap_seconds=timing.gap_seconds,
        )

    def _layout(
        self,
        conversation: Conversation,
        spoken: Sequence[Spoken],
        script: Script,
        rng: random.Random,
    ) -> Layout:
        pieces, events = place_parts(conversation, spoken)
        sounds = draw_backchannels(
            rng,
            conversation,
            self.pools.backchannels.get(script.speaker, ()),
            self.settings.backchannels,
        )
        sounds += draw_noises(
            rng,
            conversation,
            [event for event, _ in sounds],
            self.pools.noises,
            self.settings.noises,
        )
        events += [event for event, _ in sounds]
        pieces += [piece for _, piece in sounds]
        return Layout(
            conversation=conversation,
            pieces=tuple(sorted(pieces, key=lambda piece: piece.start)),
            events=tuple(sorted(events, key=lambda event: event.start)),
            speaker=script.speaker,
            source=script.source,
        )


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
            start = in_microseconds(turn.start + part.start)
            seconds = in_microseconds(min(part.seconds, turn.end - start))
            if seconds > 0:
                pieces.append(Piece(turn.role, part.wav, start, seconds, part.offset))
        if turn.role == "user":
            for start, end in one.pauses:
                times = (turn.start + start, turn.start + end)
                events.append(Event("pause", *map(in_microseconds, times)))
    return pieces, events


def is_single(script: Script) -> bool:
    """Whether the script is one question with its answer, times left open."""
    exchanges = list(script.exchanges())
    is_timed = any(turn.start is not None for turn in script.turns)
    return len(exchanges) == 1 and script.turns[0].role == "user" and not is_timed


def key_of(script: Script) -> tuple[str, str]:
    """What two scripts must share to be joined."""
    return script.source, script.speaker


def text_of(script: Script) -> str:
    """All that is said, to tell whether two scripts are the same."""
    return " ".join(turn.text for turn in script.turns)


def drawn(rng: random.Random, bounds: Range) -> float:
    """Uniform over a range of seconds, in whole milliseconds."""
    return round(rng.uniform(*bounds), 3)


def in_microseconds(seconds: float) -> float:
    """Rounded, so that files do not show the errors of float sums."""
    return microseconds(seconds) / MICROSECONDS_PER_SECOND


def too_long(script: Script, max_turn_seconds: float) -> bool:
    """Whether a turn of the script lasts longer than is wanted (Sec. 4.2)."""
    turns = join_neighbours(script.turns, lambda: 0.0)
    return any(one.utterance.seconds > max_turn_seconds for one in turns)
