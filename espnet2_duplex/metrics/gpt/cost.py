"""What judging will cost, told before it begins."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from espnet2_duplex.chat.backend import Prompt
from espnet2_duplex.metrics.gpt.asking import first_prompt, needs_judge
from espnet2_duplex.metrics.gpt.options import GptScoreOptions
from espnet2_duplex.metrics.gpt.prompt import Dialogue

CHARACTERS_PER_TOKEN = 4  # English, as OpenAI counts by hand
ANSWER_TOKENS_PER_TURN = 40  # number, 15 words of reason, score, punctuation
TOKENS_PER_MILLION = 1_000_000


@dataclass(frozen=True)
class JudgePrices:
    """What a judge costs, by default gpt-4o-mini as of 2024-07.

    Attributes:
        usd_in: US dollars per million tokens that it reads.
        usd_out: per million that it writes.
        max_cost_usd: judging does not begin above it; None is no limit.
    """

    usd_in: float = 0.15
    usd_out: float = 0.60
    max_cost_usd: float | None = None


@dataclass(frozen=True)
class CostEstimate:
    """Of a run without second attempts.

    Attributes:
        num_calls: answers that must be asked for.
        num_kept: answers that are on disk.
        tokens_in: characters of the calls divided by 4.
        tokens_out: 40 for each turn.
        usd: US dollars.
    """

    num_calls: int
    num_kept: int
    tokens_in: int
    tokens_out: int
    usd: float


def estimate_cost(
    dialogues: Iterable[Dialogue],
    options: GptScoreOptions,
    prices: JudgePrices,
    is_kept: Callable[[Prompt], bool],
) -> CostEstimate:
    """Estimate what a judge that is asked for JSON at an endpoint costs.

    Args:
        dialogues: all that shall be judged.
        options: the judge.
        prices: its prices.
        is_kept: whether the answer to a prompt is on disk (`Endpoint.is_kept`).
    """
    num_calls = num_kept = characters = num_turns = 0
    for dialogue in filter(needs_judge, dialogues):
        prompt = first_prompt(dialogue, options)
        if is_kept(prompt):
            num_kept += 1
            continue
        num_calls += 1
        characters += sum(len(message.content) for message in prompt.messages)
        num_turns += len(dialogue.judged)
    tokens_in = -(-characters // CHARACTERS_PER_TOKEN)
    tokens_out = ANSWER_TOKENS_PER_TURN * num_turns
    usd = (tokens_in * prices.usd_in + tokens_out * prices.usd_out) / TOKENS_PER_MILLION
    return CostEstimate(num_calls, num_kept, tokens_in, tokens_out, usd)


def cost_line(
    estimate: CostEstimate, options: GptScoreOptions, prices: JudgePrices
) -> str:
    """The estimate in one line."""
    return (
        f"GPT score: {estimate.num_calls} conversations to be judged by {options.model} "
        f"({estimate.num_kept} more are kept from before): about {estimate.tokens_in} "
        f"tokens in (characters / {CHARACTERS_PER_TOKEN}) and {estimate.tokens_out} out, "
        f"{estimate.usd:.4f} USD at {prices.usd_in:.2f} and {prices.usd_out:.2f} USD per "
        "million (the default is gpt-4o-mini's price of 2024-07)."
    )


def check_cost(estimate: CostEstimate, prices: JudgePrices) -> None:
    """Stop before anything is paid.

    Raises:
        ValueError: the estimate is above the limit.
    """
    limit = prices.max_cost_usd
    if limit is not None and estimate.usd > limit:
        raise ValueError(
            f"the GPT score would cost about {estimate.usd:.4f} USD, more than the "
            f"limit of {limit:.4f} USD; raise the limit or judge fewer conversations"
        )
