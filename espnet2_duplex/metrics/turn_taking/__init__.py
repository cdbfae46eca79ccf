"""Turn taking: barge-in, false alarms, response (Sec. 5.2), and other sounds.

The way of one conversation: `events` finds what happened (`reference` is the same in
plain loops), `counting` counts it; `reactions` and `reaction_counts` do so for sounds
that are no turn. `options` holds what the paper leaves open.
"""

from espnet2_duplex.metrics.turn_taking.counting import (
    BargeInCounts,
    FalseAlarmCounts,
    ResponseCounts,
    TurnTakingCounts,
    count_events,
    count_turn_taking,
)
from espnet2_duplex.metrics.turn_taking.events import find_events
from espnet2_duplex.metrics.turn_taking.options import TurnTakingOptions

__all__ = [
    "BargeInCounts",
    "FalseAlarmCounts",
    "ResponseCounts",
    "TurnTakingCounts",
    "TurnTakingOptions",
    "count_events",
    "count_turn_taking",
    "find_events",
]
