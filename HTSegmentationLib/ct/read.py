"""Reading a head CT from any of the formats it comes in: the door to this package."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

from HTSegmentationLib.ct.hu_check import check_hu
from HTSegmentationLib.ct.regular_grid import regular_image
from HTSegmentationLib.ct.scan import CTScan, ScanSource
from HTSegmentationLib.ct.slice_stack import SliceStack
from HTSegmentationLib.ct.values import tidy_values
from HTSegmentationLib.errors import InputError, ParameterError, SegmentationError, UsageError
from HTSegmentationLib.progress import Progress, silent
from HTSegmentationLib.remark import Remark

_FORMATS = {
    ".nii": "NIfTI",
    ".nii.gz": "NIfTI",
    ".nrrd": "NRRD",
    ".nhdr": "NRRD",
    ".mha": "MetaImage",
    ".mhd": "MetaImage",
}
"""Volume formats by the end of the file's name."""

_LARGEST_OFFSET_HU = 10_000.0
"""Offsets that occur are 1000, 1024 and 8192; a larger one is a slip."""


def read_ct(
    path: str | Path,
    *,
    series: str | int | None = None,
    assume_hu: bool = False,
    hu_offset: float = 0.0,
    progress: Progress = silent,
) -> CTScan:
    """Reads one head CT into Hounsfield units on a rectangular grid.

    Even, unshifted slices are taken over bit by bit. Tilted, shifted or unevenly spaced slices, and sheared grids of
    volume files, are resampled in the patient's true geometry; the remarks then say from what to what.

    Args:
        path: A NIfTI (``.nii``, ``.nii.gz``), NRRD (``.nrrd``, ``.nhdr``) or MetaImage (``.mha``, ``.mhd``) file, a
            folder with a DICOM series in it or in its folders, one file of a series (the rest is found beside it), or
            a DICOMDIR.
        series: Number or instance UID of the DICOM series to read, where there are several. A series that holds more
            than one scan has numbered parts, as ``"2.1"``.
        assume_hu: Take the values for HU even if they do not look like it.
        hu_offset: HU to add to every voxel, as -1024 for files that were stored without their rescale intercept.
        progress: Told of the work; may raise :class:`HTSegmentationLib.errors.Cancelled`.

    Returns:
        The scan: (x, y, z), LPS, ``sitkInt16`` where nothing was resampled and all values are whole numbers, else
        ``sitkFloat32``; nothing in it is below -1024 HU.

    Raises:
        InputError: The file or folder cannot be read, or does not hold a head CT in HU; the message says what to do.
        UsageError: There are several series, or ``series`` goes with something else than DICOM.
        ParameterError: ``hu_offset`` is out of its range.

    Example:
        >>> scan = read_ct("head.nii.gz")                         # doctest: +SKIP
        >>> scan.image.GetSize(), [str(r) for r in scan.remarks]  # doctest: +SKIP
    """
    given = Path(path)
    if not math.isfinite(hu_offset) or abs(hu_offset) > _LARGEST_OFFSET_HU:
        raise ParameterError(f"hu_offset is {hu_offset} HU, it must be between -10000 and 10000 HU; -1024 is the usual one")
    kind = _format(given)
    progress("read", 0.0)
    if kind != "DICOM" and series is not None:
        raise UsageError(f"{given}: a {kind} file has no series; leave --series away")
    try:
        scan = (
            _read_dicom(given, series, assume_hu, hu_offset, progress)
            if kind == "DICOM"
            else _read_volume(given, kind, assume_hu, hu_offset)
        )
    except MemoryError as error:
        raise InputError(given, "it is too large for this machine's memory", "give a smaller scan") from error
    except OSError as error:
        raise InputError(
            given, f"it cannot be read ({(error.strerror or str(error)).lower()})", "check it and its disk"
        ) from error
    progress("read", 1.0)
    return scan


def _format(path: Path) -> str:
    if path.is_dir():
        return "DICOM"
    if not path.exists():
        raise InputError(path, "there is no such file or folder", "check its name")
    if not path.is_file():
        raise InputError(path, "it is neither a file nor a folder", "give a file or folder")
    if path.stat().st_size == 0:
        raise InputError(path, "it is empty", "copy or download it again")
    name = path.name.lower()
    kind = next((kind for end, kind in _FORMATS.items() if name.endswith(end)), None)
    if kind:
        return kind
    from HTSegmentationLib.ct.dicom_find import is_dicom

    if name == "dicomdir" or is_dicom(path):
        return "DICOM"
    listed = ", ".join(_FORMATS)
    raise InputError(path, f"it is neither DICOM nor one of {listed}", "give one of these or a DICOM folder")


def _read_dicom(path: Path, series: str | int | None, assume_hu: bool, hu_offset: float, progress: Progress) -> CTScan:
    from HTSegmentationLib.ct.dicom_read import read_dicom

    stack, padded, source, remarks = read_dicom(path, None if series is None else str(series), hu_offset, progress)
    pixels, more = tidy_values(stack.pixels, path, 0.0, padded)
    remarks += more + check_hu(pixels, path, assume_hu)
    return _regular(replace(stack, pixels=pixels), path, source, remarks)


def _read_volume(path: Path, kind: str, assume_hu: bool, hu_offset: float) -> CTScan:
    from HTSegmentationLib.ct.itk_file import read_itk
    from HTSegmentationLib.ct.nifti_file import read_nifti

    volume = read_nifti(path) if kind == "NIfTI" else read_itk(path, kind)
    pixels, more = tidy_values(volume.pixels, path, hu_offset)
    remarks = [*volume.remarks, *more, *check_hu(pixels, path, assume_hu)]
    source = ScanSource(str(path), kind, (str(path),))
    if volume.is_rectangular():
        return CTScan(volume.image(pixels), source, _each_once(remarks))
    stack = volume.stack(pixels)
    if stack is None:
        raise InputError(path, "no two of its axes stand at a right angle", "export it on a rectangular grid")
    return _regular(stack, path, source, remarks)


def _regular(stack: SliceStack, path: Path, source: ScanSource, remarks: list[Remark]) -> CTScan:
    try:
        image, resampling = regular_image(stack)
    except SegmentationError as error:
        raise InputError(path, str(error), "look for a slice that does not belong to the others") from error
    return CTScan(image, source, _each_once(remarks + resampling))


def _each_once(remarks: list[Remark]) -> tuple[Remark, ...]:
    return tuple(dict.fromkeys(remarks))
