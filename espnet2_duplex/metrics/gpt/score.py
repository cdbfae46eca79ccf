"""The GPT score of the agent's answers, 0 to 10 (Sec. 5.2, Table 3).

A language model compares each answer, as a recogniser heard it, with its reference. The
paper names the model (gpt-4o-mini-2024-07-18) and what it sees ("the hypotheses and
references of all the agent turns"), but not its instructions; ours are prompt.txt.
An agent that says nothing where it should answer scores 0 whatever the judge thinks.
Where the judge twice answers in another form than it was asked for, the conversation is
a failure: counted, never scored.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import batched

from espnet2_duplex.chat.backend import Backend, Unavailable
from espnet2_duplex.metrics.counts import Counts, share
from espnet2_duplex.metrics.gpt.asking import Verdict, judge_turns, judge_whole
from espnet2_duplex.metrics.gpt.options import GptScoreOptions, Pooling
from espnet2_duplex.metrics.gpt.prompt import Dialogue

BATCH_SIZE = 16  # conversations
THOUSANDTHS = 1000


@dataclass(frozen=True)
class GptCounts(Counts):
    """Scores as whole thousandths, which add to the same sum in every order.

    Attributes:
        num_scored: agent turns with a score.
        num_failed: agent turns that the judge was asked about in vain.
        sum_thousandths: of the scores of turns.
        num_conversations: with at least one scored turn.
        conversation_thousandths: sum of their means.
    """

    num_scored: int = 0
    num_failed: int = 0
    sum_thousandths: int = 0
    num_conversations: int = 0
    conversation_thousandths: int = 0

    def mean(self, pooling: Pooling) -> float | None:
        """The score of a set, 0 to 10; None without scores."""
        if pooling == "conversation":
            total, num = self.conversation_thousandths, self.num_conversations
        else:
            total, num = self.sum_thousandths, self.num_scored
        return share(total, num * THOUSANDTHS)


@dataclass(frozen=True)
class GptScores:
    """What judging came to.

    Attributes:
        verdicts: on each conversation that was judged, by its id.
        counts: of these.
        problem: why the others were not judged; None if all were.
    """

    verdicts: dict[str, Verdict] = field(default_factory=dict)
    counts: GptCounts = GptCounts()
    problem: str | None = None


def judge_dialogues(
    dialogues: Sequence[Dialogue],
    judge: Backend,
    options: GptScoreOptions,
    on_progress: Callable[[int], None] = lambda num_done: None,
) -> GptScores:
    """Score every answer that has a reference.

    Args:
        dialogues: with different ids.
        judge: the language model; for the style "likelihood" a `ChoosingBackend`.
        options: definitions.
        on_progress: called with the number of conversations of each finished batch.

    Returns:
        With a `problem`, and what had been judged until then, if the judge cannot be
        asked. An endpoint keeps its answers, so that the next run goes on from there.
    """
    judge_batch = judge_turns if options.style == "likelihood" else judge_whole
    verdicts: dict[str, Verdict] = {}
    counts = GptCounts()
    for batch in batched(dialogues, BATCH_SIZE):
        try:
            found = judge_batch(batch, judge, options)
        except Unavailable as problem:
            return GptScores(verdicts, counts, str(problem))
        for dialogue, verdict in zip(batch, found, strict=True):
            verdicts[dialogue.id] = verdict
            counts += count_scores(dialogue, verdict)
        on_progress(len(batch))
    return GptScores(verdicts, counts)


def count_scores(dialogue: Dialogue, verdict: Verdict) -> GptCounts:
    """Counts of one conversation."""
    scores = [round(s * THOUSANDTHS) for s in verdict.scores if s is not None]
    num_scored, total = len(scores), sum(scores)
    return GptCounts(
        num_scored=num_scored,
        num_failed=len(dialogue.judged) - num_scored,
        sum_thousandths=total,
        num_conversations=int(num_scored > 0),
        conversation_thousandths=round(total / num_scored) if num_scored else 0,
    )
