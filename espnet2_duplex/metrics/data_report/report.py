"""The report of a corpus: what was counted in its sets, and how."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import batched

from espnet2_duplex.metrics.data_report.counting import count_records
from espnet2_duplex.metrics.data_report.limits import OutlierLimits
from espnet2_duplex.metrics.data_report.outliers import OutlierTally, find_outliers
from espnet2_duplex.metrics.data_report.paper_table import SourceInfo, display_names
from espnet2_duplex.metrics.data_report.records import Record
from espnet2_duplex.metrics.data_report.statistics import CorpusCounts
from espnet2_duplex.metrics.data_report.timings import Timing

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
class TokenModel:
    """The tokenizer that the texts were counted with; known by its vocabulary.

    Attributes:
        path: as it was given.
        size: of the vocabulary.
        digest: of the vocabulary.
    """

    path: str = field(compare=False)
    size: int
    digest: str


@dataclass(frozen=True)
class DataReport:
    """All that the page shows.

    Attributes:
        sets: name -> statistics.
        infos: source -> what is known of it; may lack sources.
        timings: of each process that made the corpus.
        limits: of the outliers.
        token_model: None if no tokens were counted.
        train_set: the set that Table 1 is about; None for all sets together.
    """

    sets: Mapping[str, SetStatistics]
    infos: Mapping[str, SourceInfo]
    timings: tuple[Timing, ...]
    limits: OutlierLimits
    token_model: TokenModel | None = None
    train_set: str | None = None

    @cached_property
    def sources(self) -> dict[str, CorpusCounts]:
        """Source -> counts in the training set, the most hours first."""
        chosen = self.sets if self.train_set is None else [self.train_set]
        merged: dict[str, CorpusCounts] = {}
        for name in chosen:
            for source, counts in self.sets[name].sources.items():
                merged[source] = merged.get(source, CorpusCounts()) + counts
        return dict(sorted(merged.items(), key=lambda item: (-item[1].hours, item[0])))

    @cached_property
    def named_sources(self) -> dict[str, CorpusCounts]:
        """:attr:`sources` by the names that a reader sees."""
        names = display_names(self.sources, self.infos)
        return {names[source]: counts for source, counts in self.sources.items()}

    @cached_property
    def training(self) -> CorpusCounts:
        """Over all :attr:`sources`."""
        return sum(self.sources.values(), start=CorpusCounts())

    @cached_property
    def total(self) -> CorpusCounts:
        """Over all sets, those for evaluation too."""
        totals = (statistics.total for statistics in self.sets.values())
        return sum(totals, start=CorpusCounts())

    @property
    def subject(self) -> str:
        """What :attr:`sources` and :attr:`training` are about, for a heading."""
        return "all sets" if self.train_set is None else f"set {self.train_set}"


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
            sources[source] = counts + count_records(group, limits)
        outliers = outliers.extended(
            outlier for record in chunk for outlier in find_outliers(record, limits)
        )
    return SetStatistics(dict(sorted(sources.items())), outliers)
