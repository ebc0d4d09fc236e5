"""The cells of a CSV or TSV file, however a spreadsheet program wrote it."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable
from pathlib import Path

from HTSegmentationLib.cohort.manifest.case import ManifestError
from HTSegmentationLib.remark import Remark, Severity

_DELIMITERS = (",", ";", "\t")
"""Spreadsheet programs write any of these, by the country they are set to."""

_LARGEST_BYTES = 64 * 2**20
"""A hundred thousand cases with long paths take less."""

_LONGEST_CELL = 100_000
"""Letters in a cell; more is a quotation mark that was never closed, or no table of cases."""

_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?[ \t]*(?:\r\n|\n|\r)', re.IGNORECASE)
"""A first line by which Excel is told the delimiter."""

_BINARY = {b"PK\x03\x04": "an Excel workbook or another archive", b"\xd0\xcf\x11\xe0": "an old Excel workbook"}
"""What table programs write unless they are asked for CSV, by its first bytes."""

_ADVICE = "save it as CSV in UTF-8"


def read_cells(path: Path, suits: Callable[[list[str]], int]) -> tuple[list[list[str]], tuple[Remark, ...]]:
    """Reads all cells of a table.

    Args:
        path: CSV or TSV in UTF-8, in UTF-16 as Excel's "Unicode text", or in Windows' western code page.
        suits: Says of the first row's cells how much they look like the names that are wanted; decides the delimiter.

    Returns:
        The rows, empty ones as well, so that a row's place is the number that a spreadsheet program shows less one; and what
        was assumed.

    Raises:
        ManifestError: The file cannot be read, is too large or no table.
    """
    try:
        if path.is_file() and path.stat().st_size > _LARGEST_BYTES:
            raise ManifestError(path, f"it is larger than {_LARGEST_BYTES >> 20} MB, no table of cases is", "check its name")
        content = path.read_bytes()
    except OSError as error:
        raise ManifestError(
            path, f"it cannot be read ({(error.strerror or str(error)).lower()})", "check its name"
        ) from error
    text, remarks = _decoded(path, content)
    told = _SEPARATOR_LINE.match(text)
    if told:
        return _rows(path, text[told.end() :], told[1]), remarks
    tables = [_first_row(text, delimiter) for delimiter in _DELIMITERS]
    best = max(range(len(_DELIMITERS)), key=lambda number: (suits(tables[number]), len(tables[number])))
    return _rows(path, text, _DELIMITERS[best]), remarks


def _decoded(path: Path, content: bytes) -> tuple[str, tuple[Remark, ...]]:
    kind = next((kind for start, kind in _BINARY.items() if content.startswith(start)), None)
    if kind:
        raise ManifestError(path, f"it is {kind}, no CSV table", _ADVICE)
    try:
        if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return content.decode("utf-16"), ()
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = None
    if text is not None and "\0" not in text:
        return text, ()
    if b"\0" in content:
        raise ManifestError(path, "it is no text", _ADVICE)
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError as error:
        raise ManifestError(path, "it is neither UTF-8 nor Windows text", _ADVICE) from error
    said = f"{path.name} is not UTF-8 and was read as Windows text (code page 1252); check names with letters beyond a to z."
    return text, (Remark("manifest-code-page", said, Severity.CAUTION),)


def _first_row(text: str, delimiter: str) -> list[str]:
    try:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        return next((row for row in rows if any(cell.strip() for cell in row)), [])
    except csv.Error:
        return []


def _rows(path: Path, text: str, delimiter: str) -> list[list[str]]:
    earlier = csv.field_size_limit(_LONGEST_CELL)
    try:
        return [
            [cell.strip() for cell in row]
            for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        ]
    except csv.Error as error:
        raise ManifestError(path, f"it is no CSV table ({error})", "save it as CSV anew") from error
    finally:
        csv.field_size_limit(earlier)
