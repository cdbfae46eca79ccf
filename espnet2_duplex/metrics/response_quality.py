"""Response quality: what the agent says and writes against the reference (Sec. 5.2, 6.3).

Everything is compared per user turn. A reference turn, a written turn and a segment of
speech belong to the last user turn that had begun when they began::

    user       |turn 0----|                |turn 1----|
    reference               |A-----------|              |B-------|
    written                 |a----|                     |b----|
    spoken                   |seg.|  |segment|           |segment|
    compared   '------ A, a, both segments ------'------ B, b, last segment ------'
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from espnet2_duplex.conversation import CUT_SECONDS, Turn
from espnet2_duplex.metrics.counts import Counts, share
from espnet2_duplex.metrics.transcription import Utterance
from espnet2_duplex.timing import microseconds

MAX_NGRAM = 4
SAME_TIME_MICROSECONDS = 1000


@dataclass(frozen=True)
class QualityOptions:
    """Definitions that the paper leaves open.

    Attributes:
        cut_seconds: a reference turn that ends so long or longer after a user's onset
            inside it was cut; one that ends sooner came to its own end.
        characters_per_second: speed at which the agent talks, for what could be said
            before a cut; None measures it on the set's turns that are not cut.
    """

    cut_seconds: float = CUT_SECONDS
    characters_per_second: float | None = None


@dataclass(frozen=True)
class Answer:
    """The agent's side after one user turn; texts joined by blanks, "" where none.

    Attributes:
        reference: what it should say; of a cut turn, what could be said before the cut.
        written: its own text channel.
        spoken: transcript of its audio.
        is_cut: the reference was cut by a barge-in.
        is_interrupted: a user turn begins inside a reference or a written turn.
    """

    reference: str
    written: str
    spoken: str
    is_cut: bool
    is_interrupted: bool


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

    Attributes:
        num_turns: answers that were not cut.
        num_exact: of these, those that read like the reference.
        num_cut: answers that were cut and of which a word could be said.
        num_prefix: of these, those that begin like the reference.
    """

    num_turns: int = 0
    num_exact: int = 0
    num_cut: int = 0
    num_prefix: int = 0

    @property
    def rate(self) -> float | None:
        """Share of the answers that were not cut."""
        return share(self.num_exact, self.num_turns)

    @property
    def rate_prefix(self) -> float | None:
        """Share of the answers that were cut."""
        return share(self.num_prefix, self.num_cut)


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


def speaking_rate(
    conversations: Iterable[tuple[Sequence[Turn], Sequence[Turn]]],
) -> float | None:
    """Characters per second of the reference turns into which no user turn begins.

    Args:
        conversations: (user turns, reference turns) of each.
    """
    num_characters, seconds = 0, 0.0
    for user_turns, reference_turns in conversations:
        for turn in reference_turns:
            if not _onsets_inside(turn, user_turns):
                num_characters += len(turn.text)
                seconds += turn.end - turn.start
    return num_characters / seconds if seconds else None


def pair_answers(
    user_turns: Sequence[Turn],
    reference_turns: Sequence[Turn],
    written_turns: Sequence[Turn],
    utterances: Sequence[Utterance],
    options: QualityOptions,
) -> list[Answer]:
    """One answer for each user turn and one for what comes before the first.

    Args:
        user_turns: in time order, as all others.
        reference_turns: the agent's, from the data.
        written_turns: the agent's own.
        utterances: what it said.
        options: with a rate unless no turn is cut.
    """
    groups = [
        _by_user_turn(spans, user_turns)
        for spans in (reference_turns, written_turns, utterances)
    ]
    return [
        Answer(
            reference=_joined(could_be_said(turn, user_turns, options) for turn in ref),
            written=_joined(turn.text for turn in written),
            spoken=_joined(utterance.text for utterance in spoken),
            is_cut=any(is_cut(turn, user_turns, options) for turn in ref),
            is_interrupted=any(
                _onsets_inside(turn, user_turns) for turn in (*ref, *written)
            ),
        )
        for ref, written, spoken in zip(*groups)
    ]


def is_cut(turn: Turn, user_turns: Sequence[Turn], options: QualityOptions) -> bool:
    """Whether a reference turn ends because the user barged in."""
    latest = microseconds(turn.end) - microseconds(options.cut_seconds)
    return any(
        microseconds(onset) <= latest + SAME_TIME_MICROSECONDS
        for onset in _onsets_inside(turn, user_turns)
    )


def could_be_said(
    turn: Turn, user_turns: Sequence[Turn], options: QualityOptions
) -> str:
    """The text of a reference turn up to its cut; a turn keeps its whole text on disk.

    A word could be said if its middle character comes before the cut at the agent's
    speed.
    """
    if not is_cut(turn, user_turns, options) or options.characters_per_second is None:
        return turn.text
    limit = (turn.end - turn.start) * options.characters_per_second
    said, position = [], 0
    for word in turn.text.split():
        if position + len(word) / 2 > limit:
            break
        said.append(word)
        position += len(word) + 1
    return " ".join(said)


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
        Answer(
            normalize(answer.reference),
            normalize(answer.written),
            normalize(answer.spoken),
            answer.is_cut,
            answer.is_interrupted,
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
    with_reference = [a for a in answers if a.reference]
    whole = [a for a in with_reference if not a.is_cut]
    cut = [a for a in with_reference if a.is_cut]
    return ExactCounts(
        num_turns=len(whole),
        num_exact=sum(a.written == a.reference for a in whole),
        num_cut=len(cut),
        num_prefix=sum(_begins_alike(a.written, a.reference) for a in cut),
    )


def _begins_alike(written: str, reference: str) -> bool:
    """One is the beginning of the other, word by word, and neither is empty."""
    pairs = list(zip(written.split(), reference.split()))
    return bool(pairs) and all(first == second for first, second in pairs)


def _by_user_turn(spans, user_turns: Sequence[Turn]) -> list[list]:
    """Spans by the number of user turns that had begun at their start."""
    onsets = [microseconds(turn.start) for turn in user_turns]
    groups: list[list] = [[] for _ in range(len(onsets) + 1)]
    for span in spans:
        groups[bisect_right(onsets, microseconds(span.start))].append(span)
    return groups


def _onsets_inside(turn: Turn, user_turns: Sequence[Turn]) -> list[float]:
    start, end = microseconds(turn.start), microseconds(turn.end)
    return [user.start for user in user_turns if start < microseconds(user.start) < end]


def _joined(texts: Iterable[str]) -> str:
    return " ".join(text for text in texts if text)
