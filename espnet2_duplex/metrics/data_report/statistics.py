"""What is in a corpus of conversations: hours, turns, silences, overlaps, tokens.

Records of one source become :class:`CorpusCounts`, which add: sources to sets, sets to
the corpus, parts of a corpus to the whole.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from espnet2_duplex.conversation import Turn
from espnet2_duplex.metrics.counts import Counts, share
from espnet2_duplex.metrics.data_report.distribution import Distribution
from espnet2_duplex.metrics.data_report.floor_changes import (
    agent_interruptions,
    barge_ins,
    gaps,
    num_exchanges,
    overlaps_seconds,
    pauses,
)
from espnet2_duplex.metrics.data_report.records import (
    Event,
    Record,
    TurnTokens,
    words_per_second,
)

SECONDS_PER_HOUR = 3600


@dataclass(frozen=True)
class TokenCounts(Counts):
    """Text tokens against frames, of agent turns.

    Attributes:
        num_turns: agent turns.
        num_tokens: their tokens.
        num_dropped: tokens that found no frame.
        num_turns_dropping: turns that lost any token.
        num_tokens_uncut: tokens of turns that no user barged into.
        num_dropped_uncut: of those, the ones that found no frame. These are the
            tokenizer's and the voice's fault; a cut turn loses text by design.
        per_frame: tokens per frame of each turn.
    """

    num_turns: int = 0
    num_tokens: int = 0
    num_dropped: int = 0
    num_turns_dropping: int = 0
    num_tokens_uncut: int = 0
    num_dropped_uncut: int = 0
    per_frame: Distribution = field(default_factory=Distribution)

    @property
    def dropped_share(self) -> float | None:
        """Share of all tokens that did not fit their turn."""
        return share(self.num_dropped, self.num_tokens)

    @property
    def dropped_share_uncut(self) -> float | None:
        """The same of turns that no user barged into."""
        return share(self.num_dropped_uncut, self.num_tokens_uncut)


@dataclass(frozen=True)
class CorpusCounts(Counts):
    """Everything that was counted in some conversations.

    Attributes:
        speakers: voice of the user -> conversations.
        durations: of conversations, seconds.
        turns: per conversation.
        exchanges: per conversation; user turns that an agent turn follows.
        user_turns: lengths in seconds, with the pauses in them.
        agent_turns: lengths in seconds.
        gaps: seconds from the user's end to the agent's answer.
        pauses: seconds from the agent's end to the user's next turn.
        overlaps: seconds in which a user and an agent turn are both active.
        cuts: seconds from the user's onset in an agent turn to that turn's end; one for
            each barge-in.
        num_with_barge_in: conversations with one or more.
        num_interruptions: agent turns that begin inside a user turn.
        words_per_second: of agent turns that no user barged into.
        in_turn_pauses: seconds, of pauses within user turns.
        backchannels: seconds, of the user's "uh-huh" while the agent goes on.
        noises: seconds, of coughs and knocks.
        tokens: see there.
    """

    speakers: Counter[str] = field(default_factory=Counter)
    durations: Distribution = field(default_factory=Distribution)
    turns: Distribution = field(default_factory=Distribution)
    exchanges: Distribution = field(default_factory=Distribution)
    user_turns: Distribution = field(default_factory=Distribution)
    agent_turns: Distribution = field(default_factory=Distribution)
    gaps: Distribution = field(default_factory=Distribution)
    pauses: Distribution = field(default_factory=Distribution)
    overlaps: Distribution = field(default_factory=Distribution)
    cuts: Distribution = field(default_factory=Distribution)
    num_with_barge_in: int = 0
    num_interruptions: int = 0
    words_per_second: Distribution = field(default_factory=Distribution)
    in_turn_pauses: Distribution = field(default_factory=Distribution)
    backchannels: Distribution = field(default_factory=Distribution)
    noises: Distribution = field(default_factory=Distribution)
    tokens: TokenCounts = field(default_factory=TokenCounts)

    @property
    def num_conversations(self) -> int:
        """All of them."""
        return len(self.durations)

    @property
    def hours(self) -> float:
        """Of conversation, silence included."""
        return self.durations.sum / SECONDS_PER_HOUR

    @property
    def silence_seconds(self) -> float:
        """In which neither a user nor an agent turn is active."""
        speech = self.user_turns.sum + self.agent_turns.sum - self.overlaps.sum
        return self.durations.sum - speech

    @property
    def barge_in_share(self) -> float | None:
        """Share of conversations with a barge-in."""
        return share(self.num_with_barge_in, self.num_conversations)


def count_records(records: Sequence[Record]) -> CorpusCounts:
    """Counts of conversations, whatever their source."""
    whole = [record.conversation for record in records]
    cuts = [[event.cut_seconds for event in barge_ins(one)] for one in whole]
    return CorpusCounts(
        speakers=Counter(record.speaker for record in records),
        durations=Distribution.of(one.duration for one in whole),
        turns=Distribution.of(len(one.turns) for one in whole),
        exchanges=Distribution.of(num_exchanges(one) for one in whole),
        user_turns=_lengths(turn for one in whole for turn in one.user_turns),
        agent_turns=_lengths(turn for one in whole for turn in one.agent_turns),
        gaps=Distribution.of(gap.seconds for one in whole for gap in gaps(one)),
        pauses=Distribution.of(gap.seconds for one in whole for gap in pauses(one)),
        overlaps=Distribution.of(s for one in whole for s in overlaps_seconds(one)),
        cuts=Distribution.of(seconds for found in cuts for seconds in found),
        num_with_barge_in=sum(map(bool, cuts)),
        num_interruptions=sum(len(agent_interruptions(one)) for one in whole),
        words_per_second=Distribution.of(
            rate for record in records for rate in _word_rates(record)
        ),
        in_turn_pauses=_events(records, "pause"),
        backchannels=_events(records, "backchannel"),
        noises=_events(records, "noise"),
        tokens=_count_tokens(records),
    )


def _word_rates(record: Record) -> list[float]:
    cut = record.cut_turns()
    uncut = [turn for turn in record.conversation.agent_turns if turn not in cut]
    return [words_per_second(turn) for turn in uncut]


def _lengths(spans: Iterable[Turn | Event]) -> Distribution:
    return Distribution.of(span.end - span.start for span in spans)


def _events(records: Sequence[Record], kind: str) -> Distribution:
    events = (event for record in records for event in record.events)
    return _lengths(event for event in events if event.kind == kind)


def _count_tokens(records: Sequence[Record]) -> TokenCounts:
    counted: list[TurnTokens] = []
    uncut: list[TurnTokens] = []
    for record in records:
        cut = record.cut_turns() if record.tokens else ()
        counted += record.tokens
        turns = zip(record.conversation.agent_turns, record.tokens)
        uncut += [tokens for turn, tokens in turns if turn not in cut]
    return TokenCounts(
        num_turns=len(counted),
        num_tokens=sum(one.num_tokens for one in counted),
        num_dropped=sum(one.num_dropped for one in counted),
        num_turns_dropping=sum(one.num_dropped > 0 for one in counted),
        num_tokens_uncut=sum(one.num_tokens for one in uncut),
        num_dropped_uncut=sum(one.num_dropped for one in uncut),
        per_frame=Distribution.of(
            one.num_tokens / max(one.num_frames, 1) for one in counted
        ),
    )
