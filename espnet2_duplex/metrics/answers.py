"""What the agent should have said, wrote and said, brought together per user turn.

Reference and written turns belong to the last user turn that had begun when they began.
So do segments of speech, but one that overlaps written turns belongs with that which it
overlaps most: text runs ahead of speech, and a user turn may begin between the two::

    user       |turn 0----|                |turn 1----|
    reference               |A----------------|           |B-------|
    written                 |a----|      |c-----|         |b----|
    spoken                   |seg.|         |seg. c|       |segment|
    compared   '----- A, a and c, seg. and seg. c -----'--- B, b, segment ---'
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter

from espnet2_duplex.conversation import CUT_SECONDS, Turn
from espnet2_duplex.metrics.asr.transcription import Utterance
from espnet2_duplex.metrics.option_checks import check_not_negative
from espnet2_duplex.metrics.turn_taking.natural_end import said_before
from espnet2_duplex.metrics.turn_taking.spans import Span
from espnet2_duplex.timing import microseconds

SAME_TIME_MICROSECONDS = 1000


@dataclass(frozen=True)
class QualityOptions:
    """Definitions that the paper leaves open.

    Attributes:
        cut_seconds: a reference turn that ends so long or longer after a user's onset
            inside it was cut; one that ends sooner came to its own end.
        characters_per_second: speed at which the agent talks, for what could be said
            before a cut; None measures it on the set's turns that are not cut.

    Raises:
        ValueError: a number is negative or not finite.
    """

    cut_seconds: float = CUT_SECONDS
    characters_per_second: float | None = None

    def __post_init__(self) -> None:
        check_not_negative(self)


@dataclass(frozen=True)
class Answer:
    """The agent's side after one user turn; texts joined by blanks, "" where none.

    Attributes:
        whole_reference: what it should say.
        reference: the same; of a cut turn, what could be said before the cut.
        written: its own text channel.
        spoken: transcript of its audio.
        is_cut: the reference was cut by a barge-in.
        is_interrupted: a user turn begins inside a reference turn, a written turn or
            a segment of speech.
    """

    whole_reference: str
    reference: str
    written: str
    spoken: str
    is_cut: bool
    is_interrupted: bool

    @property
    def is_empty(self) -> bool:
        """Nothing was to be said, and nothing was said."""
        return not (self.whole_reference or self.written or self.spoken)


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

    def text_start(utterance: Utterance) -> float:
        text = _text_of(utterance, written_turns)
        return utterance.start if text is None else text.start

    groups = (
        _by_user_turn(reference_turns, user_turns),
        _by_user_turn(written_turns, user_turns),
        _by_user_turn(utterances, user_turns, text_start),
    )
    return [
        Answer(
            whole_reference=_joined(turn.text for turn in ref),
            reference=_joined(could_be_said(turn, user_turns, options) for turn in ref),
            written=_joined(turn.text for turn in written),
            spoken=_joined(utterance.text for utterance in spoken),
            is_cut=any(is_cut(turn, user_turns, options) for turn in ref),
            is_interrupted=any(
                _onsets_inside(span, user_turns) for span in (*ref, *written, *spoken)
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

    Which words could be said: see `said_before`.
    """
    if not is_cut(turn, user_turns, options) or options.characters_per_second is None:
        return turn.text
    return said_before(turn.text, turn.end - turn.start, options.characters_per_second)


def _text_of(utterance: Utterance, written_turns: Sequence[Turn]) -> Turn | None:
    """The written turn that an utterance overlaps most, the first of several; None if
    it overlaps none."""

    def overlap(turn: Turn) -> int:
        end = min(microseconds(utterance.end), microseconds(turn.end))
        return end - max(microseconds(utterance.start), microseconds(turn.start))

    most = max(written_turns, key=overlap, default=None)
    return most if most is not None and overlap(most) > 0 else None


def _by_user_turn[S: Span](
    spans: Iterable[S],
    user_turns: Sequence[Turn],
    start_of: Callable[[S], float] = attrgetter("start"),
) -> list[list[S]]:
    """Spans by the number of user turns that had begun at their start."""
    onsets = [microseconds(turn.start) for turn in user_turns]
    groups: list[list[S]] = [[] for _ in range(len(onsets) + 1)]
    for span in spans:
        groups[bisect_right(onsets, microseconds(start_of(span)))].append(span)
    return groups


def _onsets_inside(span: Span, user_turns: Sequence[Turn]) -> list[float]:
    start, end = microseconds(span.start), microseconds(span.end)
    return [user.start for user in user_turns if start < microseconds(user.start) < end]


def _joined(texts: Iterable[str]) -> str:
    return " ".join(text for text in texts if text)
