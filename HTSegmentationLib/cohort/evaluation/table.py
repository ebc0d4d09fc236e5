"""A table of an evaluation: its numbers for programs, and how it reads on a screen or a page."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from HTSegmentationLib.cohort.cells import interval, mean_sd, number, p_value, safe_cell

PUBLISHED = "published"
"""Begins the source of rows that are taken from a paper."""

OWN = "this cohort"
"""The source of all other rows."""

_DIGITS = 9
"""Significant digits of a number for programs: more than are measured, fewer than adding up in another order changes."""

_MOST_ON_A_PAGE = 30
"""Rows of a table that is not cut by a page's end."""

Row = Mapping[str, Any]
"""One row: plain values by name."""


@dataclass(frozen=True)
class Column:
    """One column as it is read.

    Args:
        title: Its heading.
        show: Makes the cell's text of a row.
        is_number: Numbers stand to the right.
    """

    title: str
    show: Callable[[Row], str]
    is_number: bool = True


@dataclass(frozen=True)
class Table:
    """A table.

    Args:
        key: Its name for programs and files, in snake_case.
        title: Its heading.
        columns: The columns as they are read.
        rows: The values, which hold more than what is read; the value ``source`` tells where a row comes from.
        note: What a reader must know of it.
    """

    key: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    note: str = ""

    @property
    def is_short(self) -> bool:
        """Whether it fits on a page with room to spare."""
        return len(self.rows) <= _MOST_ON_A_PAGE

    def texts(self) -> list[list[str]]:
        """The cells as they are read, without the headings."""
        return [[column.show(row) for column in self.columns] for row in self.rows]

    def is_published(self, number: int) -> bool:
        """Whether a row (from 0) is taken from a paper."""
        return str(self.rows[number].get("source", OWN)).startswith(PUBLISHED)

    def as_dict(self) -> dict[str, Any]:
        """The table as plain values, for JSON."""
        rows = [{name: _plain(value) for name, value in row.items()} for row in self.rows]
        return {"title": self.title, "note": self.note, "rows": rows}

    def as_csv(self) -> str:
        r"""All values as CSV, for spreadsheets and statistics programs; what is not defined is empty.

        Example:
            >>> Table("t", "T", (), ({"group": "=PH", "dice": 0.5}, {"group": "HI2", "dice": None})).as_csv()
            "group,dice\n'=PH,0.5\nHI2,\n"
        """
        names = list(dict.fromkeys(name for row in self.rows for name in row))
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([safe_cell(name) for name in names])
        writer.writerows([safe_cell(_plain(row.get(name))) for name in names] for row in self.rows)
        return text.getvalue()


def text_column(title: str, name: str) -> Column:
    """A column that shows a text."""
    return Column(title, lambda row: str(row.get(name) or ""), is_number=False)


def number_column(title: str, name: str, decimals: int = 2, sign: bool = False) -> Column:
    """A column that shows a number."""
    return Column(title, lambda row: number(row.get(name), decimals, sign))


def mean_sd_column(title: str, name: str, decimals: int = 2) -> Column:
    """A column that shows the values ``<name>_mean`` and ``<name>_sd``."""
    return Column(title, lambda row: mean_sd(row.get(f"{name}_mean"), row.get(f"{name}_sd"), decimals))


def interval_column(title: str, name: str, decimals: int = 2) -> Column:
    """A column that shows the values ``<name>_low`` and ``<name>_high``."""
    return Column(title, lambda row: interval(row.get(f"{name}_low"), row.get(f"{name}_high"), decimals))


def p_column(title: str, name: str) -> Column:
    """A column that shows a p-value."""
    return Column(title, lambda row: p_value(row.get(name)))


def ends(interval_found: Any, name: str) -> dict[str, float | None]:
    """The ends of an interval as two values of a row; None where there is no interval."""
    return {
        f"{name}_low": None if interval_found is None else interval_found.low,
        f"{name}_high": None if interval_found is None else interval_found.high,
    }


def aligned(cells: Sequence[Sequence[str]], columns: Sequence[Column]) -> list[str]:
    """Lines of plain text in which the columns stand below each other, the headings first.

    Args:
        cells: Rows of texts, as :meth:`Table.texts` gives them.
        columns: The columns that go with them.
    """
    rows = [[column.title for column in columns], *(list(row) for row in cells)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(columns))]
    lines = []
    for row in rows:
        parts = [
            text.rjust(width) if column.is_number else text.ljust(width)
            for text, width, column in zip(row, widths, columns, strict=True)
        ]
        lines.append("  ".join(parts).rstrip())
    return lines


def _plain(value: Any) -> Any:
    """A value as JSON and CSV hold it; a number that is none becomes None."""
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else None
    return value
