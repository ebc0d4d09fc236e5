"""An evaluation in plain text, for a terminal."""

from __future__ import annotations

import textwrap
from itertools import groupby

from HTSegmentationLib.cohort.evaluation.evaluate import Evaluation
from HTSegmentationLib.cohort.evaluation.table import Column, Table, aligned

_WIDTH = 110
"""Sentences are wrapped here."""

_LONGEST_CELL = 44
"""Letters of a cell; all of it is in the CSV."""

_MOST_ROWS = 40
"""Rows of a table on a terminal; all of them are in the CSV."""


def evaluation_words(evaluation: Evaluation) -> list[str]:
    """All tables as lines of text, what must be said of the cases before them.

    Args:
        evaluation: The evaluation.

    Returns:
        Lines without line ends.
    """
    lines = [line for remark in evaluation.remarks for line in textwrap.wrap(remark, _WIDTH, subsequent_indent="  ")]
    for table in evaluation.tables:
        lines += ["", *table_words(table)]
    return lines


def table_words(table: Table) -> list[str]:
    """One table: its title, the cells in columns, published rows under the name of their source, and the note."""
    cells = [[_short(cell, column) for cell, column in zip(row, table.columns, strict=True)] for row in table.texts()]
    heading, *body = aligned(cells, table.columns)
    lines = [table.title, heading]
    for source, numbers in groupby(range(len(body)), key=lambda number: str(table.rows[number].get("source", ""))):
        rows = list(numbers)
        if rows[0] >= _MOST_ROWS:
            break
        if table.is_published(rows[0]):
            lines.append(f"  {source}:")
        lines += [body[number] for number in rows if number < _MOST_ROWS]
    if len(body) > _MOST_ROWS:
        lines.append(f"  and {len(body) - _MOST_ROWS} more rows, in {table.key}.csv of --output")
    return [*lines, *textwrap.wrap(table.note, _WIDTH, initial_indent="  ", subsequent_indent="  ")]


def _short(cell: str, column: Column) -> str:
    if column.is_number or len(cell) <= _LONGEST_CELL:
        return cell
    return cell[: _LONGEST_CELL - 3] + "..."
