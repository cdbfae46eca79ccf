"""What the paper leaves open in its definitions of turn taking (Sec. 5.2)."""

from dataclasses import dataclass

from espnet2_duplex.metrics.option_checks import check_not_negative


@dataclass(frozen=True)
class TurnTakingOptions:
    """Definitions that the paper leaves open.

    Attributes:
        min_activity_seconds: an agent segment must have begun so long before the user's
            onset to be interrupted by it. Three frames: an agent that begins later can
            not have known of the onset, nor the user of it.
        success_seconds: a stop is in time until so long after the onset (Sec. 5.2).
        resuming_undoes_success: whether an agent that stops in time but speaks again
            during the same user turn has failed.
        tolerance_seconds: a start so long or less before the user's end is no false
            alarm (Sec. 5.2).
        wide_tolerance_seconds: the same for a second, milder count of false alarms:
            people, too, come in so early when they see the end of a turn.
        min_answer_seconds: user turns that leave less time than this before the next
            user turn or the end of the recording are not counted as answered or
            unanswered, even if an early response outlasts them: 0.64 s of silence (Sec.
            4.1) and 0.4 s to be heard.

    Raises:
        ValueError: a time is negative or not finite.
    """

    min_activity_seconds: float = 0.24
    success_seconds: float = 1.5
    resuming_undoes_success: bool = False
    tolerance_seconds: float = 0.1
    wide_tolerance_seconds: float = 0.5
    min_answer_seconds: float = 1.04

    def __post_init__(self) -> None:
        check_not_negative(self)
