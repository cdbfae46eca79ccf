"""Draw when things are said: scripts -> layouts, from one seed (Sec. 4 and 5.2).

Each conversation has draws of its own, made from the seed, the set's name and its
number, so that neither the number of jobs nor another conversation's draws change it.
Which scripts it is made from depends on all scripts of its set, so where a clip fails
and its script is missing, other conversations hold other scripts. Exchanges, pauses,
silences and sounds are drawn apart from each other: settings of one leave the others.
"""

import random
from collections.abc import Callable, Iterator, Sequence

from espnet2_duplex.conversation import Conversation
from espnet2_duplex.simulation.layout import Layout
from espnet2_duplex.simulation.partners import Partners
from espnet2_duplex.simulation.placing import place_parts
from espnet2_duplex.simulation.script import Script
from espnet2_duplex.simulation.settings import Settings
from espnet2_duplex.simulation.silences import (
    draw_pauses,
    draw_seconds,
    draw_utterances,
)
from espnet2_duplex.simulation.tally import Tally
from espnet2_duplex.simulation.timeline import lay_out
from espnet2_duplex.simulation.turn_times import TurnRules
from espnet2_duplex.simulation.user_sounds import (
    Pools,
    draw_backchannels,
    draw_noises,
)
from espnet2_duplex.simulation.utterances import Spoken
from espnet2_duplex.timing import FrameClock

RngOf = Callable[[str], random.Random]  # what is drawn -> its generator


class Drawer:
    """Draws the conversations of one set.

    Args:
        name: of the set.
        scripts: to draw from; at least one.
        settings: what is drawn.
        pools: backchannels and noises.
        seed: of everything.
        user_rate: of the users' wavs, in Hz.
        clock: frames on which agent turns begin and conversations end.

    Attributes:
        tally: what of the settings could not be had in the conversations drawn so far.

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
        self.clock = clock
        self.scripts = list(scripts)
        self.tally = Tally()
        self._draws_name = settings.like or name
        self._partners = Partners(self.scripts, settings.num_exchanges)
        self._check_pools()

    def _check_pools(self) -> None:
        name, settings, pools = self.name, self.settings, self.pools
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
        """All layouts, in order.

        Raises:
            ValueError: as `draw`.
        """
        for number, first in self.drafts():
            yield self.draw(number, first)

    def drafts(self) -> Iterator[tuple[int, Script]]:
        """Number and first script of each conversation: the arguments of `draw`."""
        return zip(range(len(self)), self._in_rounds())

    def draw(self, number: int, first: Script) -> Layout:
        """Layout of one conversation, whose first script is given.

        Raises:
            ValueError: the script has times that cannot be kept, or a wav that cannot
                be read.
        """
        first.check_neighbours()
        rng_of = self._rngs(number)
        scripts = self._partners.join(first, rng_of("exchanges"), self.tally)
        key = first.id
        if self.settings.num_conversations is not None:
            key = f"{first.speaker}-{self._draws_name}_{number:06d}"
        turns = [turn for script in scripts for turn in script.turns]
        spoken = draw_utterances(
            rng_of("pauses"),
            turns,
            self.settings.user_pauses,
            self.user_rate,
            self.tally,
        )
        conversation = self._lay_out(key, spoken, first.source, rng_of("silences"))
        return self._layout(conversation, spoken, first, rng_of)

    def _rngs(self, number: int) -> RngOf:
        """Generators of one conversation, by what they draw."""
        prefix = f"{self.seed}/{self._draws_name}/{number}"
        return lambda what: random.Random(f"{prefix}/{what}")

    def _in_rounds(self) -> Iterator[Script]:
        """All scripts in a new order again and again: each is used equally often."""
        rng = random.Random(f"{self.seed}/{self._draws_name}")
        while True:
            yield from rng.sample(self.scripts, len(self.scripts))

    def _lay_out(
        self, key: str, spoken: Sequence[Spoken], source: str, rng: random.Random
    ) -> Conversation:
        timing = self.settings.turn_taking
        lead = draw_seconds(rng, timing.lead_seconds)
        tail = draw_seconds(rng, timing.tail_seconds)
        return lay_out(
            key,
            [one.utterance for one in spoken],
            lead_seconds=lead,
            pauses_seconds=draw_pauses(rng, spoken, self.settings, source),
            tail_seconds=tail,
            rules=TurnRules(
                timing.gap_seconds,
                self.settings.barge_in.cut_seconds,
                timing.on_frames,
                self.clock,
            ),
        )

    def _layout(
        self,
        conversation: Conversation,
        spoken: Sequence[Spoken],
        script: Script,
        rng_of: RngOf,
    ) -> Layout:
        pieces, events = place_parts(conversation, spoken)
        sounds = draw_backchannels(
            rng_of("backchannels"),
            conversation,
            self.pools.backchannels.get(script.speaker, ()),
            self.settings.backchannels,
            self.tally,
        )
        sounds += draw_noises(
            rng_of("noises"),
            conversation,
            [event for event, _ in sounds],
            self.pools.noises,
            self.settings.noises,
            self.tally,
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
