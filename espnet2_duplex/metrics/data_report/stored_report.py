"""The report of a corpus as JSON and back."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from espnet2_duplex.metrics.counts import share
from espnet2_duplex.metrics.data_report.limits import OutlierLimits
from espnet2_duplex.metrics.data_report.outliers import Outlier, OutlierTally
from espnet2_duplex.metrics.data_report.paper_table import SourceInfo
from espnet2_duplex.metrics.data_report.report import (
    DataReport,
    SetStatistics,
    TokenModel,
)
from espnet2_duplex.metrics.data_report.statistics import SECONDS_PER_HOUR, CorpusCounts
from espnet2_duplex.metrics.data_report.timings import (
    Timing,
    all_seconds,
    stage_times,
)


def report_to_dict(report: DataReport) -> dict[str, Any]:
    """For JSON: rates as fractions, times in seconds (hours where named so), None where
    there was nothing to measure; and all counts, from which
    :func:`report_from_dict` makes the report again."""
    stages = stage_times(report.timings)
    seconds = all_seconds(stages) if stages else None
    return {
        "total": rates(report.total),
        "train_set": report.train_set,
        "sources": {name: rates(counts) for name, counts in report.sources.items()},
        "sets": {name: _set_to_dict(found) for name, found in report.sets.items()},
        "source_info": {name: asdict(info) for name, info in report.infos.items()},
        "token_model": asdict(report.token_model) if report.token_model else None,
        "timings": [asdict(timing) for timing in report.timings],
        "stages": [asdict(stage) for stage in stages],
        "seconds_per_hour": seconds and share(seconds, report.total.hours),
        "limits": asdict(report.limits),
    }


def report_from_dict(stored: Mapping[str, Any]) -> DataReport:
    """Inverse of :func:`report_to_dict`, also after JSON.

    Raises:
        ValueError: it is no report, or one of another version.
    """
    try:
        token_model = stored["token_model"]
        return DataReport(
            sets={
                name: _set_from_dict(found) for name, found in stored["sets"].items()
            },
            infos={
                name: SourceInfo(**info) for name, info in stored["source_info"].items()
            },
            timings=tuple(Timing(**timing) for timing in stored["timings"]),
            limits=OutlierLimits(**stored["limits"]),
            token_model=TokenModel(**token_model) if token_model else None,
            train_set=stored["train_set"],
        )
    except (AttributeError, KeyError, TypeError) as problem:
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
        "num_barge_ins": counts.num_barge_ins,
        "num_cut": len(counts.cuts),
        "num_own_end": len(counts.own_ends),
        "num_late_cut": len(counts.late_ends),
        "barge_in_share": counts.barge_in_share,
        "num_interruptions": counts.num_interruptions,
        "gap_median": counts.gaps.percentile(50),
        "heard_gap_seconds": {
            "median": counts.heard_gaps.percentile(50),
            "p5": counts.heard_gaps.percentile(5),
            "p95": counts.heard_gaps.percentile(95),
            "num": len(counts.heard_gaps),
            "num_conversations": counts.num_clean,
            "num_listened": counts.num_listened,
        },
        "pause_median": counts.pauses.percentile(50),
        "cut_median": counts.cuts.percentile(50),
        "num_in_turn_pauses": len(counts.in_turn_pauses),
        "num_backchannels": len(counts.backchannels),
        "num_noises": len(counts.noises),
        "tokens_dropped_share": tokens.dropped_share,
        "tokens_dropped_share_uncut": tokens.dropped_share_uncut,
        "tokens_per_frame": tokens.per_frame.mean,
        "num_audio_checked": counts.num_audio_checked,
    }


def _set_to_dict(statistics: SetStatistics) -> dict[str, Any]:
    tally = statistics.outliers
    return {
        "total": rates(statistics.total),
        "outliers": {
            "max_listed": tally.max_listed,
            "num": tally.num,
            "listed": {
                kind: [asdict(outlier) for outlier in found]
                for kind, found in tally.listed.items()
            },
        },
        "counts": {
            source: counts.to_dict() for source, counts in statistics.sources.items()
        },
    }


def _set_from_dict(stored: Mapping[str, Any]) -> SetStatistics:
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
