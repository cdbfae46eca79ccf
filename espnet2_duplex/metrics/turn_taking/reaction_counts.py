"""Reactions to sounds that are no turn, as counts that add."""

from collections.abc import Iterable
from dataclasses import dataclass

from espnet2_duplex.metrics.counts import Counts, share
from espnet2_duplex.metrics.turn_taking.reactions import Reaction


@dataclass(frozen=True)
class SoundCounts(Counts):
    """Backchannels or noises.

    Attributes:
        num: that began inside the agent's speech.
        num_stopped: of these, those at which the agent stopped.
        num_with_text: of the stops, those where the agent's text is known.
        num_natural_ends: of these, those where all of it could be said by then.
        num_outside: sounds while nobody spoke.
        num_answered: of these, those that the agent answered.
    """

    num: int = 0
    num_stopped: int = 0
    num_with_text: int = 0
    num_natural_ends: int = 0
    num_outside: int = 0
    num_answered: int = 0

    @property
    def rate_stopped(self) -> float | None:
        """Share of those inside the agent's speech."""
        return share(self.num_stopped, self.num)

    @property
    def rate_answered(self) -> float | None:
        """Share of those while nobody spoke."""
        return share(self.num_answered, self.num_outside)


@dataclass(frozen=True)
class PauseCounts(Counts):
    """Pauses inside user turns.

    Attributes:
        num: that found the agent silent.
        num_taken: of these, those in which it began to speak.
    """

    num: int = 0
    num_taken: int = 0

    @property
    def rate_taken(self) -> float | None:
        """Share of the pauses."""
        return share(self.num_taken, self.num)


@dataclass(frozen=True)
class ReactionCounts(Counts):
    """All kinds of events, of one or more conversations."""

    backchannel: SoundCounts = SoundCounts()
    noise: SoundCounts = SoundCounts()
    pause: PauseCounts = PauseCounts()


def count_reactions(reactions: Iterable[Reaction]) -> ReactionCounts:
    """Counts of any number of reactions."""
    return sum(map(_counts_of_one, reactions), ReactionCounts())


def _counts_of_one(reaction: Reaction) -> ReactionCounts:
    done = int(reaction.is_done)
    if reaction.act == "taken":
        return ReactionCounts(pause=PauseCounts(1, done))
    if reaction.act == "answered":
        sound = SoundCounts(num_outside=1, num_answered=done)
    else:
        sound = SoundCounts(
            num=1,
            num_stopped=done,
            num_with_text=int(reaction.is_natural_end is not None),
            num_natural_ends=int(reaction.is_natural_end is True),
        )
    return ReactionCounts(**{reaction.kind: sound})
