"""From where on something in a corpus is no longer usual."""

from dataclasses import dataclass

from espnet2_duplex.conversation import CUT_SECONDS, GAP_SECONDS


@dataclass(frozen=True)
class OutlierLimits:
    """What is no longer usual.

    Attributes:
        min_conversation_seconds: shortest conversation.
        max_conversation_seconds: longest.
        min_turn_seconds: shortest turn of either role.
        max_turn_seconds: longest; Sec. 4.2 limits turns to 25 s.
        gap_seconds: from the user's end to the agent's answer.
        cut_seconds: what the agent still says after a barge-in.
        tolerance_seconds: of gaps and cuts; half a frame, as the agent begins on
            frames.
        min_words_per_second: slowest agent turn.
        max_words_per_second: fastest agent turn.
        min_user_words_per_second: slowest user turn; the pauses in it count as speech.
        max_user_words_per_second: fastest user turn.
        max_dropped_share: of the tokens of a turn.
    """

    min_conversation_seconds: float = 2.0
    max_conversation_seconds: float = 180.0
    min_turn_seconds: float = 0.3
    max_turn_seconds: float = 25.0
    gap_seconds: float = GAP_SECONDS
    cut_seconds: float = CUT_SECONDS
    tolerance_seconds: float = 0.04
    min_words_per_second: float = 1.0
    max_words_per_second: float = 5.0
    min_user_words_per_second: float = 0.7
    max_user_words_per_second: float = 6.0
    max_dropped_share: float = 0.2
