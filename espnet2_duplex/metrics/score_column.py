"""A column of the tables of scores."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from espnet2_duplex.metrics.page_parts import ABSENT, Heading
from espnet2_duplex.metrics.score_definitions import definitions_of


@dataclass(frozen=True)
class Column:
    """A figure of a set.

    Attributes:
        heading: with the unit.
        meaning: its definition in one line; names of `definitions_of` in braces stand
            for what a set was scored with.
        keys: where the value stands in results.json.
        factor: from there to the unit.
        decimals: of the cell.
        dull: a value that is worth no column if all sets have it or none at all.
    """

    heading: str
    meaning: str
    keys: tuple[str, ...]
    factor: float = 1
    decimals: int = 0
    dull: float | None = None

    def value(self, results: Mapping) -> float | None:
        """In the unit of results.json; None where it was not measured."""
        value: Any = results
        for key in self.keys:
            value = value.get(key) if isinstance(value, Mapping) else None
        return value

    def cell(self, results: Mapping) -> str:
        """In the unit of the heading; ABSENT where it was not measured."""
        value = self.value(results)
        return ABSENT if value is None else f"{self.factor * value:.{self.decimals}f}"

    def header(self, results: Mapping) -> Heading:
        """For a table of a page.

        Args:
            results: whose definitions the meaning states.
        """
        return Heading(self.heading, self.meaning.format(**definitions_of(results)))


def percent_column(heading: str, meaning: str, *keys: str) -> Column:
    """A fraction as percent."""
    return Column(heading, meaning, keys, 100, 1)


def hundredths_column(heading: str, meaning: str, *keys: str) -> Column:
    """To a hundredth: seconds, or a score or rate of that kind."""
    return Column(heading, meaning, keys, 1, 2)
