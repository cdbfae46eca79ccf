"""Response quality: what the agent says and writes against the reference (Sec. 6.3)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from espnet2_duplex.metrics.answers import Answer
from espnet2_duplex.metrics.counts import Counts, share

MAX_NGRAM = 4


@dataclass(frozen=True)
class BleuCounts(Counts):
    """Sufficient statistics of corpus BLEU.

    Attributes:
        correct: matched n-grams, n = 1..4.
        total: n-grams of the hypotheses.
        hypothesis_words: length of the hypotheses.
        reference_words: length of the references.
    """

    correct: tuple[int, ...] = (0,) * MAX_NGRAM
    total: tuple[int, ...] = (0,) * MAX_NGRAM
    hypothesis_words: int = 0
    reference_words: int = 0

    def __add__(self, other):
        if type(other) is not BleuCounts:
            return NotImplemented
        return BleuCounts(
            tuple(a + b for a, b in zip(self.correct, other.correct)),
            tuple(a + b for a, b in zip(self.total, other.total)),
            self.hypothesis_words + other.hypothesis_words,
            self.reference_words + other.reference_words,
        )

    @property
    def bleu(self) -> float | None:
        """0 to 100 (sacrebleu's corpus BLEU); None without references."""
        from sacrebleu.metrics import BLEU

        if not self.reference_words:
            return None
        return BLEU.compute_bleu(
            correct=list(self.correct),
            total=list(self.total),
            sys_len=self.hypothesis_words,
            ref_len=self.reference_words,
            smooth_method="exp",
        ).score


@dataclass(frozen=True)
class WordErrorCounts(Counts):
    """Errors of the speech against the agent's own text.

    Attributes:
        num_errors: substitutions, deletions and insertions.
        num_words: words of the text.
    """

    num_errors: int = 0
    num_words: int = 0

    @property
    def rate(self) -> float | None:
        """Word error rate as a fraction; above 1 with many insertions."""
        return share(self.num_errors, self.num_words)


@dataclass(frozen=True)
class ExactCounts(Counts):
    """Answers in the text channel that are right to the word.

    A system that wrote nothing at all has no text channel, and no rates.

    Attributes:
        num_turns: answers that were not cut.
        num_exact: of these, those that read like the reference.
        num_cut: answers that were cut.
        num_prefix: of these, those where the text or the whole reference is the
            beginning of the other: text may stop at the cut or run ahead of speech.
        num_written: answers with text, whether there is a reference or not.
    """

    num_turns: int = 0
    num_exact: int = 0
    num_cut: int = 0
    num_prefix: int = 0
    num_written: int = 0

    @property
    def rate(self) -> float | None:
        """Share of the answers that were not cut; None if nothing was written."""
        return share(self.num_exact, self.num_turns) if self.num_written else None

    @property
    def rate_prefix(self) -> float | None:
        """Share of the answers that were cut; None if nothing was written."""
        return share(self.num_prefix, self.num_cut) if self.num_written else None


@dataclass(frozen=True)
class QualityCounts(Counts):
    """Everything this module measures."""

    bleu: BleuCounts = BleuCounts()
    speech_words: WordErrorCounts = WordErrorCounts()
    text: ExactCounts = ExactCounts()


def english_normalizer() -> Callable[[str], str]:
    """Whisper's English normaliser: case, punctuation, numbers, spelling."""
    from whisper_normalizer.english import EnglishTextNormalizer

    return EnglishTextNormalizer()


def count_quality(
    answers: Iterable[Answer],
    normalize: Callable[[str], str],
    *,
    has_speech: bool,
) -> QualityCounts:
    """Counts of any number of answers.

    Args:
        answers: from `pair_answers`.
        normalize: applied to every text before it is compared.
        has_speech: False without transcripts; then only the text channel counts.
    """
    answers = [
        replace(
            answer,
            whole_reference=normalize(answer.whole_reference),
            reference=normalize(answer.reference),
            written=normalize(answer.written),
            spoken=normalize(answer.spoken),
        )
        for answer in answers
    ]
    text = _count_exact(answers)
    if not has_speech:
        return QualityCounts(text=text)
    return QualityCounts(_count_bleu(answers), _count_word_errors(answers), text)


def _count_bleu(answers: Sequence[Answer]) -> BleuCounts:
    """Speech against reference, of every answer that has a reference."""
    from sacrebleu.metrics import BLEU

    pairs = [(a.spoken, a.reference) for a in answers if a.reference]
    if not pairs:
        return BleuCounts()
    spoken, references = zip(*pairs)
    score = BLEU().corpus_score(list(spoken), [list(references)])
    return BleuCounts(
        tuple(score.counts), tuple(score.totals), score.sys_len, score.ref_len
    )


def _count_word_errors(answers: Sequence[Answer]) -> WordErrorCounts:
    """Speech against own text, without interrupted answers: text runs ahead of speech,
    so that a cut leaves words that were written but had no time to be said."""
    import jiwer

    num_errors = num_words = 0
    for answer in answers:
        if answer.is_interrupted:
            continue
        if not answer.written:  # jiwer takes no empty reference
            num_errors += len(answer.spoken.split())
            continue
        errors = jiwer.process_words(answer.written, answer.spoken)
        num_errors += errors.substitutions + errors.deletions + errors.insertions
        num_words += len(answer.written.split())
    return WordErrorCounts(num_errors, num_words)


def _count_exact(answers: Sequence[Answer]) -> ExactCounts:
    whole = [a for a in answers if a.whole_reference and not a.is_cut]
    cut = [a for a in answers if a.whole_reference and a.is_cut]
    return ExactCounts(
        num_turns=len(whole),
        num_exact=sum(a.written == a.whole_reference for a in whole),
        num_cut=len(cut),
        num_prefix=sum(_begins_alike(a.written, a.whole_reference) for a in cut),
        num_written=sum(bool(a.written) for a in answers),
    )


def _begins_alike(written: str, reference: str) -> bool:
    """One is the beginning of the other, word by word, and neither is empty."""
    pairs = list(zip(written.split(), reference.split()))
    return bool(pairs) and all(first == second for first, second in pairs)
