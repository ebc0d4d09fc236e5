"""Writes a table of cases."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from HTSegmentationLib.files import write_text

_FORMULA_STARTS = ("=", "+", "-", "@")
"""A spreadsheet program takes text that begins so for a formula."""


def write_manifest(path: str | Path, rows: Sequence[Mapping[str, str]], columns: Sequence[str]) -> None:
    """Writes a table of cases, whole or not at all.

    Args:
        path: The CSV file; its folder must be there.
        rows: The cells of each case by column; what a row lacks is left empty.
        columns: The columns in their order; cells of others are left out.

    Raises:
        OutputError: The file cannot be written.

    Example:
        >>> rows = [{"case_id": "ph-01", "image": "ph-01/ct.nii.gz"}]
        >>> write_manifest("/tmp/cohort.csv", rows, ("case_id", "image"))   # doctest: +SKIP
    """
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())


def relative_path(path: Path, manifest: Path) -> str:
    """A file's path as the table has it: relative to the table where both lie on one drive, with slashes.

    Example:
        >>> relative_path(Path("/data/ph-01/ct.nii.gz"), Path("/data/cohort.csv"))
        'ph-01/ct.nii.gz'
    """
    try:
        text = Path(os.path.relpath(path.absolute(), manifest.absolute().parent)).as_posix()
    except ValueError:
        return path.absolute().as_posix()
    return f"./{text}" if text.startswith(_FORMULA_STARTS) else text
