"""Whether figures come out as Full-Duplex-Bench's code has them, or repaired."""

from typing import Protocol

MODES = ("fixed", "strict")

# What "fixed" does otherwise than the published code, by task.
REPAIRS = {
    "pause_handling": (
        "words after the user's end count as taking the turn in a pause; the rate of "
        "words that begin before that end stands beside it",
    ),
    "turn_taking": (
        "an early start has latency 0; early starts are counted, and the signed mean "
        "stands beside the clipped one",
    ),
    "user_interruption": (
        "an agent that talks on through the interruption has words right after it, "
        "hence latency 0; such agents are counted and left out of the latencies",
        "an agent that began during the interruption has latency 0; its start is "
        "signed and counted as early",
        "the whole recording is transcribed, not what follows the interruption, and "
        "words that begin before its end are passed over",
        "how long the agent took to stop stands beside the latency",
    ),
    "backchannel": (
        "the detector takes any rate for 16 kHz; here sound is resampled",
        "segments are rounded to 0.1 s; here they are not",
        "the last segment decides whether the turn is taken; here any segment does",
    ),
    "v1.5": (
        "every overlap counts as a stop; here only those that the user began and the "
        "agent ended, the others are counted",
        "an agent that talks on past the user's end responds with its next segment; "
        "here it gives no response latency",
    ),
}


class BenchCounts(Protocol):
    """What the counts of every task offer besides what `Counts` do."""

    def figures(self, mode: str) -> dict:
        """Rates and times by name, None where there was nothing to measure.

        Args:
            mode: one of `MODES`.
        """

    def changes(self) -> list[str]:
        """What each repair changed, in words."""


def shown(value: float | None) -> str:
    """A figure in a sentence."""
    return "nothing" if value is None else f"{value:.3f}"
