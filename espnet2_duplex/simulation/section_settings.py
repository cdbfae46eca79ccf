"""What one section of a set's settings says: turn taking, barge-ins, pauses, sounds.

Defaults are as :mod:`~espnet2_duplex.simulation.settings` says.
"""

from dataclasses import dataclass

from espnet2_duplex.conversation import CUT_SECONDS, GAP_SECONDS
from espnet2_duplex.simulation.yaml_fields import Range


@dataclass(frozen=True)
class TurnTaking:
    """Silences around turns, in seconds.

    Attributes:
        lead_seconds: before the first turn. Not in the paper; a model must learn to
            wait, too.
        gap_seconds: between a user turn and its answer (Sec. 4.1).
        pause_seconds: between an answer and the next user turn. Not in the paper.
        tail_seconds: after the last turn. Not in the paper; without it the last EOS
            would fall off the end.
        on_frames: whether agent turns begin on frames, as they must at inference. User
            turns that are answered then end with less than a frame of silence, and the
            gap stays exact. Conversations end on a frame in any case.
        max_turn_seconds: conversations with a longer turn are left out (Sec. 4.2).
        impatient: whether the silence between each user turn and the next is halved
            (Sec. 5.2). The half may end in the last 0.64 s of an answer, which then
            ends by itself: a barge-in that cuts nothing.
    """

    lead_seconds: Range = (0.3, 1.5)
    gap_seconds: float = GAP_SECONDS
    pause_seconds: Range = (0.5, 2.0)
    tail_seconds: Range = (0.6, 1.6)
    on_frames: bool = True
    max_turn_seconds: float = 25.0
    impatient: bool = False


@dataclass(frozen=True)
class BargeIn:
    """The user interrupts the agent (Sec. 4.2).

    Attributes:
        share: of the user turns that follow an answer. The paper has no figure.
        cut_seconds: what the agent still says after the user's onset. A user barges in
            only where so much and more is left of the answer, so that each barge-in
            cuts it; an impatient user does not look at that.
        heard_seconds: of the answer are heard before the onset in any case.
        sources: datasets in whose conversations the user does so (Table 1 has some that
            are without); empty for all.

    Raises:
        ValueError: nothing of the answer would be heard.
    """

    share: float = 0.5
    cut_seconds: float = CUT_SECONDS
    heard_seconds: float = 0.3
    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.heard_seconds > 0:
            raise ValueError(
                f"heard_seconds is {self.heard_seconds!r}; write seconds above 0, as "
                "there is nothing to barge in on before the agent has begun"
            )

    def share_of(self, source: str) -> float:
        """Share of the user turns of a dataset that follow an answer."""
        return self.share if not self.sources or source in self.sources else 0.0


@dataclass(frozen=True)
class UserPauses:
    """Silences within user turns, in which the agent must not jump in.

    Attributes:
        share: of the user turns get one where they are quietest; 0 in the paper.
        seconds: its length: below and above the gap, so that silence alone tells
            nothing.
        joint_seconds: between the parts of one turn, such as the recording and the
            question of ASR-QA (Sec. 4.1, where the paper has no figure).
    """

    share: float = 0.0
    seconds: Range = (0.3, 1.2)
    joint_seconds: Range = (0.2, 0.6)


@dataclass(frozen=True)
class Backchannels:
    """The user's "uh-huh" over the agent, who goes on; not in the paper.

    Attributes:
        share: of the agent turns that last long enough.
        min_turn_seconds: of such a turn.
        margin_seconds: between a backchannel and any turn's start or end.
        gain_range_db: against the user's turns.
    """

    share: float = 0.0
    min_turn_seconds: float = 3.0
    margin_seconds: float = 0.6
    gain_range_db: Range = (-9.0, -1.0)


@dataclass(frozen=True)
class Noises:
    """Coughs, knocks and the like from the user's side; not in the paper.

    Attributes:
        per_minute: how many, on average, over the time in which the user is silent.
        margin_seconds: between a noise and the user's speech.
        gain_range_db: against the sound as it is in its file.
    """

    per_minute: float = 0.0
    margin_seconds: float = 0.2
    gain_range_db: Range = (-12.0, 0.0)
