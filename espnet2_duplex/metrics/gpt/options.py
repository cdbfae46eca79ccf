"""Definitions of the GPT score that the paper leaves open."""

from dataclasses import dataclass, field
from typing import Literal

from espnet2_duplex.metrics.gpt.prompt import JudgeStyle, prompt_digest

Pooling = Literal["turn", "conversation"]


@dataclass(frozen=True)
class GptScoreOptions:
    """Who judges, how, and what the score of a set is.

    A local judge must be a capable one. SmolLM2-135M-Instruct is not: by likelihood it
    tells answers of test_qa from those to other questions no better than chance (area
    under the curve 0.42 over 40 of each; the overlap of words, F1, has 1.00), and asked
    for JSON it gave none that could be read for 16 conversations of one turn.

    Attributes:
        model: the judge; by default the paper's (Sec. 5.2), by its dated name, which
            does not change its meaning. For a local judge the folder or hub name.
        url: of the judge's endpoint; None is a local judge.
        style: "json" shows a whole conversation and asks for all scores with reasons;
            "likelihood" shows one turn and weighs the numbers 0 to 10 by their
            probability as the answer (local judges only).
        pooling: the score of a set is the mean over all agent turns ("turn"), or over
            the means of its conversations ("conversation"). The paper does not say.
        temperature: of the judge.
        max_tokens_per_turn: longest answer, times the number of turns.
        seed: of the first attempt; the second and last has the next one.
        prompt_digest: of the instructions, so that scores of other ones are not
            compared by mistake.
    Raises:
        ValueError: an endpoint is to judge by likelihood.
    """

    model: str = "gpt-4o-mini-2024-07-18"
    url: str | None = "https://api.openai.com/v1"
    style: JudgeStyle = "json"
    pooling: Pooling = "turn"
    temperature: float = 0.0
    max_tokens_per_turn: int = 100
    seed: int = 0
    prompt_digest: str = field(init=False)

    def __post_init__(self) -> None:
        if self.style == "likelihood" and self.url is not None:
            raise ValueError(
                f"the judge at {self.url} shows no probabilities of whole numbers; "
                "judge by likelihood with a local model, or ask for JSON"
            )
        object.__setattr__(self, "prompt_digest", prompt_digest(self.style))
