"""The cases of a batch: from a table in a file, or the one of the command line."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

from HTSegmentationLib.errors import InputError

REQUIRED_COLUMNS = ("case_id", "image", "roi")
"""Columns that every table of cases has."""

OPTIONAL_COLUMNS = ("reference",)
"""Columns that are used if they are there."""

ROI_SEPARATOR = "|"
"""Between several ROI files of one case; it can be in no file name on Windows."""

_DELIMITERS = ",;\t"
"""Spreadsheet programs write any of these, by the country they are set to."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
"""What a case may be called: it becomes part of file names on any system."""

_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
"""Names that Windows keeps for devices."""


@dataclass(frozen=True)
class Case:
    """One scan to segment.

    Args:
        name: What it is called in the table of results, and in file names.
        image: The CT: a volume file, or a DICOM file or folder.
        rois: Markups and masks; their union counts.
        box: The ROI as a box instead, LPS mm: x0, x1, y0, y1, z0, z1.
        slices: First and last slice that the ROI is cut to, counted from 1 at the lowest.
        series: Which DICOM series, where there are several.
        reference: A mask that the result is compared with.
    """

    name: str
    image: str
    rois: tuple[str, ...] = ()
    box: tuple[float, ...] | None = None
    slices: tuple[int, int] | None = None
    series: str | None = None
    reference: str | None = None

    def inputs(self) -> list[str]:
        """All files that it reads."""
        return [path for path in (self.image, *self.rois, self.reference) if path]


def readCases(path: str | Path) -> tuple[list[Case], list[str]]:
    """Reads a table of cases.

    Args:
        path: CSV in UTF-8 with a line of column names: case_id, image, roi, and reference if wanted; comma, semicolon or
            tab between columns. Paths are relative to the file's folder. Several ROIs are separated by ``|``.

    Returns:
        The cases in the file's order, and the names of columns that are not used. A case whose image or ROI is left empty
        is among them, since it must not keep the others from being done.

    Raises:
        InputError: The file cannot be read, a column is missing, or a case_id is missing, doubled, or unfit for file names.

    Example:
        >>> cases, unused = readCases("cases.csv")   # doctest: +SKIP
    """
    file = Path(path)
    rows = csv.reader(io.StringIO(_text(file), newline=""), delimiter=_delimiter(_text(file)))
    try:
        numbered = [(rows.line_num, row) for row in rows if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise InputError(file, f"it is no CSV table ({error})", "save it as CSV anew") from error
    columns = [name.strip().lower() for name in numbered[0][1]] if numbered else []
    missing = [name for name in REQUIRED_COLUMNS if name not in columns]
    if missing:
        advice = f"its first line must be {','.join(REQUIRED_COLUMNS)} and may have {','.join(OPTIONAL_COLUMNS)}"
        raise InputError(file, f"it has no column {', '.join(missing)}", advice)
    used = REQUIRED_COLUMNS + OPTIONAL_COLUMNS
    doubled = sorted({name for name in columns if name in used and columns.count(name) > 1})
    if doubled:
        raise InputError(file, f"it has the column {', '.join(doubled)} twice", "take one away")
    cases: list[Case] = []
    seen: dict[str, int] = {}
    for line, row in numbered[1:]:
        cells = dict(zip(columns, (cell.strip() for cell in row), strict=False))
        name = _checkedName(file, line, cells.get("case_id", ""), seen)
        cases.append(_case(file.parent, name, cells))
    if not cases:
        raise InputError(file, "it has no case below its column names", "add a line for each case")
    return cases, [name for name in columns if name and name not in used]


def _case(folder: Path, name: str, cells: dict[str, str]) -> Case:
    rois = [part.strip() for part in cells.get("roi", "").split(ROI_SEPARATOR)]
    return Case(
        name=name,
        image=_within(folder, cells.get("image", "")),
        rois=tuple(_within(folder, part) for part in rois if part),
        reference=_within(folder, cells.get("reference", "")) or None,
    )


def _within(folder: Path, path: str) -> str:
    return str(folder / path) if path else ""


def _checkedName(file: Path, line: int, name: str, seen: dict[str, int]) -> str:
    """The name, if a file can be called so; ``seen`` holds the lines of all names before it."""
    if not _NAME.fullmatch(name) or name.endswith(".") or _RESERVED.fullmatch(name):
        advice = "use up to 100 letters, digits, '.', '_' and '-', beginning with a letter or digit"
        raise InputError(file, f"line {line}: case_id {name[:100]!r} cannot be part of a file name", advice)
    before = seen.setdefault(name.casefold(), line)
    if before != line:
        raise InputError(file, f"lines {before} and {line} have the same case_id {name!r}", "give each case its own")
    return name


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(file, f"it cannot be read ({(error.strerror or str(error)).lower()})", "check its name") from error
    except UnicodeDecodeError as error:
        raise InputError(file, "it is not UTF-8 text", "save it as CSV in UTF-8") from error


def _delimiter(text: str) -> str:
    header = text.partition("\n")[0]
    return max(_DELIMITERS, key=header.count)
