"""Words with times, which other formats have where we have turns."""

from collections.abc import Iterable, Sequence

from espnet2_duplex.conversation import Turn
from espnet2_duplex.timing import MICROSECONDS_PER_SECOND, microseconds
from espnet2_duplex.words import Word

# Recognisers give short words no length; one frame of silero or Whisper is 20 to 32 ms.
MIN_TURN_SECONDS = 0.02


def spread_words(turn: Turn) -> list[Word]:
    """The words of a turn, in proportion to their numbers of characters.

    There is no aligner in this: a word's place is a guess, that of the turn is not.
    """
    texts = turn.text.split()
    total = sum(map(len, texts))
    start, span = microseconds(turn.start), microseconds(turn.end - turn.start)
    words, passed = [], 0
    for text in texts:
        begin = start + span * passed // total
        passed += len(text)
        end = start + span * passed // total
        words.append(
            Word(text, begin / MICROSECONDS_PER_SECOND, end / MICROSECONDS_PER_SECOND)
        )
    return words


def turns_of_words(
    words: Sequence[Word],
    role: str,
    gap_seconds: float,
    pauses: Iterable[tuple[float, float]] = (),
) -> list[Turn]:
    """Turns, split where the silence between two words is longer than a gap.

    Args:
        words: in any order; empty ones are passed over.
        role: of all turns.
        gap_seconds: silence of this length does not split yet.
        pauses: (start, end) in seconds of silences inside a turn; those which touch one
            of them do not split.
    """
    pauses = list(pauses)
    groups: list[list[Word]] = []
    for word in sorted(words, key=lambda word: (word.start, word.end)):
        if not word.text:
            continue
        end = max(w.end for w in groups[-1]) if groups else 0.0
        paused = any(start < word.start and end < stop for start, stop in pauses)
        silence = microseconds(word.start) - microseconds(end)
        if groups and (paused or silence <= microseconds(gap_seconds)):
            groups[-1].append(word)
        else:
            groups.append([word])
    return [_turn(group, role) for group in groups]


def _turn(words: Sequence[Word], role: str) -> Turn:
    start = words[0].start
    end = max(*(word.end for word in words), start + MIN_TURN_SECONDS)
    return Turn(role, start, end, " ".join(word.text for word in words))
