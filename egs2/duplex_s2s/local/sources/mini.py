"""The mini corpus: a few questions in many voices, and sentences for the codec.

Each known question is said by some training voices, by one more of them for the valid
set, and by all test voices; each open question, which training never hears, by some
test voices.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

from select_texts import CODEC_SETS, Selection, select
from sources.rows import Job, Options, agent, make_row, user

from espnet2_duplex.jsonl import write_jsonl


@dataclass(frozen=True, kw_only=True)
class CodecOptions(Options):
    """Options of `codec_sentences`; see `select_texts.Selection`."""

    name: str = "codec"
    codec_train_seconds: float = Selection.codec_train_seconds
    codec_valid_sentences: int = Selection.codec_valid_sentences
    codec_test_sentences: int = Selection.codec_test_sentences
    num_known: int = Selection.num_known
    num_open: int = Selection.num_open


@dataclass(frozen=True, kw_only=True)
class MiniOptions(CodecOptions):
    """Options of `mini`.

    Attributes:
        train_voices_per_question: takes of a known question in training.
        test_voices_per_open_question: takes of an open question.
    """

    name: str = "mini"
    train_voices_per_question: int = 12
    test_voices_per_open_question: int = 2


@dataclass(frozen=True)
class Take:
    """One voice says one question, for one set."""

    pair: Mapping[str, str]
    voice: str
    set: str


def rotation(voices: Sequence[str], start: int, count: int) -> list[str]:
    """`count` different voices from position `start` on, going round.

    Raises:
        ValueError: there are fewer.
    """
    if count > len(voices):
        raise ValueError(
            f"{count} voices are wanted, there are {len(voices)}; lower the voices per "
            "question, or give more voices."
        )
    return [voices[(start + step) % len(voices)] for step in range(count)]


def takes(
    options: MiniOptions, job: Job, known: Sequence[Mapping], unseen: Sequence[Mapping]
) -> Iterator[Take]:
    """All takes; neighbouring questions take different voices in turn."""
    rng = random.Random(job.seed)
    train_voices = rng.sample(job.train_voices, len(job.train_voices))
    count = options.train_voices_per_question
    for number, pair in enumerate(known):
        voices = rotation(train_voices, number * count, count + 1)
        yield from (Take(pair, voice, "train") for voice in voices[:-1])
        yield Take(pair, voices[-1], "valid")
        yield from (Take(pair, voice, "test") for voice in job.test_voices)
    count = options.test_voices_per_open_question
    for number, pair in enumerate(unseen):
        for voice in rotation(job.test_voices, number * count, count):
            yield Take(pair, voice, "open")


def mini(options: MiniOptions, job: Job) -> Iterator[dict]:
    """One row a take, with its voice and set; writes `<out>/texts/codec_*.jsonl`."""
    texts = _select_and_write(options, job)
    for take in takes(options, job, texts["known"], texts["open"]):
        pair = take.pair
        turns = [user(pair["question"]), agent(pair["answer"])]
        row = make_row(options, "", turns, pair["licence"], pair["source"])
        yield {**row, "id": f"{pair['id']}-{take.voice}", "set": take.set} | {
            "voice": take.voice
        }


def codec_sentences(options: CodecOptions, job: Job) -> Iterator[dict]:
    """No rows; writes `<out>/texts/codec_*.jsonl`, sentences the agent reads."""
    _select_and_write(options, job)
    return iter(())


def _select_and_write(options: CodecOptions, job: Job) -> dict[str, list[dict]]:
    names = [field.name for field in fields(Selection) if hasattr(options, field.name)]
    chosen = {name: getattr(options, name) for name in names}
    texts = select(Selection(seed=job.seed, **chosen), job.downloads)
    for name in CODEC_SETS:
        write_jsonl(job.out / "texts" / f"{name}.jsonl", texts[name])
    return texts
