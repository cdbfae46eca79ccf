"""Scores of every sentence -> what is said of a codec, in the shape of Table 4."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from math import log2

from espnet2_duplex.metrics.bootstrap import paired_bootstrap
from espnet2_duplex.metrics.results import rounded
from espnet2_duplex.metrics.speech.character_errors import (
    CharacterErrorCounts,
    count_character_errors,
)
from espnet2_duplex.metrics.speech.quality import Scores

MEAN_KEYS = (
    "dnsmos_overall",
    "dnsmos_p808",
    "dnsmos_signal",
    "dnsmos_background",
    "squim_mos",
    "squim_stoi",
    "squim_pesq",
    "squim_si_sdr",
    "secs",
    "secs_other",
    "pesq",
    "stoi",
    "mel_l1",
)
DIFFERENCE_KEYS = ("dnsmos_overall", "dnsmos_p808", "squim_mos")


@dataclass(frozen=True)
class CodecShape:
    """What a codec sends.

    Attributes:
        sample_rate: in Hz.
        frame_rate: frames per second.
        num_codebooks: codes per frame.
        codebook_size: codes to choose from.
        num_used: distinct codes in each codebook (K,), over all sentences.
        entropy_bits: of each codebook's codes (K,).
        num_frames: over all sentences.
    """

    sample_rate: int
    frame_rate: float
    num_codebooks: int
    codebook_size: int
    num_used: tuple[int, ...]
    entropy_bits: tuple[float, ...]
    num_frames: int

    @property
    def bitrate_kbps(self) -> float:
        """Thousands of bits per second, without entropy coding."""
        bits_per_frame = self.num_codebooks * log2(self.codebook_size)
        return bits_per_frame * self.frame_rate / 1000

    @property
    def utilisation(self) -> float:
        """Share of the codes that occur, mean over the codebooks."""
        return sum(self.num_used) / self.num_codebooks / self.codebook_size

    @property
    def entropy_bits_per_frame(self) -> float:
        """Sum over the codebooks."""
        return sum(self.entropy_bits)

    @property
    def entropy_share(self) -> float:
        """Entropy over its maximum."""
        maximum = self.num_codebooks * log2(self.codebook_size)
        return self.entropy_bits_per_frame / maximum


@dataclass(frozen=True)
class SystemScores:
    """One system's scores of all sentences.

    Attributes:
        name: of the codec, or of the recordings.
        scores: of each sentence, in the set's order.
        shape: None for the recordings.
    """

    name: str
    scores: Sequence[Scores]
    shape: CodecShape | None = None


def system_results(
    system: SystemScores,
    originals: SystemScores,
    texts: Sequence[str],
    normalize: Callable[[str], str],
) -> dict:
    """The entry of one system in results.json: rates as fractions, None where there
    was nothing to measure.

    Args:
        system: whose.
        originals: the recordings, for the differences.
        texts: what is said in each sentence.
        normalize: applied to texts and transcripts before they are compared.
    """
    is_original = system.shape is None
    results: dict = {} if is_original else {"codec": _shape_results(system.shape)}
    for key in MEAN_KEYS:
        values = [found[key] for found in system.scores if key in found]
        if values:
            results[key] = _mean([value for value in values if value is not None])
    for key in DIFFERENCE_KEYS:
        if not is_original and key in results:
            results[f"{key}_difference"] = _difference(
                *([found[key] for found in s.scores] for s in (system, originals))
            )
    if all("transcript" in found for found in system.scores):
        results.update(_character_results(system, originals, texts, normalize))
    return rounded(results)


def sentence_errors(
    system: SystemScores, texts: Sequence[str], normalize: Callable[[str], str]
) -> list[CharacterErrorCounts]:
    """Character errors of each sentence's transcript."""
    return [
        count_character_errors(normalize(text), normalize(str(found["transcript"])))
        for text, found in zip(texts, system.scores, strict=True)
    ]


def _character_results(
    system: SystemScores,
    originals: SystemScores,
    texts: Sequence[str],
    normalize: Callable[[str], str],
) -> dict:
    """Errors against the texts, and against the transcripts of the recordings."""
    errors = sentence_errors(system, texts, normalize)
    results = {"cer": _rate(errors)}
    if system.shape is None:
        return results
    heard = [str(found["transcript"]) for found in originals.scores]
    results["cer_to_original"] = _rate(sentence_errors(system, heard, normalize))
    original_errors = sentence_errors(originals, texts, normalize)
    difference = paired_bootstrap(
        [count.num_errors for count in errors],
        [count.num_errors for count in original_errors],
        [count.num_characters for count in errors],
    )
    results["cer_difference"] = difference and asdict(difference)
    return results


def _rate(counts: Sequence[CharacterErrorCounts]) -> dict:
    total = sum(counts, start=CharacterErrorCounts())
    return {**asdict(total), "rate": total.rate}


def _mean(values: Sequence[float]) -> dict:
    """Sum and number stay, so that sets can be pooled."""
    mean = sum(values) / len(values) if values else None
    return {"num": len(values), "sum": sum(values), "mean": mean}


def _difference(first: Sequence, second: Sequence) -> dict | None:
    pairs = [pair for pair in zip(first, second, strict=True) if None not in pair]
    difference = paired_bootstrap([a for a, _ in pairs], [b for _, b in pairs])
    return difference and asdict(difference)


def _shape_results(shape: CodecShape) -> dict:
    return {
        **asdict(shape),
        "bitrate_kbps": shape.bitrate_kbps,
        "utilisation": shape.utilisation,
        "entropy_bits_per_frame": shape.entropy_bits_per_frame,
        "entropy_share": shape.entropy_share,
    }
