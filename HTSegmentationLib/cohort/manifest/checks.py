"""What can be said of a case's files without reading them."""

from __future__ import annotations

import os
from pathlib import Path

from HTSegmentationLib.cohort.manifest.case import ROI_SEPARATOR, Case
from HTSegmentationLib.cohort.manifest.case_ids import shown


def file_problems(case: Case, *, needs_roi: bool) -> list[str]:
    """What is wrong with the files that a row names.

    Args:
        case: The case as it was read.
        needs_roi: Whether a case without an ROI cannot be worked on.

    Returns:
        Texts for the user; empty if nothing is wrong.
    """
    problems = []
    if not case.written["image"]:
        problems.append("image is empty; name the CT")
    elif (missing := _missing("image", case.image, case.written["image"])) is not None:
        problems.append(missing)
    problems += _roi_problems("roi", case.roi, case.written["roi"], needed=needs_roi)
    if case.baseline is not None:
        problems += [text] if (text := _missing("baseline", case.baseline, case.written["baseline"])) else []
        problems += _roi_problems("baseline_roi", case.baseline_roi, case.written["baseline_roi"], needed=needs_roi)
    elif case.baseline_roi:
        problems.append("there is a baseline_roi but no baseline; name the earlier CT or empty the cell")
    if case.reference is not None:
        problems += [text] if (text := _missing("reference", case.reference, case.written["reference"])) else []
    return problems + _same_files(case)


def _roi_problems(column: str, files: tuple[Path, ...], written: str, *, needed: bool) -> list[str]:
    if not files:
        return [f"{column} is empty; the method works in a region of interest alone"] if needed else []
    parts = [part.strip() for part in written.split(ROI_SEPARATOR) if part.strip()]
    found = (_missing(column, file, text) for file, text in zip(files, parts, strict=True))
    return [text for text in found if text is not None]


def _missing(column: str, path: Path, written: str) -> str | None:
    try:
        if path.exists():
            return None
    except OSError as error:
        return f"{column} {shown(written)!r} cannot be looked at ({(error.strerror or str(error)).lower()}); check it"
    except ValueError:
        return f"{column} {shown(written)!r} cannot be a file's name; mend it"
    slashes = "; write / instead of \\" if "\\" in written and os.sep == "/" else "; paths are relative to the table"
    return f"{column} {shown(written)!r}: there is no such file or folder{slashes}"


def _same_files(case: Case) -> list[str]:
    """Cells that name the CT again are slips: the result would be compared with, or drawn in, something else."""
    if not case.written["image"]:
        return []
    others = [("roi", file) for file in case.roi]
    others += [("reference", case.reference), ("baseline", case.baseline)]
    return [f"{name} is the image itself; name another file" for name, path in others if path and _is_one(path, case.image)]


def _is_one(first: Path, second: Path) -> bool:
    """Whether two names mean one file."""
    try:
        return first == second or first.samefile(second)
    except (OSError, ValueError):
        return False
