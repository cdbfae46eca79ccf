"""Words with times, which other formats have where we have turns."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from statistics import median

from espnet2_duplex.conversation import CUT_SECONDS, Conversation, Turn
from espnet2_duplex.timing import MICROSECONDS_PER_SECOND, microseconds
from espnet2_duplex.words import Word

# Recognisers give short words no length; one frame of silero or Whisper is 20 to 32 ms.
MIN_TURN_SECONDS = 0.02
SECONDS_PER_WORD = 0.37  # of the packaged agent's voice, measured


def spoken_turns(conversation: Conversation) -> list[Turn]:
    """The agent's turns, those that the user cuts with as many words as had time.

    The text of a cut turn is what would have been said (Sec. 4.2). It stops at the
    agent's own pace: the median of its other turns, or that of a known voice. A turn
    without time for a word is left out.
    """
    turns = conversation.agent_turns
    cut = [_is_cut(turn, conversation.user_turns) for turn in turns]
    paces = [
        (turn.end - turn.start) / len(turn.text.split())
        for turn, is_cut in zip(turns, cut)
        if not is_cut
    ]
    pace = median(paces) if paces else SECONDS_PER_WORD
    spoken = [_stopped(t, pace) if is_cut else t for t, is_cut in zip(turns, cut)]
    return [turn for turn in spoken if turn.text]


def _is_cut(agent: Turn, users: Iterable[Turn]) -> bool:
    """Whether the agent ends inside a user's turn, soon after that has begun."""
    end = microseconds(agent.end)
    return any(
        microseconds(agent.start) < microseconds(user.start) < end
        and end <= microseconds(user.start + CUT_SECONDS)
        and end <= microseconds(user.end)
        for user in users
    )


def _stopped(turn: Turn, seconds_per_word: float) -> Turn:
    num_words = microseconds(turn.end - turn.start) // microseconds(seconds_per_word)
    return replace(turn, text=" ".join(turn.text.split()[:num_words]))


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
