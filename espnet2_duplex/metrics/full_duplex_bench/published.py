"""What the tables show, and Full-Duplex-Bench's published rows for them.

The numbers are those of the README of github.com/DanielLin94144/Full-Duplex-Bench,
directory v1_v1.5, as of April 2026; it has no table for v1.5.
"""

from dataclasses import dataclass

SOURCE = "README of github.com/DanielLin94144/Full-Duplex-Bench, v1.0, April 2026"


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        heading: with an arrow to what is better.
        figure: its key among the figures of a task.
        subset: part of the name of the subset that it shows; "" shows all.
    """

    heading: str
    figure: str
    subset: str = ""


COLUMNS = {
    "pause_handling": (
        Column("TOR synthetic ↓", "take_over_rate", "synthetic"),
        Column("TOR Candor ↓", "take_over_rate", "candor"),
        Column("TOR all ↓", "take_over_rate"),
    ),
    "backchannel": (
        Column("TOR ↓", "take_over_rate"),
        Column("frequency (1/s) ↑", "frequency_mean"),
        Column("JSD ↓", "jsd_mean"),
    ),
    "turn_taking": (
        Column("TOR ↑", "take_over_rate"),
        Column("latency (s) ↓", "latency_mean"),
        Column("early starts", "num_early"),
    ),
    "user_interruption": (
        Column("TOR ↑", "take_over_rate"),
        Column("rating ↑", "rating_mean"),
        Column("latency (s) ↓", "latency_mean"),
        Column("never stopped ↓", "num_never_stopped"),
        Column("stop (s) ↓", "stop_latency_mean"),
    ),
    "v1.5": (
        Column("respond", "respond"),
        Column("resume", "resume"),
        Column("uncertain", "uncertain"),
        Column("unknown", "unknown"),
        Column("stop (s)", "stop_latency_mean"),
        Column("response (s)", "response_latency_mean"),
    ),
}

# Values of the first columns; the others are not published.
PUBLISHED: dict[str, dict[str, tuple[float, ...]]] = {
    "pause_handling": {
        "PersonaPlex": (0.584, 0.662),
        "dGSLM": (0.934, 0.935),
        "Moshi": (0.985, 0.980),
        "Freeze-Omni": (0.642, 0.481),
        "Gemini Live 2.0": (0.255, 0.310),
        "GPT-Realtime": (0.010, 0.120),
    },
    "backchannel": {
        "PersonaPlex": (0.327, 0.025, 0.649),
        "dGSLM": (0.691, 0.015, 0.934),
        "Moshi": (1.000, 0.001, 0.957),
        "Freeze-Omni": (0.636, 0.001, 0.997),
        "Gemini Live 2.0": (0.091, 0.012, 0.896),
        "GPT-Realtime": (0.000, 0.007, 0.980),
    },
    "turn_taking": {
        "PersonaPlex": (0.992, 0.070),
        "dGSLM": (0.975, 0.352),
        "Moshi": (0.941, 0.265),
        "Freeze-Omni": (0.336, 0.953),
        "Gemini Live 2.0": (0.655, 1.301),
        "GPT-Realtime": (1.000, 1.470),
    },
    "user_interruption": {
        "PersonaPlex": (1.000, 4.210, 0.400),
        "dGSLM": (0.917, 0.201, 2.531),
        "Moshi": (1.000, 0.765, 0.257),
        "Freeze-Omni": (0.867, 3.615, 1.409),
        "Gemini Live 2.0": (0.891, 3.376, 1.183),
        "GPT-Realtime": (0.970, 3.850, 1.500),
    },
    "v1.5": {},
}
