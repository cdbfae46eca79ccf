"""The judge of the GPT score as scoring uses it: cost first, then progress."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from espnet2_duplex.chat.backend import open_backend
from espnet2_duplex.metrics.gpt.cost import (
    JudgePrices,
    check_cost,
    cost_line,
    estimate_cost,
)
from espnet2_duplex.metrics.gpt.options import GptScoreOptions
from espnet2_duplex.metrics.gpt.prompt import Dialogue
from espnet2_duplex.metrics.gpt.score import GptScores, judge_dialogues


class SetJudge:
    """Judges the dialogues of one set after the other.

    Args:
        options: definitions; None judges nothing.
        prices: of an endpoint.
        cache: folder of an endpoint's answers.

    Raises:
        ValueError: there is no such local model.
    """

    def __init__(
        self, options: GptScoreOptions | None, prices: JudgePrices, cache: Path
    ) -> None:
        self._options = options
        self._prices = prices
        self._usd = 0.0  # estimated for the sets until now
        self._backend = None
        if options is not None:
            source = options.url or options.model
            model = options.model if options.url else None
            self._backend = open_backend(source, model=model, cache=cache)

    def __call__(self, dialogues: Sequence[Dialogue]) -> GptScores:
        """Scores, or the reason why there are none."""
        options = self._options
        if options is None:
            return GptScores()
        if options.url is not None:
            estimate = estimate_cost(
                dialogues, options, self._prices, self._backend.is_kept
            )
            logging.info(cost_line(estimate, options, self._prices))
            try:
                check_cost(estimate, self._remaining())
            except ValueError as problem:
                return GptScores(problem=str(problem))
            self._usd += estimate.usd
        with tqdm(total=len(dialogues), unit="conversation", desc="judging") as bar:
            found = judge_dialogues(dialogues, self._backend, options, bar.update)
        failures = Counter(v.failure for v in found.verdicts.values() if v.failure)
        for failure, num in failures.most_common():
            logging.warning("%d conversations have no GPT score: %s", num, failure)
        return found

    def _remaining(self) -> JudgePrices:
        """Prices with what is left of the limit, which is that of all sets."""
        limit = self._prices.max_cost_usd
        if limit is None:
            return self._prices
        return replace(self._prices, max_cost_usd=limit - self._usd)
