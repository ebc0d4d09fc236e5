"""The CT series of many patients in a folder tree."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from HTSegmentationLib.ct.dicom_find import MIN_SLICES, Series, is_dicom, series_in_folder
from HTSegmentationLib.errors import InputError
from HTSegmentationLib.progress import Progress, silent

_PROBES = 5
"""Files of a folder that are looked into to see whether it holds DICOM; a text file or a viewer may lie among them."""


def dicom_images(root: Path, progress: Progress, unclear: list[str]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Finds each CT series below a folder.

    Args:
        root: Where to look.
        progress: Told of each folder.
        unclear: Takes a sentence for each folder with several series or none.

    Yields:
        What the case is known by, its image (a folder, or one file of the series where the folder holds several), and the
        folders in which its ROI and reference may lie; all below the root, with slashes.
    """
    places = list(_dicom_folders(root))
    parents = [_parent(place) for place in places]
    for number, place in enumerate(places):
        progress("looking for DICOM", number / len(places))
        parent = parents[number]
        own = bool(parent) and parents.count(parent) == 1 and parent not in places
        folders = (place, parent) if own else (place,)
        case = parent if own else place
        series = _series(root / place)
        if not series:
            unclear.append(f"{place or 'the folder itself'} holds DICOM files but no CT with {MIN_SLICES} slices or more.")
        if len(series) == 1:
            yield case, place or ".", folders
        elif series:
            unclear.append(
                f"{case or 'the folder itself'} holds {len(series)} CT series; each got a row, delete what is not wanted."
            )
            for order, one in enumerate(series, start=1):
                file = min(header.path for header in one.slices)
                yield f"{case}-s{one.number or order}", file.relative_to(root).as_posix(), folders


def _dicom_folders(root: Path) -> Iterator[str]:
    """Folders that hold DICOM files themselves; what lies in them belongs to them."""
    for place, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        here = Path(place)
        probed = [here / name for name in sorted(names) if not name.startswith(".")][:_PROBES]
        if any(is_dicom(file) for file in probed):
            folders.clear()
            yield "" if here == root else here.relative_to(root).as_posix()


def _parent(place: str) -> str:
    return place.rpartition("/")[0]


def _series(folder: Path) -> list[Series]:
    try:
        return [series for series in series_in_folder(folder, silent) if len(series.slices) >= MIN_SLICES]
    except InputError:
        return []
