"""Reads what a batch wrote: its table, its times and its settings; writes such a table of masks from elsewhere."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from HTSegmentationLib.cohort.cells import one_line, safe_cell, unsafe_cell
from HTSegmentationLib.cohort.evaluation.results import RECORDS_FOLDER, CaseResult, MethodResults, case_result, labels_of
from HTSegmentationLib.errors import InputError, MissingPackageError
from HTSegmentationLib.files import write_text

RESULTS_FILE, PARQUET_FILE, TIMINGS_FILE, SETTINGS_FILE = "results.csv", "results.parquet", "timings.csv", "batch.json"

_LONGEST_CELL = 1_000_000
"""Letters in a cell; a longer one is no table of results."""

_LEADING, _CLOSING = ("case_id", "status", "error", "ht_type", "method", "volume_ml"), ("remark_codes", "remarks")
"""Columns that stand first and last, whatever a case lacks."""

_ADVICE = "give the results.csv of a batch, or its folder"


def read_results(source: str | Path, name: str | None = None) -> MethodResults:
    """Reads the results of a batch.

    Args:
        source: Its ``results.csv`` or ``results.parquet``, or the folder that holds one of them.
        name: What the tables call it; the method's name if None.

    Raises:
        InputError: The file is missing or cannot be read, lacks the columns ``case_id`` and ``status``, names a case twice,
            or holds text where a number belongs.
        MissingPackageError: pyarrow is needed for a Parquet file and is not installed.

    Example:
        >>> read_results("batch-of-june").failures   # doctest: +SKIP
    """
    path = _table_path(Path(source))
    rows = _parquet_rows(path) if path.suffix.lower() == ".parquet" else _csv_rows(path)
    cases = tuple(_case(path, line, row) for line, row in enumerate(rows, start=2))
    _require_single(path, cases)
    methods = list(dict.fromkeys(case.text("method") for case in cases if case.text("method")))
    folder = path.parent
    settings = _settings(folder / SETTINGS_FILE)
    method = methods[0] if methods else str(settings.get("method", ""))
    return MethodResults(
        name=one_line(name or method) or folder.resolve().name,
        cases=cases,
        method=method,
        labels=labels_of(cases),
        seconds=_seconds(folder / TIMINGS_FILE),
        settings=settings,
        folder=folder if (folder / RECORDS_FOLDER).is_dir() else None,
        remarks=(f"The table {path.name} holds results of {len(methods)} methods.",) if len(methods) > 1 else (),
    )


def holds_results(path: str | Path) -> bool:
    """Whether this is a table of results or a folder that holds one, rather than a folder of masks."""
    source = Path(path)
    return not source.is_dir() or any((source / name).is_file() for name in (RESULTS_FILE, PARQUET_FILE))


def write_results(method: MethodResults, path: str | Path) -> None:
    """Writes results as a batch writes them, so that they can be evaluated again.

    Args:
        method: The results.
        path: The CSV file; its folder must be there.

    Raises:
        OutputError: The file cannot be written.
    """
    names = list(dict.fromkeys([*_LEADING, *(name for case in method.cases for name in case.texts if name not in _CLOSING)]))
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([safe_cell(name) for name in (*names, *_CLOSING)])
    for case in method.cases:
        writer.writerow(
            [
                case.texts.get(name, "") if name in case.numbers else safe_cell(case.texts.get(name))
                for name in (*names, *_CLOSING)
            ]
        )
    write_text(path, text.getvalue())


def _table_path(source: Path) -> Path:
    if not source.exists():
        raise InputError(source, "there is no such file or folder", _ADVICE)
    if not source.is_dir():
        return source
    for name in (RESULTS_FILE, PARQUET_FILE):
        if (source / name).is_file():
            return source / name
    raise InputError(source, f"it holds no {RESULTS_FILE}", _ADVICE)


def _csv_rows(path: Path) -> list[dict[str, str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(path, f"it cannot be read ({(error.strerror or str(error)).lower()})", "check it") from error
    except UnicodeDecodeError as error:
        raise InputError(path, "it is no text in UTF-8", _ADVICE) from error
    earlier = csv.field_size_limit(_LONGEST_CELL)
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        rows = list(reader)
    except csv.Error as error:
        raise InputError(path, f"it is no CSV table ({error})", _ADVICE) from error
    finally:
        csv.field_size_limit(earlier)
    _require_columns(path, list(reader.fieldnames or []))
    for line, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise InputError(path, f"row {line} has more or fewer cells than there are columns", "write the table anew")
    return rows


def _parquet_rows(path: Path) -> list[dict[str, Any]]:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError as error:
        raise MissingPackageError("pyarrow", f"to read {path.name}", "report") from error
    try:
        table = parquet.read_table(path)
    except (OSError, ArrowException) as error:
        raise InputError(path, "it cannot be read as Parquet", _ADVICE) from error
    _require_columns(path, table.column_names)
    return table.to_pylist()


def _require_columns(path: Path, names: list[str]) -> None:
    missing = [name for name in ("case_id", "status") if name not in names]
    if missing:
        raise InputError(path, f"it has no column {' and no column '.join(missing)}", _ADVICE)


def _case(path: Path, line: int, row: Mapping[str, Any]) -> CaseResult:
    case = case_result(row, path=path, line=line)
    if not case.case_id:
        raise InputError(path, f"row {line} has no case_id", "name every case")
    return case


def _require_single(path: Path, cases: tuple[CaseResult, ...]) -> None:
    seen: set[str] = set()
    for case in cases:
        if case.case_id in seen:
            problem = f"the case {one_line(case.case_id)} stands in it twice"
            raise InputError(path, problem, "keep one row of each case; several methods go into tables of their own")
        seen.add(case.case_id)


def _settings(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(path, "it cannot be read as JSON", "run the batch again or take the file away") from error
    return settings if isinstance(settings, dict) else {}


def _seconds(path: Path) -> dict[str, float]:
    """Seconds of each case; those that cannot be read are left out, since no result depends on them."""
    if not path.is_file():
        return {}
    found = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            try:
                seconds = float(row.get("seconds") or "nan")
            except ValueError:
                continue
            if math.isfinite(seconds) and row.get("case_id"):
                found[unsafe_cell(row["case_id"])] = seconds
    return found
