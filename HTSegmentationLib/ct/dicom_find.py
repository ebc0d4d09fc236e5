"""Which CT series lie in a folder, beside a file, or in a DICOMDIR."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from HTSegmentationLib.ct.dicom_header import SliceHeader, read_headers
from HTSegmentationLib.ct.quiet import quiet_pydicom
from HTSegmentationLib.errors import InputError
from HTSegmentationLib.progress import Progress
from HTSegmentationLib.remark import Remark, Severity

MIN_SLICES = 3
"""A head CT has more; one or two CT images are a localizer that is not marked as one, or a sample."""

_MOST_FILES = 200_000
"""A folder with more files is no folder of one patient's scan, and looking through it takes too long."""


@dataclass(frozen=True)
class Series:
    """All CT slices of one series.

    Args:
        uid: The series' instance UID.
        slices: The slices in no order.
        left_out: How many images of the series are no slices of a scan, by what they are.
    """

    uid: str
    slices: tuple[SliceHeader, ...]
    left_out: tuple[tuple[str, int], ...] = ()

    @property
    def number(self) -> str | None:
        """The series' number."""
        return self.slices[0].series_number

    @property
    def description(self) -> str | None:
        """The series' description."""
        return self.slices[0].description


def is_dicom(path: Path) -> bool:
    """Whether a file is a DICOM image, or an object that DICOM keeps beside images."""
    return bool(read_headers(path))


def series_in_folder(folder: Path, progress: Progress) -> list[Series]:
    """The CT series in a folder and the folders in it, whatever their files are called.

    Raises:
        InputError: There is no CT series.
    """
    files = []
    for place, folders, names in os.walk(folder):
        folders.sort()
        files += [Path(place) / name for name in sorted(names)]
        if len(files) > _MOST_FILES:
            raise InputError(folder, f"it holds more than {_MOST_FILES} files", "give the folder of one scan")
    return _series(files, folder, progress)


def series_of_file(file: Path, progress: Progress) -> list[Series]:
    """The series that a DICOM file belongs to, from the files beside it.

    Raises:
        InputError: The file is no slice of a CT.
    """
    headers = read_headers(file)
    reason = next((header.not_a_slice for header in headers if header.not_a_slice), None)
    if reason or not headers:
        problem = f"this is a {reason}, no slice of a CT" if reason else "it is no DICOM image"
        raise InputError(file, problem, "give a CT slice, or the folder of the CT")
    files = sorted(path for path in file.parent.iterdir() if path.is_file())
    found = _series(files, file, progress)
    return [series for series in found if series.uid == headers[0].series_uid]


def series_of_dicomdir(dicomdir: Path, progress: Progress) -> tuple[list[Series], list[Remark]]:
    """The CT series that a DICOMDIR names, and what must be said of it.

    Raises:
        InputError: The DICOMDIR cannot be read, names files outside its folder, or none of its files is there.
    """
    named = _files_of_dicomdir(dicomdir)
    there = [path for path in named if path.is_file()]
    if not there:
        problem = f"it names {len(named)} files, and none of them is beside it"
        raise InputError(dicomdir, problem, "copy the whole disc, or give the folder that holds the images")
    remarks = []
    if len(there) < len(named):
        text = f"The DICOMDIR names {len(named)} files, of which {len(named) - len(there)} are not there."
        remarks.append(Remark("dicomdir-files-missing", text, Severity.WARNING))
    return _series(there, dicomdir, progress), remarks


def _files_of_dicomdir(dicomdir: Path) -> list[Path]:
    from pydicom import dcmread

    root = dicomdir.parent
    files = []
    try:
        with quiet_pydicom():
            records = list(dcmread(dicomdir).get("DirectoryRecordSequence") or [])
            names = [record.get("ReferencedFileID") for record in records]
    except Exception as error:  # pydicom raises many kinds for broken files, and all of them mean the same here
        raise InputError(dicomdir, "it cannot be read as a DICOMDIR", "give the folder that holds the images") from error
    for name in names:
        if not name:
            continue
        parts = [name] if isinstance(name, str) else [str(part) for part in name]
        if any(part in {"", ".", ".."} or "/" in part or "\\" in part or ":" in part for part in parts):
            raise InputError(dicomdir, "it names files outside its own folder", "give the folder that holds the images")
        files.append(root.joinpath(*parts))
    return list(dict.fromkeys(files))


def _series(files: list[Path], given: Path, progress: Progress) -> list[Series]:
    slices: dict[str, list[SliceHeader]] = {}
    others: Counter[tuple[str, str]] = Counter()
    for number, file in enumerate(files):
        progress("find", number / len(files))
        for header in read_headers(file):
            if header.not_a_slice:
                others[header.series_uid, header.not_a_slice] += 1
            else:
                slices.setdefault(header.series_uid, []).append(header)
    found = [
        Series(uid, tuple(headers), tuple((what, n) for (owner, what), n in sorted(others.items()) if owner == uid))
        for uid, headers in slices.items()
    ]
    if not found:
        raise _nothing_found(given, files, others)
    return sorted(found, key=lambda series: (_as_number(series.number), series.uid))


def _nothing_found(given: Path, files: list[Path], others: Counter[tuple[str, str]]) -> InputError:
    kinds: Counter[str] = Counter()
    for (_, what), count in others.items():
        kinds[what] += count
    if kinds:
        listed = ", ".join(f"{count} x {what}" for what, count in kinds.most_common())
        return InputError(given, f"it holds no CT slices, only {listed}", "give the folder of the head CT")
    volumes = [
        file.name for file in files if file.name.lower().endswith((".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd"))
    ]
    if volumes:
        shown = _listed(volumes)
        return InputError(given, f"it holds no DICOM images, but {shown}", f"give the file itself, as {given / volumes[0]}")
    what = f"none of its {len(files)} files is a DICOM image" if files else "it is empty"
    return InputError(given, what, "give the folder of the head CT, or a NIfTI, NRRD or MetaImage file")


def _listed(names: Iterable[str], most: int = 3) -> str:
    names = list(names)
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _as_number(text: str | None) -> float:
    try:
        return float(text or "inf")
    except ValueError:
        return float("inf")
