"""What judging will cost, before it begins."""

import pytest

from espnet2_duplex.metrics.gpt.asking import first_prompt
from espnet2_duplex.metrics.gpt.cost import (
    CostEstimate,
    JudgePrices,
    check_cost,
    cost_line,
    estimate_cost,
)
from espnet2_duplex.metrics.gpt.options import GptScoreOptions
from espnet2_duplex.metrics.gpt.prompt import AgentTurn, Dialogue

OPTIONS = GptScoreOptions()
PRICES = JudgePrices(usd_in=1.0, usd_out=100.0)
SPOKEN = AgentTurn("Peru?", "Lima.", "lima")
SILENT = AgentTurn("Chile?", "Santiago.", "")


def is_never_kept(prompt):
    return False


def test_calls_are_estimated_by_their_characters_and_turns():
    dialogue = Dialogue("a", (SPOKEN, SILENT))
    num_characters = sum(
        len(m.content) for m in first_prompt(dialogue, OPTIONS).messages
    )
    found = estimate_cost([dialogue] * 3, OPTIONS, PRICES, is_never_kept)
    tokens_in = -(-3 * num_characters // 4)
    assert found == CostEstimate(
        num_calls=3,
        num_kept=0,
        tokens_in=tokens_in,
        tokens_out=240,  # 3 conversations of 2 turns, 40 tokens each
        usd=pytest.approx((tokens_in + 24_000) / 1_000_000),
    )


def test_what_is_kept_or_needs_no_judge_costs_nothing():
    kept, silent = Dialogue("a", (SPOKEN,)), Dialogue("b", (SILENT,))
    nothing_said = Dialogue("c", (AgentTurn("Thanks.", "", "hm"),))
    is_kept = {first_prompt(kept, OPTIONS)}.__contains__
    found = estimate_cost([kept, silent, nothing_said], OPTIONS, PRICES, is_kept)
    assert found == CostEstimate(0, num_kept=1, tokens_in=0, tokens_out=0, usd=0)


def test_the_estimate_is_one_line_with_the_prices():
    line = cost_line(CostEstimate(95, 5, 42_000, 8_000, 0.0111), OPTIONS, JudgePrices())
    assert "\n" not in line
    for part in (
        "95 conversations",
        "gpt-4o-mini-2024-07-18 (5 more are kept",
        "42000 tokens in (characters / 4) and 8000 out",
        "0.0111 USD at 0.15 and 0.60 USD per million",
        "2024-07)",
    ):
        assert part in line


def test_a_run_above_the_limit_does_not_begin():
    estimate = CostEstimate(1, 0, 1, 1, usd=2.5)
    check_cost(estimate, PRICES)
    check_cost(estimate, JudgePrices(max_cost_usd=2.5))
    with pytest.raises(
        ValueError, match="about 2.5000 USD, more than the limit of 2.4"
    ):
        check_cost(estimate, JudgePrices(max_cost_usd=2.4))
