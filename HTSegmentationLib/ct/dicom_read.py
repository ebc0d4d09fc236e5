"""A DICOM series as a pile of slices: which series, which part of it, and its Hounsfield units."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from HTSegmentationLib.ct.dicom_find import MIN_SLICES, Series, series_in_folder, series_of_dicomdir, series_of_file
from HTSegmentationLib.ct.dicom_header import SliceHeader
from HTSegmentationLib.ct.dicom_parts import Part, normal_of, parts_of
from HTSegmentationLib.ct.dicom_pixels import rescale, slice_hu
from HTSegmentationLib.ct.scan import ScanSource
from HTSegmentationLib.ct.slice_stack import SliceStack
from HTSegmentationLib.ct.values import offset_remark
from HTSegmentationLib.errors import UsageError
from HTSegmentationLib.progress import Progress, part_of
from HTSegmentationLib.remark import Remark, Severity

_PIXELS_FROM = 0.3
"""Share of the reading that is done when all headers are read."""

_INT16 = np.iinfo(np.int16)


def read_dicom(
    path: Path, selected: str | None, hu_offset: float, progress: Progress
) -> tuple[SliceStack, int, ScanSource, list[Remark]]:
    """Reads a folder, a DICOMDIR, or the series of one file.

    Args:
        path: What the user gave.
        selected: The series' number or UID, for a part of a series with a dot and the part's number after it; None for
            the only one.
        hu_offset: HU to add to every pixel that is not padding.
        progress: Told of the work.

    Returns:
        The slices in HU, how many voxels were padding, where they are from, and remarks.

    Raises:
        UsageError: Several scans are there and none, or one that is not there, was selected.
        InputError: The files cannot be used.
    """
    remarks: list[Remark] = []
    if path.is_dir():
        found = series_in_folder(path, part_of(progress, 0.0, _PIXELS_FROM))
    elif path.name.upper() == "DICOMDIR":
        found, remarks = series_of_dicomdir(path, part_of(progress, 0.0, _PIXELS_FROM))
    else:
        found = series_of_file(path, part_of(progress, 0.0, _PIXELS_FROM))
    series, part = _chosen(path, found, selected)
    stack, padded, more = _stack(part.slices, hu_offset, part_of(progress, _PIXELS_FROM, 1.0))
    files = tuple(dict.fromkeys(str(header.path) for header in part.slices))
    source = ScanSource(str(path), "DICOM", files, series.uid or None, series.description)
    return stack, padded, source, [*remarks, *part.remarks, *more]


def _chosen(path: Path, found: list[Series], selected: str | None) -> tuple[Series, Part]:
    if selected is not None:
        return _selected(path, found, selected.strip())
    scans = [series for series in found if len(series.slices) >= MIN_SLICES] or found
    if len(scans) > 1:
        raise UsageError(f"{path}: {len(scans)} CT series are here; choose one with --series: {_listed(scans)}")
    parts = parts_of(scans[0])
    if len(parts) > 1:
        raise _several_parts(path, scans[0], parts)
    return scans[0], parts[0]


def _selected(path: Path, found: list[Series], selected: str) -> tuple[Series, Part]:
    matches = [series for series in found if selected == series.uid] or [s for s in found if selected == s.number]
    number = None
    if not matches and "." in selected:
        name, _, last = selected.rpartition(".")
        matches = [series for series in found if name in (series.uid, series.number)]
        number = int(last) if last.isdecimal() else 0
    if not matches:
        raise UsageError(f"{path}: there is no CT series {selected}; choose one of these with --series: {_listed(found)}")
    if len(matches) > 1:
        raise UsageError(f"{path}: {len(matches)} series have the number {selected}; choose by UID: {_listed(matches)}")
    parts = parts_of(matches[0])
    if number is None and len(parts) == 1:
        return matches[0], parts[0]
    if number is None or not 1 <= number <= len(parts):
        raise _several_parts(path, matches[0], parts)
    return matches[0], parts[number - 1]


def _listed(found: list[Series]) -> str:
    return "; ".join(_series_in_words(series) for series in found)


def _series_in_words(series: Series) -> str:
    placed = [header for header in series.slices if not header.missing_geometry]
    apart = "unknown distance"
    if len(placed) > 1:
        normal = normal_of(placed[0])
        depths = np.sort([float(normal @ np.array(header.position)) for header in placed])
        apart = f"{np.median(np.diff(depths)):.2f} mm apart"
    name = series.number or "without number"
    return f"{name} ({series.description or 'no description'}, {len(series.slices)} slices {apart}, UID {series.uid})"


def _several_parts(path: Path, series: Series, parts: list[Part]) -> UsageError:
    name = series.number or series.uid
    listed = "; ".join(f"{name}.{n} ({p.what or 'all'}, {len(p.slices)} slices)" for n, p in enumerate(parts, start=1))
    return UsageError(f"{path}: series {name} holds {len(parts)} scans; choose one with --series: {listed}")


def _stack(slices: tuple[SliceHeader, ...], hu_offset: float, progress: Progress) -> tuple[SliceStack, int, list[Remark]]:
    first = slices[0]
    whole = all(float(value).is_integer() for header in slices for value in (*rescale(header), hu_offset))
    pixels = np.empty((len(slices), first.rows, first.columns), dtype=np.int16 if whole else np.float32)
    padded, tissue_padding = 0, None
    for number, header in enumerate(slices):
        progress("read", number / len(slices))
        hu, count, kept = slice_hu(header, hu_offset)
        if pixels.dtype == np.int16 and (hu.min() < _INT16.min or hu.max() > _INT16.max):
            pixels = pixels.astype(np.float32)
        pixels[number] = hu
        padded += count
        tissue_padding = kept if kept is not None else tissue_padding
    thickness = [header.thickness for header in slices]
    orientation, spacing = np.array(first.orientation), first.spacing or (1.0, 1.0)
    stack = SliceStack(
        pixels=pixels,
        positions=np.array([header.position for header in slices]),
        row=orientation[:3],
        column=orientation[3:],
        normal=normal_of(first),
        spacing=(spacing[1], spacing[0]),
        thickness=None if None in thickness else np.array(thickness, dtype=float),
    )
    remarks = [offset_remark(hu_offset)] if hu_offset else []
    return stack, padded, remarks + _header_remarks(slices, tissue_padding)


def _header_remarks(slices: tuple[SliceHeader, ...], tissue_padding: float | None) -> list[Remark]:
    remarks = []
    unscaled = sum(header.slope is None or header.intercept is None for header in slices)
    if unscaled:
        text = (
            f"{unscaled} of {len(slices)} slices have no rescale slope or intercept; slope 1 and intercept 0 were assumed."
        )
        remarks.append(Remark("rescale-assumed", text, Severity.CAUTION))
    units = {header.rescale_type for header in slices} - {None, "HU", "US"}
    if units:
        text = f"The files call their values {', '.join(sorted(map(str, units)))}, not HU."
        remarks.append(Remark("rescale-type-not-hu", text, Severity.CAUTION))
    if any(header.photometric == "MONOCHROME1" for header in slices):
        text = "The images are meant to be shown inverted (MONOCHROME1); their values were read as they are."
        remarks.append(Remark("monochrome1", text, Severity.CAUTION))
    if tissue_padding is not None:
        text = f"The files mark {tissue_padding:g} HU as outside the reconstruction; tissue has this value, so it was left."
        remarks.append(Remark("padding-left", text, Severity.CAUTION))
    return remarks
