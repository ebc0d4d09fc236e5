"""Writes the tables of a batch: results, the same as Parquet, and times."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from HTSegmentationLib.cohort.batch.columns import LABEL_MARK, TEXTS, WHOLE_NUMBERS, YES_OR_NO
from HTSegmentationLib.cohort.cells import one_line, safe_cell
from HTSegmentationLib.errors import MissingPackageError
from HTSegmentationLib.files import write_text, written_whole


def write_csv(path: Path, rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Writes rows as CSV, whole or not at all; the same rows always give the same bytes.

    Args:
        path: The file.
        rows: Cells by column; None, and what a row lacks, is left empty.
        columns: The columns in their order.

    Raises:
        OutputError: The file cannot be written.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([_cell(name) for name in columns])
    writer.writerows([_cell(row.get(name)) for name in columns] for row in rows)
    write_text(path, text.getvalue())


def write_parquet(
    path: Path, rows: Sequence[Mapping[str, Any]], columns: Sequence[str], text_columns: Iterable[str]
) -> None:
    """Writes rows as Parquet: numbers, whole numbers, truth values and texts as such.

    Args:
        path: The file.
        rows: Cells by column.
        columns: The columns in their order.
        text_columns: Columns that hold text besides those that always do.

    Raises:
        OutputError: The file cannot be written.
        MissingPackageError: pyarrow is not installed.
    """
    pyarrow, parquet = require_parquet()
    texts = {*TEXTS, *text_columns}

    def kind(name: str) -> Any:
        if name in texts:
            return pyarrow.string()
        base = name.split(LABEL_MARK, 1)[0]
        if base in YES_OR_NO:
            return pyarrow.bool_()
        return pyarrow.int64() if base in WHOLE_NUMBERS else pyarrow.float64()

    arrays = [pyarrow.array([row.get(name) for row in rows], type=kind(name)) for name in columns]
    with written_whole(path) as temporary:
        parquet.write_table(pyarrow.table(arrays, names=list(columns)), temporary)


def require_parquet() -> tuple[Any, Any]:
    """The package pyarrow and its Parquet part.

    Raises:
        MissingPackageError: pyarrow is not installed.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise MissingPackageError("pyarrow", "to write Parquet", "report") from error
    return pyarrow, parquet


def write_timings(path: Path, seconds: Mapping[str, tuple[float, Mapping[str, float]]]) -> None:
    """Writes the time that each case took.

    Args:
        path: The file.
        seconds: For each case the time in s, and that of each stage.

    Raises:
        OutputError: The file cannot be written.
    """
    stages = list(dict.fromkeys(name for _, of_case in seconds.values() for name in of_case))
    rows = [
        {"case_id": case_id, "seconds": round(total, 3), **{name: round(part, 3) for name, part in of_case.items()}}
        for case_id, (total, of_case) in seconds.items()
    ]
    write_csv(path, rows, ["case_id", "seconds", *stages])


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return safe_cell(one_line(value) if isinstance(value, str) else value)
