"""The paper's Table 1, for a corpus and as it was published."""

from collections.abc import Mapping
from dataclasses import dataclass

from espnet2_duplex.metrics.data_report.data_table import DataTable
from espnet2_duplex.metrics.data_report.statistics import CorpusCounts
from espnet2_duplex.metrics.page_parts import ABSENT

YES, NO = "✓", "✗"
# Table 1 of the paper.
PAPER_ROWS = (
    ("Spoken QA", "ASR-QA", "20k", "Mix", "Augment", NO),
    ("Spoken QA", "MS MARCO", "0.2k", "TTS", "Augment", NO),
    ("Spoken QA", "Alpaca", "0.2k", "TTS", "Augment", NO),
    ("Spoken QA", "Internal SFT", "3k", "TTS", "Real", YES),
    ("Conversation", "UltraChat", "3k", "TTS", "Augment", YES),
    ("Conversation", "Topic", "0.3k", "TTS", "Augment", YES),
)


@dataclass(frozen=True)
class SourceInfo:
    """What the turns do not tell of a dataset.

    Attributes:
        name: as a reader should see it, for example "MS MARCO".
        task: "Spoken QA" or "Conversation".
        speech: of the user: "TTS", "Real" or "Mix".
        multi_turn: how its conversations come to have several exchanges: "Real" if the
            texts have them, "Augment" if single exchanges were joined (Sec. 4.2).
    """

    name: str
    task: str = ABSENT
    speech: str = ABSENT
    multi_turn: str = ABSENT


def display_names(
    sources: Mapping[str, CorpusCounts], infos: Mapping[str, SourceInfo]
) -> dict[str, str]:
    """Source -> its name for a reader; sources of one name have their ids in it."""
    names = {
        source: infos[source].name if source in infos else source for source in sources
    }
    taken = list(names.values())
    return {
        source: name if taken.count(name) == 1 else f"{name} ({source})"
        for source, name in names.items()
    }


def paper_table(
    sources: Mapping[str, CorpusCounts], infos: Mapping[str, SourceInfo]
) -> DataTable:
    """Table 1 of the paper for this corpus, and the paper's own rows.

    Args:
        sources: source -> its counts.
        infos: source -> what is known of it; may lack sources.
    """
    rows = []
    for source, counts in sources.items():
        info = infos.get(source, SourceInfo(source))
        longest = counts.exchanges.percentile(100) or 0
        multi_turn = info.multi_turn if longest > 1 else NO
        barge_in = YES if counts.num_with_barge_in else NO
        hours = hours_text(counts.hours)
        rows.append((info.task, info.name, hours, info.speech, multi_turn, barge_in))
    order = ("Spoken QA", "Conversation")
    rows.sort(key=lambda row: order.index(row[0]) if row[0] in order else len(order))
    headings = ("Task", "Dataset", "#Hours", "Speech", "Multi-turn", "Barge-in")
    return DataTable(headings, tuple(rows), PAPER_ROWS)


def hours_text(hours: float) -> str:
    """Hours as in the paper's table ("0.2k"), but below 100 with their fraction."""
    return f"{hours / 1000:.1f}k" if hours >= 100 else f"{hours:.2f}"
