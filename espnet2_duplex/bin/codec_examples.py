"""Which sentences of a scored codec to listen to."""

from collections.abc import Sequence

from espnet2_duplex.bin.codec_judging import System
from espnet2_duplex.bin.codec_sentences import Sentence, sample_rate_of
from espnet2_duplex.dataset_checks import load_speech
from espnet2_duplex.metrics.codec_report.page import Clip, Example
from espnet2_duplex.metrics.codec_report.results import SystemScores, sentence_errors
from espnet2_duplex.metrics.response_quality import english_normalizer

REASONS = ("worst", "middle", "best")
CAPTION_SCORES = (("dnsmos_p808", "P.808"), ("secs", "SECS"), ("pesq", "PESQ"))


def choose_examples(
    systems: Sequence[System],
    sentences: Sequence[Sentence],
    scored: Sequence[SystemScores],
    num_examples: int,
) -> list[Example]:
    """The worst, middle and best sentences of the first codec, in turns.

    Args:
        systems: the recordings, then the codecs.
        sentences: all.
        scored: of each system.
        num_examples: at most.
    """
    order = badness_order(scored[min(1, len(scored) - 1)], sentences)
    return [
        Example(
            reason,
            sentences[n].id,
            sentences[n].text,
            [
                _clip(system, sentences[n], found, n)
                for system, found in zip(systems, scored, strict=True)
            ],
        )
        for reason, n in pick(order, num_examples)
    ]


def badness_order(system: SystemScores, sentences: Sequence[Sentence]) -> list[int]:
    """Indices of the sentences, most character errors first, then lowest P.808."""
    texts = [sentence.text for sentence in sentences]
    rates = [0.0] * len(sentences)
    if all("transcript" in found for found in system.scores):
        counts = sentence_errors(system, texts, english_normalizer())
        rates = [count.rate or 0.0 for count in counts]
    quality = [found.get("dnsmos_p808") or 0.0 for found in system.scores]
    return sorted(range(len(sentences)), key=lambda n: (-rates[n], quality[n]))


def pick(order: Sequence[int], number: int) -> list[tuple[str, int]]:
    """(reason, index) of sentences from both ends and the middle, none twice.

    The first three are one of each kind.
    """
    middle = sorted(range(len(order)), key=lambda rank: abs(rank - len(order) // 2))
    queues = [list(order), [order[rank] for rank in middle], list(reversed(order))]
    chosen: dict[int, str] = {}
    for turn in range(min(number, len(order))):
        kind = turn % len(REASONS)
        index = next(n for n in queues[kind] if n not in chosen)
        chosen[index] = REASONS[kind]
    return [(reason, index) for index, reason in chosen.items()]


def _clip(system: System, sentence: Sentence, scored: SystemScores, n: int) -> Clip:
    path = system.wav_path(sentence)
    rate = sample_rate_of(path)
    found = scored.scores[n]
    parts = [
        f"{label} {found[key]:.2f}"
        for key, label in CAPTION_SCORES
        if found.get(key) is not None
    ]
    if "transcript" in found:
        parts.append(f"heard: {found['transcript']}")
    return Clip(system.name, " · ".join(parts), load_speech(path, rate), rate)
