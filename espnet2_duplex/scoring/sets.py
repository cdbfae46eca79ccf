"""Scores a decoded set: listens, transcribes, judges, counts, and writes it all down."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from espnet2_duplex.metrics.activity import Segment
from espnet2_duplex.metrics.answers import speaking_rate
from espnet2_duplex.metrics.asr.transcription import Utterance, cut_clip, transcribe
from espnet2_duplex.metrics.conversation_scores import (
    ConversationScores,
    Observed,
    SetCounts,
    problem_row,
    score_conversation,
)
from espnet2_duplex.metrics.counts import pooled
from espnet2_duplex.metrics.gpt.prompt import Dialogue, dialogue_of
from espnet2_duplex.metrics.gpt.score import GptScores
from espnet2_duplex.metrics.recordings import (
    Reference,
    read_references,
    read_speech,
    unknown_folders,
)
from espnet2_duplex.metrics.response_quality import english_normalizer
from espnet2_duplex.metrics.results import to_results, write_results
from espnet2_duplex.metrics.versions import SCORERS, versions_of
from espnet2_duplex.scoring.hearing import Heard, hear_set
from espnet2_duplex.scoring.options import ScoreOptions
from espnet2_duplex.scoring.set_records import Outcome, SetToScore, Stopwatch
from espnet2_duplex.scoring.voice import voice_digest

TRANSCRIPTS_FILE = "transcripts.jsonl"

# Dialogues of a set -> what the judge makes of them.
Judging = Callable[[Sequence[Dialogue]], GptScores]


def score_set(
    where: SetToScore,
    options: ScoreOptions,
    judge: Judging,
    num_jobs: int,
    watch: Stopwatch,
) -> Outcome:
    """Score a set and write its results.json and conversations.jsonl.

    Args:
        where: see there.
        options: definitions.
        judge: of the GPT score.
        num_jobs: processes that listen.
        watch: gets the time of each part.

    Raises:
        ValueError: the data are invalid, or a network cannot be loaded; no results are
            written then.
    """
    references = read_references(where.data)
    _warn_of_unknown(where, references)
    options = _completed(options, where, references)
    with watch.timed("listening"):
        chosen = _chosen(references, where)
        heard = hear_set(where.decoded, where.output, chosen, options.hearing, num_jobs)
    good = [item for item in heard if item.problem is None]
    with watch.timed("recognition"):
        utterances = _transcribed(where, good, options)
    with watch.timed("counting"):
        scores = [
            score_conversation(observed, options.definitions)
            for observed in _observed(references, good, utterances)
        ]
        counts = _counted(scores, has_speech=options.asr is not None)
    with watch.timed("judging"):
        verdicts = judge(dialogues_of(scores))
    num_problems = len(heard) - len(good)
    counts += SetCounts(num_problems=num_problems, gpt=verdicts.counts)
    with watch.timed("writing"):
        name, problem = where.decoded.name, verdicts.problem
        made_by = options.to_dict(), versions_of(SCORERS)
        results = to_results(name, counts, *made_by, problem)
        write_results(where.output, results, _rows(heard, scores, verdicts))
    problems = tuple(item.problem for item in heard if item.problem is not None)
    return Outcome(problems, verdicts.problem)


def dialogues_of(scores: Sequence[ConversationScores]) -> list[Dialogue]:
    """What a judge is shown of conversations."""
    found = []
    for item in scores:
        reference = item.observed.reference
        texts = [turn.text for turn in reference.user_turns]
        found.append(dialogue_of(reference.id, texts, item.answers))
    return found


def _completed(
    options: ScoreOptions, where: SetToScore, references: Mapping[str, Reference]
) -> ScoreOptions:
    """Options with what is taken from the data: the agent's speed and voice.

    The speed is that of the whole set, also where only a part of it is scored, so that
    parts add up to the whole.
    """
    quality, speech = options.definitions.quality, options.hearing.speech
    if quality.characters_per_second is None:
        rate = speaking_rate((r.user_turns, r.agent_turns) for r in references.values())
        quality = replace(quality, characters_per_second=rate)
    agent_scp = where.data / "agent.scp"
    if not speech.voice and agent_scp.is_file():
        speech = replace(speech, voice=(str(agent_scp),))
    digest = voice_digest(speech.voice)
    return replace(
        options,
        hearing=replace(options.hearing, speech=speech, voice_digest=digest),
        definitions=replace(options.definitions, quality=quality),
    )


def _warn_of_unknown(where: SetToScore, references: Mapping[str, Reference]) -> None:
    unknown = unknown_folders(where.decoded, references)
    if unknown:
        logging.warning(
            "%s: %d decoded conversation(s) are not in %s and are not scored, the first "
            "is %s",
            where.decoded.name,
            len(unknown),
            where.data / "turns",
            unknown[0],
        )


def _chosen(references: Mapping[str, Reference], where: SetToScore) -> list[Reference]:
    """References of the conversations to score, sorted by id.

    Raises:
        ValueError: a chosen conversation is not in the data.
    """
    names = sorted(references if where.keys is None else where.keys)
    for name in names:
        if name not in references:
            raise ValueError(
                f"{name} is not in {where.data / 'turns'}; choose conversations of "
                "that set"
            )
    return [references[name] for name in names]


def _transcribed(
    where: SetToScore, heard: Sequence[Heard], options: ScoreOptions
) -> dict[str, tuple[Utterance, ...]]:
    segments = {item.id: item.segments for item in heard}
    if options.asr is None:
        return {
            name: tuple(Utterance(segment.start, segment.end, "") for segment in found)
            for name, found in segments.items()
        }
    clips = (_clips(where.decoded / item.id, item.segments) for item in heard)
    return transcribe(segments, clips, options.asr, where.output / TRANSCRIPTS_FILE)


def _clips(folder: Path, segments: Sequence[Segment]) -> list[np.ndarray]:
    speech = read_speech(folder)
    return [cut_clip(speech, segment) for segment in segments]


def _observed(
    references: Mapping[str, Reference],
    heard: Sequence[Heard],
    utterances: Mapping[str, tuple[Utterance, ...]],
) -> Iterator[Observed]:
    for item in heard:
        yield Observed(
            references[item.id],
            item.duration,
            item.latency,
            item.written_turns,
            utterances[item.id],
            item.speech,
        )


def _counted(scores: Sequence[ConversationScores], *, has_speech: bool) -> SetCounts:
    normalize = english_normalizer()
    bar = tqdm(scores, unit="conversation", desc="counting")
    counts = (item.count(normalize, has_speech=has_speech) for item in bar)
    return pooled(counts, SetCounts())


def _rows(
    heard: Sequence[Heard], scores: Sequence[ConversationScores], verdicts: GptScores
) -> Iterator[dict]:
    """Lines of conversations.jsonl."""
    scored = {item.observed.reference.id: item for item in scores}
    for item in heard:
        if item.problem is not None:
            yield problem_row(item.id, item.problem)
            continue
        found = scored[item.id]
        verdict = verdicts.verdicts.get(item.id)
        gpt = verdict.scores if verdict else (None,) * len(found.answers)
        yield found.to_dict(gpt)
