"""Results of a task of Full-Duplex-Bench: a file, a line a sample, and a table."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from espnet2_duplex.formats.files import write_json
from espnet2_duplex.jsonl import write_jsonl
from espnet2_duplex.metrics.full_duplex_bench.mode import REPAIRS, BenchCounts
from espnet2_duplex.metrics.full_duplex_bench.published import (
    COLUMNS,
    PUBLISHED,
    SOURCE,
    Column,
)
from espnet2_duplex.scoring.full_duplex_bench.files import BenchSample
from espnet2_duplex.scoring.full_duplex_bench.score import Scored
from espnet2_duplex.scoring.full_duplex_bench.task import ScoreOptions
from espnet2_duplex.scoring.full_duplex_bench.transcripts import RecogniserName

NUM_DECIMALS = 6  # what lies below is a division's noise


@dataclass(frozen=True)
class Sources:
    """Whose words and opinions the results depend on.

    Attributes:
        recognisers: who transcribed, None for who did not sign -> transcripts.
        judge: name of the language model, None where nobody judged.
    """

    recognisers: Counter[RecogniserName | None] = field(default_factory=Counter)
    judge: str | None = None


def count_subsets(
    samples: Sequence[BenchSample], scored: Scored
) -> dict[str, BenchCounts]:
    """Counts of each subset that has scored samples, by its name."""
    subsets: dict[str, BenchCounts] = {}
    for sample in samples:
        if sample.id in scored.scores:
            counts = scored.scores[sample.id].counts
            known = subsets.get(sample.subset)
            subsets[sample.subset] = counts if known is None else known + counts
    return subsets


def total_of(subsets: dict[str, BenchCounts]) -> BenchCounts | None:
    """Counts of all subsets together, None without any."""
    counts = list(subsets.values())
    return sum(counts[1:], start=counts[0]) if counts else None


def to_results(
    task: str,
    samples: Sequence[BenchSample],
    scored: Scored,
    options: ScoreOptions,
    sources: Sources,
) -> dict:
    """The content of results_<task>_<mode>.json.

    Args:
        task: its name.
        samples: all that were to be scored.
        scored: what came out.
        options: definitions.
        sources: who wrote what was scored, and judged it.
    """
    subsets = count_subsets(samples, scored)
    total = total_of(subsets)
    results = {
        "task": task,
        "mode": options.mode,
        "num_samples": len(samples),
        "num_scored": len(scored.scores),
        "problems": scored.problems,
        "recognisers": [
            {"recogniser": name and asdict(name), "num_transcripts": number}
            for name, number in sources.recognisers.most_common()
        ],
        "judge": sources.judge,
        "judge_problem": scored.judge_problem,
        "figures": None if total is None else total.figures(options.mode),
        "subsets": {
            name: counts.figures(options.mode) for name, counts in subsets.items()
        },
    }
    if options.mode == "fixed":
        results["repairs"] = list(REPAIRS[task])
        results["changes"] = [] if total is None else total.changes()
    results["options"] = asdict(options)
    results["counts"] = {name: counts.to_dict() for name, counts in subsets.items()}
    return _rounded(results)


def write_results(folder: Path, results: dict, scored: Scored) -> Path:
    """Write the results and a line a sample; each mode has its own files.

    Returns:
        The path of results_<task>_<mode>.json; samples_<task>_<mode>.jsonl is beside it.
    """
    name = f"{results['task']}_{results['mode']}"
    rows = [{"id": id, **_rounded(score.row)} for id, score in scored.scores.items()]
    rows += [{"id": id, "problem": text} for id, text in scored.problems.items()]
    rows.sort(key=lambda row: row["id"])
    write_jsonl(folder / f"samples_{name}.jsonl", rows)
    path = folder / f"results_{name}.json"
    write_json(path, results)
    return path


def to_table(results: dict, name: str) -> str:
    """Markdown: our row and the published ones.

    Args:
        results: as of `to_results`.
        name: of the system that was scored.
    """
    columns = COLUMNS[results["task"]]
    heads = ["system", *(column.heading for column in columns)]
    own = [f"**{name}** ({results['mode']})"]
    own += [_shown(_figure(results, column)) for column in columns]
    rows = [heads, ["---"] * len(heads), own]
    for system, values in PUBLISHED[results["task"]].items():
        cells = [_shown(value) for value in values]
        rows.append([system, *cells, *[""] * (len(columns) - len(cells))])
    lines = [f"| {' | '.join(row)} |" for row in rows]
    if PUBLISHED[results["task"]]:
        lines += ["", f"Other rows: {SOURCE}."]
    if results.get("changes"):
        lines += ["", "Repairs (--mode strict leaves them out):"]
        lines += [f"- {change}." for change in results["changes"]]
    return "\n".join(lines)


def _figure(results: dict, column: Column) -> float | None:
    """The figure of a column: of all samples, or of the subset that it shows."""
    if not column.subset:
        return (results["figures"] or {}).get(column.figure)
    found = [
        figures[column.figure]
        for name, figures in results["subsets"].items()
        if column.subset in name.lower()
    ]
    return found[0] if len(found) == 1 else None


def _shown(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _rounded(value):
    """JSON with its floats rounded."""
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(item) for item in value]
    return round(value, NUM_DECIMALS) if isinstance(value, float) else value
