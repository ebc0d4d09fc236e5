"""Reads a table of cases and checks it as a whole, so that everything can be mended at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from HTSegmentationLib.cohort.manifest.case import (
    KNOWN_COLUMNS,
    REQUIRED_COLUMNS,
    ROI_COLUMN,
    ROI_SEPARATOR,
    Case,
    Manifest,
    ManifestError,
    Problem,
)
from HTSegmentationLib.cohort.manifest.case_ids import id_problem, shown
from HTSegmentationLib.cohort.manifest.checks import file_problems
from HTSegmentationLib.cohort.manifest.spreadsheet import read_cells

_TYPES = ("HI1", "HI2", "PH1", "PH2")
"""The Heidelberg classes of hemorrhagic transformation, as they are written."""

_HEADER_ROW = 1


def read_manifest(path: str | Path, *, needs_roi: bool) -> Manifest:
    """Reads a table of cases.

    The columns are case_id and image and, if there are such, roi, reference, ht_type, baseline, baseline_roi and series;
    capital letters and spaces in their names do not matter. All others are kept as they are. Comma, semicolon or tab stand
    between columns; paths are relative to the table's folder; several ROIs of a case are separated by ``|``.

    Args:
        path: CSV or TSV, as spreadsheet programs write it.
        needs_roi: Whether a case without an ROI cannot be worked on.

    Returns:
        The table with all its problems: missing columns and files, names that are empty, doubled or unfit for file names,
        missing ROIs, and cells that cannot be meant so.

    Raises:
        ManifestError: The file cannot be read, or holds no case at all.

    Example:
        >>> manifest = read_manifest("cohort.csv", needs_roi=True)       # doctest: +SKIP
        >>> manifest.require_sound()                                     # doctest: +SKIP
        >>> [case.case_id for case in manifest.cases]                    # doctest: +SKIP
        ['hi2-01', 'ph-01']
    """
    file = Path(path)
    rows, remarks = read_cells(file, lambda cells: sum(_column(cell) in KNOWN_COLUMNS for cell in cells))
    numbered = [(number, row) for number, row in enumerate(rows, start=_HEADER_ROW) if any(row)]
    if not numbered:
        raise ManifestError(file, "it is empty", "write case_id,image,roi into its first line and a line for each case")
    header_row, header = numbered[0]
    names = [_column(cell) for cell in header]
    if not set(names) & set(KNOWN_COLUMNS):
        advice = f"its first line must be {','.join((*REQUIRED_COLUMNS, ROI_COLUMN))}; more columns may follow"
        raise ManifestError(file, "its first line holds no column name that is known", advice)
    if len(numbered) == 1:
        raise ManifestError(file, "it has no case below its column names", "add a line for each case")
    problems = [Problem(header_row, "", text) for text in _column_problems(names, needs_roi)]
    ids = Counter(_cell(names, row, "case_id").casefold() for _, row in numbered[1:])
    table = _Table(file.absolute().parent, tuple(names), ids, needs_roi and ROI_COLUMN in names)
    cases = []
    for number, row in numbered[1:]:
        case = _case(number, row, table)
        cases.append(case)
        problems += [Problem(number, case.case_id, text) for text in case.problems]
    columns = tuple(dict.fromkeys(name for name in names if name))
    return Manifest(file, tuple(cases), columns, tuple(problems), remarks)


def _column(cell: str) -> str:
    """A known column's name as it is known, any other as it is written."""
    name = "_".join(cell.lower().replace("-", " ").replace("_", " ").split())
    return name if name in KNOWN_COLUMNS else " ".join(cell.split())


def _column_problems(names: Sequence[str], needs_roi: bool) -> list[str]:
    needed = (*REQUIRED_COLUMNS, ROI_COLUMN) if needs_roi else REQUIRED_COLUMNS
    texts = [f"there is no column {name}; add it" for name in needed if name not in names]
    texts += [
        f"the column {shown(name)!r} stands there {count} times; keep one"
        for name, count in Counter(names).items()
        if name and count > 1
    ]
    return texts


def _cell(names: Sequence[str], row: Sequence[str], name: str) -> str:
    """The first cell of that name; empty where there is none."""
    place = names.index(name) if name in names else len(row)
    return row[place] if place < len(row) else ""


@dataclass(frozen=True)
class _Table:
    """What is the same for all rows: folder, columns, how often each case_id occurs, whether an ROI is needed."""

    folder: Path
    names: tuple[str, ...]
    ids: Mapping[str, int]
    needs_roi: bool


def _case(number: int, row: Sequence[str], table: _Table) -> Case:
    folder, names = table.folder, table.names
    cells = {name: _cell(names, row, name) for name in KNOWN_COLUMNS}
    problems, name = _id_problems(cells["case_id"], number, table.ids) if "case_id" in names else ([], f"(row {number})")
    problems += _shape_problems(names, row)
    case = Case(
        row=number,
        case_id=name,
        image=folder / cells["image"],
        roi=_each_within(folder, cells["roi"]),
        reference=folder / cells["reference"] if cells["reference"] else None,
        baseline=folder / cells["baseline"] if cells["baseline"] else None,
        baseline_roi=_each_within(folder, cells["baseline_roi"]),
        ht_type=_type(cells["ht_type"]),
        series=cells["series"] or None,
        written={column: cells[column] for column in ("image", "roi", "reference", "baseline", "baseline_roi")},
        extra={column: _cell(names, row, column) for column in names if column and column not in KNOWN_COLUMNS},
    )
    if "image" in names:
        problems += file_problems(case, needs_roi=table.needs_roi)
    return replace(case, problems=tuple(problems))


def _id_problems(name: str, row: int, ids: Mapping[str, int]) -> tuple[list[str], str]:
    """What is wrong with a name, and what the case is called."""
    wrong = id_problem(name)
    if wrong is None and ids[name.casefold()] > 1:
        wrong = f"{ids[name.casefold()]} rows have the case_id {name!r} (capital letters do not count); give each its own"
    return ([wrong], f"{shown(name)} (row {row})".strip()) if wrong else ([], name)


def _shape_problems(names: Sequence[str], row: Sequence[str]) -> list[str]:
    nameless = [place for place, cell in enumerate(row) if cell and (place >= len(names) or not names[place])]
    return [f"its cell {place + 1} ({shown(row[place])!r}) stands in no named column" for place in nameless]


def _type(cell: str) -> str:
    return cell.upper() if cell.upper() in _TYPES else " ".join(cell.split())


def _each_within(folder: Path, cell: str) -> tuple[Path, ...]:
    return tuple(folder / part.strip() for part in cell.split(ROI_SEPARATOR) if part.strip())
