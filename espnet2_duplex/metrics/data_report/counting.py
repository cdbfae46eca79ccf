"""Records of conversations -> their statistics."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from espnet2_duplex.conversation import Turn
from espnet2_duplex.metrics.data_report.distribution import Distribution
from espnet2_duplex.metrics.data_report.floor_changes import (
    BargeIn,
    Ending,
    agent_interruptions,
    barge_ins,
    gaps,
    num_exchanges,
    overlaps_seconds,
    pauses,
)
from espnet2_duplex.metrics.data_report.limits import OutlierLimits
from espnet2_duplex.metrics.data_report.records import (
    Event,
    Record,
    TurnTokens,
    words_per_second,
)
from espnet2_duplex.metrics.data_report.statistics import CorpusCounts, TokenCounts


def count_records(
    records: Sequence[Record], limits: OutlierLimits = OutlierLimits()
) -> CorpusCounts:
    """Counts of conversations, whatever their source.

    Args:
        records: of the conversations.
        limits: say which barge-ins cut the agent.
    """
    whole = [record.conversation for record in records]
    events = [event for one in whole for event in barge_ins(one)]
    heard = [record.heard_gaps for record in records if record.heard_gaps]
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
        cuts=_endings(events, Ending.CUT, limits),
        own_ends=_endings(events, Ending.OWN, limits),
        late_ends=_endings(events, Ending.LATE, limits),
        num_with_barge_in=sum(bool(barge_ins(one)) for one in whole),
        num_interruptions=sum(len(agent_interruptions(one)) for one in whole),
        words_per_second=Distribution.of(
            rate for record in records for rate in _agent_word_rates(record, limits)
        ),
        user_words_per_second=Distribution.of(
            words_per_second(turn) for one in whole for turn in one.user_turns
        ),
        heard_gaps=Distribution.of(s for one in heard for s in one.seconds),
        num_listened=len(heard),
        num_clean=sum(one.is_clean for one in heard),
        num_audio_checked=sum(one.audio_faults is not None for one in records),
        in_turn_pauses=_events(records, "pause"),
        backchannels=_events(records, "backchannel"),
        noises=_events(records, "noise"),
        tokens=_count_tokens(records, limits),
    )


def _endings(
    events: Sequence[BargeIn], ending: Ending, limits: OutlierLimits
) -> Distribution:
    """What the agent still says, of the barge-ins that end so."""
    return Distribution.of(
        event.cut_seconds for event in events if event.ending(limits) is ending
    )


def _agent_word_rates(record: Record, limits: OutlierLimits) -> Iterator[float]:
    cut = record.cut_turns(limits)
    for turn in record.conversation.agent_turns:
        if turn not in cut:
            yield words_per_second(turn)


def _lengths(spans: Iterable[Turn | Event]) -> Distribution:
    return Distribution.of(span.end - span.start for span in spans)


def _events(records: Sequence[Record], kind: str) -> Distribution:
    events = (event for record in records for event in record.events)
    return _lengths(event for event in events if event.kind == kind)


def _count_tokens(records: Sequence[Record], limits: OutlierLimits) -> TokenCounts:
    counted: list[TurnTokens] = []
    uncut: list[TurnTokens] = []
    for record in records:
        cut = record.cut_turns(limits) if record.tokens else ()
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
