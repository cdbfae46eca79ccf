"""Distributions of times and intervals of rates as SVG."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor

from espnet2_duplex.metrics.page_parts import ABSENT
from espnet2_duplex.metrics.score_page.estimates import Estimate, Times

WIDTH, LEFT, RIGHT = 360, 30, 14
TOP, BARS_HEIGHT, BOTTOM = 42, 96, 24
BIN_SECONDS = 0.08  # one frame
MIN_SECONDS, MAX_SECONDS = -2.0, 4.0  # what lies beyond is in the outermost bars
RATE_ROW, RATE_LEFT, RATE_RIGHT = 26, 8, 8
RATE_TICKS = (0, 25, 50, 75, 100)


@dataclass(frozen=True)
class TimeAxis:
    """An axis of whole bars.

    Attributes:
        first: its first bar; bar k begins at k times BIN_SECONDS.
        last: its last bar.
        marks: seconds of dashed lines.
    """

    first: int
    last: int
    marks: tuple[float, ...] = ()

    @staticmethod
    def around(seconds: Sequence[float], marks: Sequence[float] = ()) -> "TimeAxis":
        """From 0 or the smallest value to 1.6 s or the largest, at most MIN to MAX.

        All marks are on it.
        """
        low = max(min((0.0, *seconds)), MIN_SECONDS)
        high = min(max((1.6, *seconds)), MAX_SECONDS)
        high = max((high, *(mark + BIN_SECONDS for mark in marks)))
        first, last = floor(low / BIN_SECONDS), ceil(high / BIN_SECONDS)
        return TimeAxis(first, last, tuple(marks))

    @property
    def pixels_per_bar(self) -> float:
        """Width of a bar."""
        return (WIDTH - LEFT - RIGHT) / (self.last + 1 - self.first)

    def x(self, seconds: float) -> float:
        """Pixels from the left of the picture; what lies beyond is at the ends."""
        bars = min(max(seconds / BIN_SECONDS, self.first), self.last + 1)
        return round(LEFT + (bars - self.first) * self.pixels_per_bar, 1)

    def heights(self, seconds: Sequence[float]) -> list[int]:
        """How many values are in each bar."""
        counts = [0] * (self.last + 1 - self.first)
        for value in seconds:
            # Half a microsecond, so that a value on an edge is above it.
            bar = floor((value + 5e-7) / BIN_SECONDS)
            counts[min(max(bar, self.first), self.last) - self.first] += 1
        return counts


def draw_times(name: str, times: Times, axis: TimeAxis) -> str:
    """Stacked bars of one frame's width, their mean with its interval, as a figure.

    Args:
        name: of the set.
        times: of the set; at least one.
        axis: the same for all sets, so that they can be compared.
    """
    num = sum(map(len, times.groups.values()))
    caption = f"{escape(name)} <small>({num})</small>"
    label = f"{name}: {num} times, " + "; ".join(map(estimate_text, times.means))
    parts = [*_bars(times, axis), *_marks(axis), *_mean(times, axis), *_ticks(axis)]
    height = TOP + BARS_HEIGHT + BOTTOM
    texts = "".join(f"<li>{escape(estimate_text(each))}</li>" for each in times.means)
    return (
        f"<figure><figcaption>{caption}</figcaption>"
        f'<svg class="plot" role="img" aria-label="{escape(label)}" '
        f'viewBox="0 0 {WIDTH} {height}">{"".join(parts)}</svg><ul>{texts}</ul></figure>'
    )


def draw_rates(name: str, by_set: Mapping[str, Estimate | None]) -> str:
    """A rate of every set as a dot, its interval as a line, as a figure."""
    height = RATE_ROW * len(by_set) + 22
    scale = (WIDTH - RATE_LEFT - RATE_RIGHT) / 100
    parts = []
    for tick in RATE_TICKS:
        x = RATE_LEFT + tick * scale
        anchor = {0: "start", 100: "end"}.get(tick, "middle")
        parts.append(f'<path class="grid" d="M{x:.1f} 0V{height - 18}"/>')
        parts.append(_text(x, height - 5, f"{tick} %", anchor))
    for row, (set_name, estimate) in enumerate(by_set.items()):
        y = RATE_ROW * row + 19
        text = estimate_text(estimate, percent=True) if estimate else ABSENT
        parts.append(_text(RATE_LEFT, y - 6, f"{set_name}: {text}"))
        if estimate:
            low, x, high = (
                RATE_LEFT + 100 * value * scale
                for value in (estimate.low, estimate.value, estimate.high)
            )
            parts.append(f'<path class="mean" d="M{low:.1f} {y}H{high:.1f}"/>')
            parts.append(f'<circle class="mean" cx="{x:.1f}" cy="{y}" r="3.5"/>')
    label = f"{name} of each set with 95 % intervals"
    return (
        f"<figure><figcaption>{escape(name)}</figcaption>"
        f'<svg class="plot" role="img" aria-label="{escape(label)}" '
        f'viewBox="0 0 {WIDTH} {height}">{"".join(parts)}</svg></figure>'
    )


def estimate_text(estimate: Estimate, *, percent: bool = False) -> str:
    """For example ``mean 0.69 s [0.66, 0.72] of 149``."""
    factor, unit, decimals = (100, "%", 1) if percent else (1, "s", 2)
    value, low, high = (
        f"{factor * each:.{decimals}f}"
        for each in (estimate.value, estimate.low, estimate.high)
    )
    name = "" if percent else f"{estimate.name} "
    return f"{name}{value} {unit} [{low}, {high}] of {estimate.num}"


def css_name(group: str) -> str:
    """Class of a group's bars."""
    return "g-" + group.replace(" ", "-")


def _bars(times: Times, axis: TimeAxis) -> Iterator[str]:
    columns = {group: axis.heights(values) for group, values in times.groups.items()}
    highest = max(map(sum, zip(*columns.values())))
    pixels = BARS_HEIGHT / highest
    base = TOP + BARS_HEIGHT
    yield f'<path class="grid" d="M{LEFT} {TOP}H{WIDTH - RIGHT}"/>'
    yield _text(LEFT - 4, TOP + 4, str(highest), "end")
    below = [0] * (axis.last + 1 - axis.first)
    for group, heights in columns.items():
        path = "".join(
            f"M{LEFT + bar * axis.pixels_per_bar:.1f} {base - low * pixels:.1f}"
            f"v{-height * pixels:.1f}h{axis.pixels_per_bar - 0.6:.1f}"
            f"v{height * pixels:.1f}z"
            for bar, (low, height) in enumerate(zip(below, heights))
            if height
        )
        below = [low + height for low, height in zip(below, heights)]
        if path:
            title = f"<title>{escape(group)}: {sum(heights)}</title>"
            yield f'<path class="{css_name(group)}" d="{path}">{title}</path>'


def _marks(axis: TimeAxis) -> Iterator[str]:
    for seconds in axis.marks:
        x = axis.x(seconds)
        yield f'<path class="mark" d="M{x} {TOP - 12}V{TOP + BARS_HEIGHT}"/>'
        yield _text(x, TOP - 16, f"{seconds:g} s", "middle")


def _mean(times: Times, axis: TimeAxis) -> Iterator[str]:
    """The first mean, above everything."""
    for estimate in times.means[:1]:
        low, x, high = (
            axis.x(each) for each in (estimate.low, estimate.value, estimate.high)
        )
        title = f"<title>{escape(estimate_text(estimate))}</title>"
        yield f'<path class="mean" d="M{low} 10H{high}M{low} 5v10M{high} 5v10"/>'
        yield f'<circle class="mean" cx="{x}" cy="10" r="2.6">{title}</circle>'


def _ticks(axis: TimeAxis) -> Iterator[str]:
    base = TOP + BARS_HEIGHT
    yield f'<path class="axis" d="M{LEFT} {base}H{WIDTH - RIGHT}"/>'
    low, high = axis.first * BIN_SECONDS, axis.last * BIN_SECONDS
    step = 0.5 if high - low <= 4 else 1.0
    for number in range(ceil(low / step), floor(high / step) + 1):
        x = axis.x(number * step)
        yield f'<path class="axis" d="M{x} {base}v4"/>'
        yield _text(x, base + 16, f"{number * step:g} s", "middle")


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y}" text-anchor="{anchor}">{escape(text)}</text>'
