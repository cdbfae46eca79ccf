"""Distributions and hours of a corpus as SVG pictures, one colour per source."""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count

import numpy as np

from espnet2_duplex.metrics.data_report.distribution import Distribution
from espnet2_duplex.metrics.data_report.statistics import SECONDS_PER_HOUR, CorpusCounts

# Light and dark by turns, so that neighbours differ without their hues; all show on
# white and on the dark page.
COLORS = (
    "#2f6f8f",
    "#e39b3c",
    "#3f8f4f",
    "#d98cc0",
    "#b8442f",
    "#5ab4c9",
    "#8a5a2b",
    "#9fb82f",
    "#7a56b8",
    "#e87a72",
)
OTHER_COLOR = "#98a1b0"
PART_COLORS = {  # of the hours
    "user": "#2f6f8f",
    "both": "#c9614f",
    "agent": "#e39b3c",
    "silence": "#dfe3ea",
}
STYLE = {
    "font.family": "sans-serif",
    "font.size": 8.5,
    "svg.fonttype": "none",  # texts stay texts: small files that can be searched
    "svg.hashsalt": "data",  # the same picture has the same bytes
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#98a1b0",
    "xtick.color": "#667085",
    "ytick.color": "#667085",
    "axes.labelcolor": "#667085",
}
MAX_BARS = 36
STEPS = (1, 2, 5)
HEADROOM = 1.12  # for the name of the mark, above the highest bar
OUTER_PERCENT = 0.5  # of the values at each end go into the outermost bars


@dataclass(frozen=True)
class Histogram:
    """What to draw.

    Attributes:
        axis: the unit of the values.
        by_source: source -> values.
        mark: a value to mark, for example the paper's.
        unit: width of the narrowest bar, in hundredths.
    """

    axis: str
    by_source: Mapping[str, Distribution]
    mark: float | None = None
    unit: int = 1

    @property
    def total(self) -> Distribution:
        """Over all sources."""
        return sum(self.by_source.values(), start=Distribution())


def source_colors(sources: Mapping[str, CorpusCounts]) -> dict[str, str]:
    """Source -> colour; the sources beyond the palette share one."""
    colors = dict.fromkeys(sources, OTHER_COLOR)
    colors.update(zip(sources, COLORS))
    return colors


def bar_grid(histogram: Histogram) -> tuple[int, int, int]:
    """First bar, last bar and width in hundredths; bar k is centred on k widths.

    The values of `OUTER_PERCENT` at each end stand in the first and the last bar, so
    that a single outlier does not flatten the rest.
    """
    total = histogram.total
    ends = [total.percentile(p) or 0.0 for p in (OUTER_PERCENT, 100 - OUTER_PERCENT)]
    if histogram.mark is not None:
        ends.append(histogram.mark)
    low, high = round(100 * min(ends)), round(100 * max(ends))
    width = next(
        width for width in _widths(histogram.unit) if (high - low) / width <= MAX_BARS
    )
    return _bar(low, width) - 1, _bar(high, width) + 1, width


def draw_histogram(histogram: Histogram, colors: Mapping[str, str]) -> str:
    """Stacked bars, one colour per source, as SVG."""
    import matplotlib
    from matplotlib.figure import Figure

    first, last, width = bar_grid(histogram)
    edges = (np.arange(first, last + 2) - 0.5) * width / 100
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(4.2, 2.3), layout="constrained")
        axes = figure.subplots()
        below = np.zeros(last + 1 - first, int)
        for source, values in histogram.by_source.items():
            above = below + _heights(values, first, last, width)
            axes.stairs(above, edges, baseline=below, fill=True, color=colors[source])
            below = above
        axes.set_xlim(edges[0], edges[-1])
        axes.set_ylim(0, HEADROOM * below.max())
        axes.set_xlabel(histogram.axis)
        if histogram.mark is not None:
            _mark(axes, histogram.mark)
        return _svg(figure)


def draw_hours(sources: Mapping[str, CorpusCounts]) -> str:
    """Horizontal bars of hours per source: user, both, agent, silence, as SVG."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(8.6, 0.9 + 0.34 * len(sources)), layout="constrained")
        axes = figure.subplots()
        names = [name.replace("$", r"\$") for name in reversed(sources)]
        lefts = [0.0] * len(names)
        for part, color in PART_COLORS.items():
            hours = [_parts(sources[name])[part] for name in reversed(sources)]
            axes.barh(names, hours, 0.66, lefts, color=color, label=part)
            lefts = [left + length for left, length in zip(lefts, hours)]
        for name, length in zip(names, lefts):
            axes.annotate(
                f"{length:.2f} h",
                (length, name),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
            )
        axes.set_xlabel("hours")
        axes.margins(x=0.1)
        figure.legend(loc="outside upper center", ncols=4, frameon=False)
        return _svg(figure)


def _heights(values: Distribution, first: int, last: int, width: int) -> np.ndarray:
    """How many values are in each bar, (bars,); those beyond are in the outermost."""
    heights = np.zeros(last + 1 - first, int)
    for value, number in values.hundredths.items():
        heights[min(max(_bar(value, width), first), last) - first] += number
    return heights


def _mark(axes, value: float) -> None:
    """A line at the paper's value, its name on the side that has more room."""
    low, high = axes.get_xlim()
    is_left = value < (low + high) / 2
    axes.axvline(value, color="#1c2430", linewidth=1, linestyle="--")
    axes.annotate(
        f"paper: {value:g}",
        (value, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(4 if is_left else -4, -2),
        textcoords="offset points",
        horizontalalignment="left" if is_left else "right",
        verticalalignment="top",
    )


def _parts(counts: CorpusCounts) -> dict[str, float]:
    """Hours in which only the user, both, only the agent, nobody has a turn."""
    both = counts.overlaps.sum
    seconds = {
        "user": counts.user_turns.sum - both,
        "both": both,
        "agent": counts.agent_turns.sum - both,
        "silence": counts.silence_seconds,
    }
    return {part: value / SECONDS_PER_HOUR for part, value in seconds.items()}


def _widths(unit: int) -> Iterator[int]:
    """Of bars, in hundredths: 1, 2, 5, 10, 20, ... units."""
    for power in count():
        yield from (step * 10**power * unit for step in STEPS)


def _bar(hundredths: int, width: int) -> int:
    """Bar that a value falls into."""
    return (2 * hundredths + width) // (2 * width)


def _svg(figure) -> str:
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()
