"""Figures of the paper's Tables 2 and 3 (Sec. 6.1 and 6.2), as results.json has them."""

from collections.abc import Mapping

Results = Mapping[str, Mapping]  # set -> content of its results.json
PAPER_MODEL, PAPER_MOSHI = "SALM-Duplex (paper)", "Moshi (paper)"


def _figures(
    success: float, stop: float, first_response: float | None, utmos: float
) -> dict:
    """A row of Table 2; all of its false alarms are 0 %."""
    return {
        "barge_in": {"success_rate": success, "latency_mean": stop},
        "false_alarm": {"rate": 0.0},
        "first_response": {"mean_not_early": first_response},
        "speech": {"utmos": utmos},
    }


# dataset -> model -> figures; Sec. 6.1: Moshi almost always responds before the user
# ends, so it has no first response.
TABLE_2: Mapping[str, Results] = {
    "UltraChat": {
        PAPER_MODEL: _figures(0.830, 0.52, 0.72, 4.3),
        PAPER_MOSHI: _figures(0.560, 0.63, None, 3.9),
    },
    "Impatient": {
        PAPER_MODEL: _figures(0.945, 0.69, 0.92, 4.0),
        PAPER_MOSHI: _figures(0.551, 0.81, None, 3.8),
    },
}
# model -> dataset -> GPT score, by gpt-4o-mini-2024-07-18
TABLE_3: Mapping[str, Mapping[str, float]] = {
    PAPER_MODEL: {
        "UltraChat": 3.5,
        "Roleplay": 4.6,
        "Topic": 6.1,
        "ASR-QA": 7.8,
        "Alpaca": 2.9,
    },
    PAPER_MOSHI: {
        "UltraChat": 3.4,
        "Roleplay": 1.7,
        "Topic": 2.8,
        "ASR-QA": 1.9,
        "Alpaca": 1.7,
    },
}
TABLE_3_DATASETS = ("UltraChat", "Roleplay", "Topic", "ASR-QA", "Alpaca")
