"""What is known of a conversation without its audio."""

from collections.abc import Sequence
from dataclasses import dataclass

from espnet2_duplex.conversation import Conversation, Turn
from espnet2_duplex.events import Event
from espnet2_duplex.metrics.data_report.floor_changes import Ending, barge_ins
from espnet2_duplex.metrics.data_report.heard_gaps import HeardGaps
from espnet2_duplex.metrics.data_report.limits import OutlierLimits


@dataclass(frozen=True)
class TurnTokens:
    """The text of an agent turn on the frames of its speech (Sec. 3.1).

    Attributes:
        num_tokens: of the text, without BOS and EOS.
        num_dropped: those of them that found no frame before the turn's EOS.
        num_frames: from the frame nearest to the turn's start to that of its end.
    """

    num_tokens: int
    num_dropped: int
    num_frames: int


@dataclass(frozen=True)
class Record:
    """One conversation and what a data folder says of it.

    Attributes:
        conversation: turns and duration.
        speaker: the user's voice.
        source: dataset.
        events: in-turn pauses, backchannels, noises.
        tokens: one for each agent turn; empty if they were not counted.
        audio_faults: sentences about its audio; None if it was not checked.
        heard_gaps: gaps in its audio; None if they were not listened to.
    """

    conversation: Conversation
    speaker: str
    source: str
    events: Sequence[Event] = ()
    tokens: Sequence[TurnTokens] = ()
    audio_faults: Sequence[str] | None = None
    heard_gaps: HeardGaps | None = None

    def cut_turns(self, limits: OutlierLimits) -> set[Turn]:
        """Agent turns that a barge-in cuts; they keep the text that is not said."""
        return {
            event.agent
            for event in barge_ins(self.conversation)
            if event.ending(limits) is not Ending.OWN
        }


def words_per_second(turn: Turn) -> float:
    """Words between blanks over the length of the turn."""
    return len(turn.text.split()) / (turn.end - turn.start)
