"""The results of codecs as a table of texts, for Markdown and for the page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from espnet2_duplex.metrics.page_parts import ABSENT

# Table 4 of the paper; its MOS is SQUIM's, its CER Meta's MMS, its SECS ECAPA2's.
PAPER_SYSTEMS = {
    "paper: Mimi": {"kbps": 1.1, "mos": 4.16, "cer": 3.00, "secs": 0.65},
    "paper: NanoCodec": {"kbps": 1.2, "mos": 4.67, "cer": 1.44, "secs": 0.77},
    "paper: NanoCodec, 0.6": {"kbps": 0.6, "mos": 4.54, "cer": 3.55, "secs": 0.57},
    "paper: + personalised": {"kbps": 0.6, "mos": 4.75, "cer": 1.36, "secs": 0.94},
}
PAPER_NOTE = (
    "The paper's rows (Table 4) are of another voice, other sentences and other "
    "judges: MOS by SQUIM, CER with MMS, SECS with ECAPA2. Its text leaves open "
    "whether its CER is against the texts or against transcripts of the recordings. "
    "They stand here for the shape of the table, not for a comparison."
)


@dataclass(frozen=True)
class Column:
    """A column of the table.

    Attributes:
        heading: with the unit.
        meaning: one line.
        keys: where the value stands in a system's entry of results.json.
        factor: from there to the cell's unit.
        decimals: of the cell.
        difference_key: where the difference to the recordings stands.
        paper_key: of PAPER_SYSTEMS, where the paper has this column.
    """

    heading: str
    meaning: str
    keys: tuple[str, ...]
    factor: int = 1
    decimals: int = 2
    difference_key: str | None = None
    paper_key: str | None = None

    def cell(self, entry: Mapping) -> str:
        """The cell of a system, with the difference and its interval in brackets;
        ABSENT where nothing was measured."""
        value: Any = entry
        for key in self.keys:
            value = value.get(key) if value is not None else None
        if value is None:
            return ABSENT
        text = f"{self.factor * value:.{self.decimals}f}"
        found = entry.get(self.difference_key)
        if found is None:
            return text
        change, low, high = (
            f"{self.factor * found[key]:+.{self.decimals}f}"
            for key in ("value", "low", "high")
        )
        return f"{text} (Δ {change} [{low}, {high}])"

    def paper_cell(self, figures: Mapping[str, float]) -> str:
        """The cell of one of PAPER_SYSTEMS."""
        if self.paper_key is None:
            return ABSENT
        return f"{figures[self.paper_key]:.2f}"


COLUMNS = (
    Column(
        "kbps",
        "codebooks × log2(codes) × frames per second",
        ("codec", "bitrate_kbps"),
        paper_key="kbps",
    ),
    Column(
        "MOS (SQUIM)",
        "the paper's judge of quality",
        ("squim_mos", "mean"),
        difference_key="squim_mos_difference",
        paper_key="mos",
    ),
    Column(
        "DNSMOS",
        "estimated MOS, overall (P.835); Δ to the recordings, 95 % interval",
        ("dnsmos_overall", "mean"),
        difference_key="dnsmos_overall_difference",
    ),
    Column(
        "P.808",
        "estimated MOS as in P.808, by DNSMOS; Δ to the recordings, 95 % interval",
        ("dnsmos_p808", "mean"),
        difference_key="dnsmos_p808_difference",
    ),
    Column(
        "CER %",
        "wrong characters of the transcript, against the text; Δ in points to the "
        "recordings, 95 % interval",
        ("cer", "rate"),
        factor=100,
        difference_key="cer_difference",
        paper_key="cer",
    ),
    Column(
        "CER to recording %",
        "wrong characters, against the transcript of the recording",
        ("cer_to_original", "rate"),
        factor=100,
    ),
    Column(
        "SECS",
        "cosine of the speaker embeddings of a sentence and of its recording",
        ("secs", "mean"),
        paper_key="secs",
    ),
    Column(
        "SECS, other",
        "the same with another sentence's recording; that of the recordings is what "
        "two sentences of the voice have in common",
        ("secs_other", "mean"),
    ),
    Column("PESQ", "wide band, at most 4.64", ("pesq", "mean")),
    Column("STOI", "intelligibility, at most 1", ("stoi", "mean"), decimals=3),
    Column(
        "mel L1",
        "mean difference of natural log-mel magnitudes",
        ("mel_l1", "mean"),
        decimals=3,
    ),
    Column(
        "Codes used %",
        "share of the codes that occur, mean over the codebooks",
        ("codec", "utilisation"),
        factor=100,
        decimals=0,
    ),
    Column(
        "Entropy, bits",
        "of the codes of a frame, codebook by codebook",
        ("codec", "entropy_bits_per_frame"),
        decimals=1,
    ),
    Column(
        "of maximum %",
        "entropy over that of codes that are all used alike",
        ("codec", "entropy_share"),
        factor=100,
        decimals=0,
    ),
)


@dataclass(frozen=True)
class CodecTable:
    """Cells as texts.

    Attributes:
        columns: those that anything was measured in.
        rows: name and cells of each measured system.
        paper_rows: the same of the paper's.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    paper_rows: tuple[tuple[str, tuple[str, ...]], ...]


def make_table(systems: Mapping[str, Mapping]) -> CodecTable:
    """The table of `systems`, the part of that name in results.json."""
    columns = tuple(
        column
        for column in COLUMNS
        if column.paper_key
        or any(column.cell(entry) != ABSENT for entry in systems.values())
    )
    return CodecTable(
        columns,
        tuple(
            (name, tuple(column.cell(entry) for column in columns))
            for name, entry in systems.items()
        ),
        tuple(
            (name, tuple(column.paper_cell(figures) for column in columns))
            for name, figures in PAPER_SYSTEMS.items()
        ),
    )


def markdown_lines(table: CodecTable) -> list[str]:
    """The table in Markdown."""
    headings = ["codec", *(column.heading for column in table.columns)]
    lines = [f"|{'|'.join(headings)}|", f"|{'|'.join('---' for _ in headings)}|"]
    for name, cells in table.rows:
        lines.append(f"|{'|'.join([name, *cells])}|")
    for name, cells in table.paper_rows:
        lines.append(f"|{'|'.join([f'*{name}*', *cells])}|")
    return lines


def meanings(columns: Sequence[Column]) -> list[str]:
    """One line about each column."""
    return [f"{column.heading}: {column.meaning}" for column in columns]
