"""The measurements of all cases as one CSV table."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path
from typing import Any

from HTSegmentationLib.files import write_text

LEADING_COLUMNS = ("case_id", "status", "seconds")
"""Columns that every row has, first."""

CLOSING_COLUMNS = ("remarks", "error")
"""Columns that every row has, last."""

_SCENE_COLUMNS = ("Volume", "Segmentation", "VolumeID", "SegmentationID", "SegmentID")
"""Columns of the table node that tell which nodes of their scene they are about."""

_DECIMALS = 6
"""Finer than one voxel's share of any measurement, and coarser than what adding up in another order changes."""

_FORMULA_STARTS = ("=", "+", "-", "@", "\t")
"""A spreadsheet program takes text that begins so for a formula and runs it."""


def rowOf(tableNode: Any, row: int) -> dict[str, Any]:
    """One row of a table node, by its columns' names; without those that only its own scene understands."""
    table = tableNode.GetTable()
    columns = [table.GetColumn(number) for number in range(table.GetNumberOfColumns())]
    return {column.GetName(): column.GetValue(row) for column in columns if column.GetName() not in _SCENE_COLUMNS}


def writeResults(path: Path, rows: list[dict[str, Any]]) -> None:
    """Writes all rows, whole or not at all; columns that a row lacks are left empty.

    Raises:
        OutputError: The file cannot be written.
    """
    between = dict.fromkeys(name for row in rows for name in row if name not in LEADING_COLUMNS + CLOSING_COLUMNS)
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, [*LEADING_COLUMNS, *between, *CLOSING_COLUMNS], lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    write_text(path, text.getvalue())


def _cell(value: Any) -> Any:
    """Text of which nobody knows what it holds is kept from being a formula; what is no number is left empty."""
    if isinstance(value, float):
        return "" if math.isnan(value) else round(value, _DECIMALS)
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS) and not _isNumber(value):
        return f"'{value}"
    return value


def _isNumber(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
