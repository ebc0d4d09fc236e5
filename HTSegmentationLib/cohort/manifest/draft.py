"""Drafts a table of cases from the files of a folder; what is not clear is left empty and said."""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from HTSegmentationLib.cohort.manifest.case import ROI_SEPARATOR
from HTSegmentationLib.cohort.manifest.case_ids import made_id
from HTSegmentationLib.cohort.manifest.dicom_cases import dicom_images
from HTSegmentationLib.cohort.manifest.patterns import CASE_MARK, FLAT_PATTERNS, FOLDER_PATTERNS, Patterns, compiled
from HTSegmentationLib.cohort.manifest.write import relative_path
from HTSegmentationLib.errors import InputError, UsageError
from HTSegmentationLib.progress import Progress, silent

_MOST_FILES = 1_000_000
"""A folder with more is no folder of a cohort, and looking through it takes too long."""

_UNIONS = ("roi", "baseline_roi")
"""Columns in which several files of a case belong together."""


@dataclass(frozen=True)
class Draft:
    """A table of cases that was drafted.

    Args:
        rows: The cells of each case by column.
        columns: The columns in their order; those that no case has are left out, ``roi`` and ``reference`` never.
        unclear: What was left empty or changed, one sentence each.
    """

    rows: tuple[Mapping[str, str], ...]
    columns: tuple[str, ...]
    unclear: tuple[str, ...]

    def count(self, column: str) -> int:
        """How many cases have something in a column."""
        return sum(bool(row.get(column)) for row in self.rows)


def draft_manifest(
    folder: str | Path,
    manifest: str | Path,
    *,
    patterns: Patterns | None = None,
    group: str | None = None,
    progress: Progress = silent,
) -> Draft:
    """Looks for cases in a folder tree: each case in a folder of its own, in files named after it, or as DICOM.

    Args:
        folder: Where to look.
        manifest: Where the table will lie; its paths are relative to that.
        patterns: How the files are named; None tries ``ct.*`` in a folder a case, then ``CASE_ct.*``, then DICOM.
        group: Expression that is looked for in the case's path below ``folder``; its first group, or all of it if it has
            none, becomes ht_type.
        progress: Told of the work.

    Raises:
        InputError: There is no such folder, or no case in it.
        UsageError: A pattern or the expression cannot be used.

    Example:
        >>> draft_manifest("site-a", "cohort.csv", group=r"^(HI1|HI2|PH1|PH2)/").rows[0]   # doctest: +SKIP
        {'case_id': 'ph-01', 'image': 'site-a/PH2/ph-01/ct.nii.gz', ...}
    """
    root, table = Path(folder), Path(manifest)
    if not root.is_dir():
        raise InputError(root, "there is no such folder", "give the folder that holds the cases")
    search = _group_search(group)
    files = _files_below(root)
    unclear: list[str] = []
    found: dict[str, dict[str, list[str]]] = {}
    for tried in (FOLDER_PATTERNS, FLAT_PATTERNS) if patterns is None else (patterns,):
        found = found or _cases(files, tried)
    if not found and patterns is None:
        found = _dicom_cases(root, files, progress, unclear)
    if not found:
        wanted = ", ".join((patterns or FOLDER_PATTERNS).image)
        advice = f"say with --image how the CTs are named, as ct.nii.gz or images/{CASE_MARK}.nii.gz"
        raise InputError(
            root, f"no file in it is named {wanted}{'' if patterns else ', and it holds no CT in DICOM'}", advice
        )
    names = _names(root, found, unclear)
    rows = []
    for place, held in found.items():
        row = {"case_id": names[place], "ht_type": search(place)}
        for column, paths in held.items():
            chosen = _chosen(names[place], column, paths, unclear)
            row[column] = ROI_SEPARATOR.join(relative_path(root / path, table) for path in chosen)
        rows.append(row)
    used = [name for name in ("ht_type", "baseline", "baseline_roi") if any(row.get(name) for row in rows)]
    return Draft(tuple(rows), ("case_id", "image", "roi", "reference", *used), tuple(unclear))


def _files_below(root: Path) -> list[str]:
    """All files, as paths below the root with slashes, in an order that does not depend on the disk."""
    files = []
    for place, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        below = Path(place).relative_to(root)
        files += [(below / name).as_posix() for name in sorted(names) if not name.startswith(".")]
        if len(files) > _MOST_FILES:
            raise InputError(root, f"it holds more than {_MOST_FILES} files", "give the folder of the cohort alone")
    return files


def _cases(files: Iterable[str], patterns: Patterns) -> dict[str, dict[str, list[str]]]:
    """The files of each case by column; a case is known by its folder, or by what stands for ``{id}``."""
    files = list(files)
    images = _matches(files, patterns.image)
    others = {column: _matches(files, wanted) for column, wanted in patterns.by_column().items()}
    found = {}
    for place, paths in sorted(images.items()):
        held = {column: _but(known.get(place, []), paths) for column, known in others.items()}
        found[place] = {"image": paths, **held}
    return found


def _matches(files: Iterable[str], patterns: tuple[str, ...]) -> dict[str, list[str]]:
    """For each case the files that suit the first pattern of which any does."""
    files = list(files)
    found: dict[str, list[str]] = {}
    for pattern in patterns:
        new = defaultdict(list)
        expression, depth = compiled(pattern), pattern.count("/") + 1
        for file in files:
            parts = file.split("/")
            if CASE_MARK in pattern:
                match = expression.fullmatch(file) or (depth == 1 and expression.fullmatch(parts[-1]))
                place = "/".join((*parts[:-depth], match["id"])) if match else None
            else:
                match = len(parts) >= depth and expression.fullmatch("/".join(parts[-depth:]))
                place = "/".join(parts[:-depth]) if match else None
            if place is not None:
                new[place].append(file)
        for place, paths in new.items():
            found.setdefault(place, paths)
    return found


def _but(paths: list[str], taken: list[str]) -> list[str]:
    return [path for path in paths if path not in taken]


def _dicom_cases(root: Path, files: list[str], progress: Progress, unclear: list[str]) -> dict[str, dict[str, list[str]]]:
    """The CT series below the root, with ROI and reference from the folder of the case."""
    found = {}
    others = {column: _matches(files, wanted) for column, wanted in FOLDER_PATTERNS.by_column().items()}
    for place, image, folders in dicom_images(root, progress, unclear):
        held = {column: next((known[name] for name in folders if name in known), []) for column, known in others.items()}
        found[place] = {"image": [image], **held}
    return found


def _names(root: Path, found: Iterable[str], unclear: list[str]) -> dict[str, str]:
    """A case_id for each case: its own name where that is unique, else its whole path."""
    places = list(found)
    own = {place: place.rsplit("/", 1)[-1] or root.resolve().name for place in places}
    often = Counter(made_id(name).casefold() for name in own.values())
    names: dict[str, str] = {}
    taken: set[str] = set()
    for place in places:
        wanted = own[place] if often[made_id(own[place]).casefold()] == 1 else place.replace("/", "-")
        name = made_id(wanted)
        number = 1
        while name.casefold() in taken:
            number += 1
            name = f"{made_id(wanted)}-{number}"
        taken.add(name.casefold())
        names[place] = name
        if name != wanted:
            unclear.append(
                f"{place or 'the folder itself'} is called {name}, since its own name cannot be part of file names."
            )
    return names


def _chosen(name: str, column: str, paths: list[str], unclear: list[str]) -> list[str]:
    """The files that stand in a cell: all of an ROI, of another column none where several could be meant."""
    if len(paths) > 1:
        what = "the union counts" if column in _UNIONS else "none was taken"
        unclear.append(f"{name}: {len(paths)} files suit {column}, {what}: {', '.join(paths)}.")
    return paths if len(paths) == 1 or column in _UNIONS else []


def _group_search(group: str | None) -> Callable[[str], str]:
    if group is None:
        return lambda _: ""
    try:
        expression = re.compile(group)
    except re.error as error:
        raise UsageError(f"--group {group!r} is no regular expression ({error}); as ^(HI2|PH1)/") from error

    def search(place: str) -> str:
        match = expression.search(place)
        return "" if match is None else (match[1] if expression.groups else match[0]) or ""

    return search
