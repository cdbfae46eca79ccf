"""Asks the judge of the GPT score, and brings its answers to the turns."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from functools import partial

from espnet2_duplex.chat.asking import BadAnswer, Question, ask
from espnet2_duplex.chat.backend import (
    Backend,
    ChoosingBackend,
    Message,
    Prompt,
    Refused,
)
from espnet2_duplex.metrics.gpt.answer import (
    LOWEST,
    SCORES,
    expected_score,
    parse_scores,
)
from espnet2_duplex.metrics.gpt.options import GptScoreOptions
from espnet2_duplex.metrics.gpt.prompt import (
    Dialogue,
    dialogue_messages,
    turn_messages,
)

NUM_TRIES = 2  # of a conversation, which is a failure then


@dataclass(frozen=True)
class Verdict:
    """On one conversation.

    Attributes:
        scores: one for each turn; None: not judged, or failed.
        failure: what was wrong with the judge's answers; None if nothing.
    """

    scores: tuple[float | None, ...]
    failure: str | None = None


def needs_judge(dialogue: Dialogue) -> bool:
    """Whether any judged turn has a hypothesis."""
    return any(not turn.is_silent for turn in dialogue.judged)


def first_prompt(dialogue: Dialogue, options: GptScoreOptions) -> Prompt:
    """What the judge is asked about a conversation."""
    num_tokens = options.max_tokens_per_turn * len(dialogue.judged)
    return _prompt(dialogue_messages(dialogue), options, num_tokens)


def second_prompt(first: Prompt, problem: BadAnswer) -> Prompt:
    """The same with another seed, after an answer that could not be read.

    At temperature 0 a judge would say the same again; so it is told what was wrong.
    """
    *earlier, last = first.messages
    complaint = f"An answer could not be used: {problem}. Give the JSON object only."
    asked_again = Message(last.role, f"{last.content}\n\n{complaint}")
    return replace(first, messages=(*earlier, asked_again), seed=first.seed + 1)


def judge_whole(
    dialogues: Sequence[Dialogue], judge: Backend, options: GptScoreOptions
) -> list[Verdict]:
    """Judge each conversation in one call, with a second one if it must be.

    A conversation fails as a whole: scores of half of its turns would favour those that
    are easily judged.

    Raises:
        Unavailable: the judge cannot be asked.
    """
    questions = {
        d.id: Question(
            first_prompt(d, options), partial(parse_scores, num_turns=len(d.judged))
        )
        for d in dialogues
        if needs_judge(d)
    }
    answers = ask(judge, list(questions.values()), second_prompt, NUM_TRIES)
    found = dict(zip(questions, answers, strict=True))
    return [_verdict(d, found.get(d.id, [LOWEST] * len(d.judged))) for d in dialogues]


def judge_turns(
    dialogues: Sequence[Dialogue], judge: ChoosingBackend, options: GptScoreOptions
) -> list[Verdict]:
    """Judge each turn alone, by the judge's probabilities of the numbers 0 to 10."""
    heard = {turn for d in dialogues for turn in d.judged if not turn.is_silent}
    turns = sorted(heard, key=astuple)  # turns that are alike are read once
    prompts = [_prompt(turn_messages(turn), options, 1) for turn in turns]
    choices = [str(score) for score in SCORES]
    rows = judge.choice_probabilities(prompts, choices) if prompts else []
    scores = dict(zip(turns, map(expected_score, rows), strict=True))
    return [
        _verdict(d, [scores.get(turn, LOWEST) for turn in d.judged]) for d in dialogues
    ]


def _verdict(
    dialogue: Dialogue, result: Sequence[float | None] | BadAnswer | Refused
) -> Verdict:
    """Put the scores of the judged turns in their places; silence scores 0."""
    if isinstance(result, BadAnswer | Refused):
        return Verdict((None,) * len(dialogue.turns), str(result))
    given = iter(result)
    scores: list[float | None] = []
    for turn in dialogue.turns:
        score = next(given) if turn.is_judged else None
        scores.append(LOWEST if turn.is_silent else score)
    return Verdict(tuple(scores))


def _prompt(
    messages: tuple[Message, ...], options: GptScoreOptions, max_tokens: int
) -> Prompt:
    return Prompt(
        messages,
        options.seed,
        max_tokens=max_tokens,
        temperature=options.temperature,
        top_p=1.0,
    )
