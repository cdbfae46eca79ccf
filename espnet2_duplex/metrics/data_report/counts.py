"""Statistics of the sets of a corpus, as they are collected, stored and merged."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import batched
from typing import Any

from espnet2_duplex.metrics.counts import share
from espnet2_duplex.metrics.data_report.outliers import (
    Outlier,
    OutlierLimits,
    OutlierTally,
    find_outliers,
)
from espnet2_duplex.metrics.data_report.records import Record
from espnet2_duplex.metrics.data_report.statistics import (
    SECONDS_PER_HOUR,
    CorpusCounts,
    count_records,
)
from espnet2_duplex.metrics.data_report.tables import SourceInfo

CHUNK = 1000  # conversations that are in memory at once


@dataclass(frozen=True)
class SetStatistics:
    """What was counted in one set.

    Attributes:
        sources: source -> counts.
        outliers: of all sources.
    """

    sources: Mapping[str, CorpusCounts]
    outliers: OutlierTally

    @cached_property
    def total(self) -> CorpusCounts:
        """Over all sources."""
        return sum(self.sources.values(), start=CorpusCounts())


@dataclass(frozen=True)
class DataReport:
    """All that the page shows.

    Attributes:
        sets: name -> statistics.
        infos: source -> what is known of it; may lack sources.
        timings: stage and seconds of each process that made the corpus.
        limits: of the outliers.
    """

    sets: Mapping[str, SetStatistics]
    infos: Mapping[str, SourceInfo]
    timings: tuple[tuple[str, float], ...]
    limits: OutlierLimits

    @cached_property
    def sources(self) -> dict[str, CorpusCounts]:
        """Source -> counts over all sets, the most hours first."""
        merged: dict[str, CorpusCounts] = {}
        for statistics in self.sets.values():
            for source, counts in statistics.sources.items():
                merged[source] = merged.get(source, CorpusCounts()) + counts
        return dict(sorted(merged.items(), key=lambda item: (-item[1].hours, item[0])))

    @cached_property
    def total(self) -> CorpusCounts:
        """Over all sets."""
        return sum(self.sources.values(), start=CorpusCounts())


def collect_set(
    records: Iterable[Record], limits: OutlierLimits, max_listed: int
) -> SetStatistics:
    """Count the conversations of a set, in pieces, so that they need not fit in memory.

    Args:
        records: in the order of their ids.
        limits: of the outliers.
        max_listed: outliers of a kind that are kept by id.
    """
    sources: dict[str, CorpusCounts] = {}
    outliers = OutlierTally(max_listed)
    for chunk in batched(records, CHUNK):
        by_source: dict[str, list[Record]] = {}
        for record in chunk:
            by_source.setdefault(record.source, []).append(record)
        for source, group in by_source.items():
            counts = sources.get(source, CorpusCounts())
            sources[source] = counts + count_records(group)
        outliers = outliers.extended(
            outlier for record in chunk for outlier in find_outliers(record, limits)
        )
    return SetStatistics(dict(sorted(sources.items())), outliers)


def report_to_dict(report: DataReport) -> dict[str, Any]:
    """For JSON: rates as fractions, times in seconds (hours where named so), None where
    there was nothing to measure; and all counts, from which
    :func:`report_from_dict` makes the report again."""
    hours = report.total.hours
    return {
        "total": rates(report.total),
        "sources": {name: rates(counts) for name, counts in report.sources.items()},
        "sets": {
            name: {
                "total": rates(statistics.total),
                "outliers": {
                    "max_listed": statistics.outliers.max_listed,
                    "num": statistics.outliers.num,
                    "listed": {
                        kind: [asdict(outlier) for outlier in found]
                        for kind, found in statistics.outliers.listed.items()
                    },
                },
                "counts": {
                    source: counts.to_dict()
                    for source, counts in statistics.sources.items()
                },
            }
            for name, statistics in report.sets.items()
        },
        "source_info": {name: asdict(info) for name, info in report.infos.items()},
        "timings": report.timings,
        "seconds_per_hour": share(sum(s for _, s in report.timings), hours),
        "limits": asdict(report.limits),
    }


def report_from_dict(stored: Mapping[str, Any]) -> DataReport:
    """Inverse of :func:`report_to_dict`, also after JSON.

    Raises:
        ValueError: it is no report, or one of another version.
    """
    try:
        return DataReport(
            sets={name: _set(found) for name, found in stored["sets"].items()},
            infos={
                name: SourceInfo(**info) for name, info in stored["source_info"].items()
            },
            timings=tuple((name, seconds) for name, seconds in stored["timings"]),
            limits=OutlierLimits(**stored["limits"]),
        )
    except (KeyError, TypeError) as problem:
        raise ValueError(
            f"it holds no report of data ({problem!r}); make it again with "
            "local/report_data.py"
        ) from problem


def rates(counts: CorpusCounts) -> dict[str, Any]:
    """What a reader wants to know of some counts."""
    tokens = counts.tokens
    return {
        "num_conversations": counts.num_conversations,
        "hours": counts.hours,
        "user_hours": counts.user_turns.sum / SECONDS_PER_HOUR,
        "agent_hours": counts.agent_turns.sum / SECONDS_PER_HOUR,
        "overlap_hours": counts.overlaps.sum / SECONDS_PER_HOUR,
        "silence_hours": counts.silence_seconds / SECONDS_PER_HOUR,
        "num_speakers": len(counts.speakers),
        "turns_per_conversation": counts.turns.mean,
        "exchanges_per_conversation": counts.exchanges.mean,
        "num_barge_ins": len(counts.cuts),
        "barge_in_share": counts.barge_in_share,
        "gap_median": counts.gaps.percentile(50),
        "pause_median": counts.pauses.percentile(50),
        "cut_median": counts.cuts.percentile(50),
        "num_in_turn_pauses": len(counts.in_turn_pauses),
        "num_backchannels": len(counts.backchannels),
        "num_noises": len(counts.noises),
        "tokens_dropped_share": tokens.dropped_share,
        "tokens_dropped_share_uncut": tokens.dropped_share_uncut,
        "tokens_per_frame": tokens.per_frame.mean,
    }


def _set(stored: Mapping[str, Any]) -> SetStatistics:
    outliers = stored["outliers"]
    return SetStatistics(
        {
            source: CorpusCounts.from_dict(counts)
            for source, counts in stored["counts"].items()
        },
        OutlierTally(
            outliers["max_listed"],
            Counter(outliers["num"]),
            {
                kind: [Outlier(**outlier) for outlier in found]
                for kind, found in outliers["listed"].items()
            },
        ),
    )
