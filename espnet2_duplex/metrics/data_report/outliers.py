"""Conversations that look wrong, by id and with the reason."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from espnet2_duplex.conversation import Conversation
from espnet2_duplex.metrics.data_report.floor_changes import (
    Ending,
    agent_interruptions,
    barge_ins,
    gaps,
)
from espnet2_duplex.metrics.data_report.limits import OutlierLimits
from espnet2_duplex.metrics.data_report.records import Record, words_per_second
from espnet2_duplex.timing import microseconds

KINDS = {  # kind -> what it means, in the order of the page
    "no user": "a conversation without a user turn",
    "no agent": "a conversation without an agent turn",
    "short conversation": "shorter than {min_conversation_seconds:g} s",
    "long conversation": "longer than {max_conversation_seconds:g} s",
    "short turn": "a turn shorter than {min_turn_seconds:g} s",
    "long turn": "a turn longer than {max_turn_seconds:g} s",
    "gap": "the agent answers more than {tolerance_seconds:g} s off {gap_seconds:g} s",
    "late cut": "the agent goes on for more than {tolerance_seconds:g} s beyond "
    "{cut_seconds:g} s after the user's onset; an earlier end may be the turn's own",
    "interruption": "an overlap that is no barge-in: the agent begins while the user "
    "speaks",
    "fast": "more than {max_words_per_second:g} words a second in an agent turn that "
    "no barge-in cuts: its text is longer than its speech",
    "slow": "less than {min_words_per_second:g} words a second in an agent turn: its "
    "text is shorter than its speech",
    "fast user": "more than {max_user_words_per_second:g} words a second in a user turn",
    "slow user": "less than {min_user_words_per_second:g} words a second in a user "
    "turn, its pauses included",
    "dropped tokens": "more than {max_dropped_share:.0%} of the tokens of an agent turn "
    "that no barge-in cuts found no frame",
    "audio": "level, clipping or silence of a stream",
}


@dataclass(frozen=True)
class Outlier:
    """One thing that looks wrong.

    Attributes:
        kind: one of KINDS.
        id: of the conversation.
        reason: with the values.
    """

    kind: str
    id: str
    reason: str


@dataclass(frozen=True)
class OutlierTally:
    """How many outliers there are, and the first of each kind.

    Attributes:
        max_listed: of a kind.
        num: kind -> how many were found.
        listed: kind -> the first `max_listed` of them.
    """

    max_listed: int
    num: Counter[str] = field(default_factory=Counter)
    listed: dict[str, list[Outlier]] = field(default_factory=dict)

    def extended(self, found: Iterable[Outlier]) -> "OutlierTally":
        """With more outliers."""
        num, listed = self.num.copy(), {k: [*v] for k, v in self.listed.items()}
        for outlier in found:
            num[outlier.kind] += 1
            if num[outlier.kind] <= self.max_listed:
                listed.setdefault(outlier.kind, []).append(outlier)
        return OutlierTally(self.max_listed, num, listed)


def find_outliers(
    record: Record, limits: OutlierLimits = OutlierLimits()
) -> Iterator[Outlier]:
    """All that looks wrong in one conversation, see KINDS.

    A cut that is shorter than the limit's is none: the turn may have ended there anyway.
    """
    conversation = record.conversation
    found = [
        *_lengths(conversation, limits),
        *_floor_changes(conversation, limits),
        *_word_rates(record, limits),
        *_dropped_tokens(record, limits),
        *(("audio", fault) for fault in record.audio_faults or ()),
    ]
    for kind, reason in found:
        yield Outlier(kind, conversation.id, reason)


def meanings(limits: OutlierLimits) -> dict[str, str]:
    """Kind -> what it means, with the limits in it."""
    values = vars(limits)
    return {kind: meaning.format(**values) for kind, meaning in KINDS.items()}


def _lengths(
    conversation: Conversation, limits: OutlierLimits
) -> Iterator[tuple[str, str]]:
    seconds = conversation.duration
    if not conversation.user_turns:
        yield "no user", "it has no user turn"
    if not conversation.agent_turns:
        yield "no agent", "it has no agent turn"
    if seconds < limits.min_conversation_seconds:
        yield "short conversation", f"it lasts {seconds:.2f} s"
    if seconds > limits.max_conversation_seconds:
        yield "long conversation", f"it lasts {seconds:.2f} s"
    for index, turn in enumerate(conversation.turns):
        length = turn.end - turn.start
        reason = f"turn {index} ({turn.role}) lasts {length:.2f} s"
        if length < limits.min_turn_seconds:
            yield "short turn", reason
        if length > limits.max_turn_seconds:
            yield "long turn", reason


def _floor_changes(
    conversation: Conversation, limits: OutlierLimits
) -> Iterator[tuple[str, str]]:
    tolerance = microseconds(limits.tolerance_seconds)
    for gap in gaps(conversation):
        if abs(microseconds(gap.seconds - limits.gap_seconds)) > tolerance:
            yield "gap", (
                f"the agent answers {gap.seconds:.3f} s after the user's end at "
                f"{gap.before.end:.2f} s"
            )
    for event in barge_ins(conversation):
        if event.ending(limits) is Ending.LATE:
            yield "late cut", (
                f"the agent goes on for {event.cut_seconds:.3f} s after the user's "
                f"onset at {event.user.start:.2f} s"
            )
    for event in agent_interruptions(conversation):
        yield "interruption", (
            f"the agent begins at {event.agent.start:.2f} s, while the user speaks "
            f"until {event.user.end:.2f} s"
        )


def _word_rates(record: Record, limits: OutlierLimits) -> Iterator[tuple[str, str]]:
    cut = record.cut_turns(limits)
    for turn in record.conversation.turns:
        is_user = turn.role == "user"
        least, most = (
            (limits.min_user_words_per_second, limits.max_user_words_per_second)
            if is_user
            else (limits.min_words_per_second, limits.max_words_per_second)
        )
        rate, suffix = words_per_second(turn), " user" if is_user else ""
        reason = (
            f"the {turn.role} turn at {turn.start:.2f} s has {rate:.1f} words a second"
        )
        if rate > most and turn not in cut:
            yield f"fast{suffix}", reason
        if rate < least:
            yield f"slow{suffix}", reason


def _dropped_tokens(record: Record, limits: OutlierLimits) -> Iterator[tuple[str, str]]:
    cut = record.cut_turns(limits)
    for turn, tokens in zip(record.conversation.agent_turns, record.tokens):
        most = limits.max_dropped_share * tokens.num_tokens
        if tokens.num_dropped > most and turn not in cut:
            yield "dropped tokens", (
                f"{tokens.num_dropped} of the {tokens.num_tokens} tokens of the agent "
                f"turn at {turn.start:.2f} s found none of its {tokens.num_frames} "
                "frames"
            )
