"""Regions of interest from files, numbers and drawn shapes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.ct.geometry import bounding_box, crop
from HTSegmentationLib.errors import InputError, ROIError
from HTSegmentationLib.progress import Progress, silent
from HTSegmentationLib.remark import Remark
from HTSegmentationLib.roi.markups import read_markups
from HTSegmentationLib.roi.mask_files import is_mask_name, read_labels
from HTSegmentationLib.roi.parts import GridPart, cut_to_slices, joined, mask_on_grid
from HTSegmentationLib.roi.raster import curves_reach, shape_on_grid
from HTSegmentationLib.roi.region import Roi
from HTSegmentationLib.roi.shapes import BoxShape, Shape

_BOX_BOUNDS = 6
"""Two ends along each of three axes."""


def read_roi(
    paths: str | Path | Iterable[str | Path],
    image: sitk.Image,
    *,
    slice_range: tuple[int, int] | None = None,
    curve_extent_mm: float | None = None,
    progress: Progress = silent,
) -> Roi:
    """Reads a region of interest from one file or, as their union, from several.

    A voxel belongs to a drawn shape when its centre does. Masks on another grid are resampled to the scan's with nearest
    neighbours; all their labels count.

    Args:
        paths: Markups of 3D Slicer (``.mrk.json``: ROI, ClosedCurve) and masks (``.nii.gz``, ``.nrrd``, ``.seg.nrrd``,
            ``.mha``), in any mixture.
        image: The scan.
        slice_range: First and last slice that the whole ROI is cut to, counted from 1 at the scan's inferior end; None
            for all.
        curve_extent_mm: How far closed curves reach along their normal, half to each side; None: through the whole scan.
        progress: Told of each file.

    Returns:
        The ROI; its remarks tell all that was assumed, resampled or left out.

    Raises:
        InputError: A file cannot be read or is no ROI.
        ROIError: The ROI holds no voxel of the scan.
        ParameterError: The slice range is not in the scan, or the extent is not above 0.

    Example:
        >>> roi = read_roi(["R.mrk.json", "second.seg.nrrd"], scan.image, slice_range=(8, 14))   # doctest: +SKIP
    """
    files = [paths] if isinstance(paths, (str, Path)) else list(paths)
    parts: list[GridPart] = []
    told: list[Remark] = []
    for number, path in enumerate(files):
        progress("Reading the ROI", number / len(files))
        if str(path).lower().endswith(".json"):
            shapes, remarks = read_markups(path)
            told += remarks
            told += curves_reach(shapes, image, slice_range, curve_extent_mm)
            parts += _parts_of_shapes(image, shapes, str(path), curve_extent_mm)
        elif is_mask_name(path):
            labels, remarks = read_labels(path)
            told += remarks
            parts.append(mask_on_grid(labels, image, str(path)))
        else:
            advice = "give Markups (.mrk.json) or a mask (.nii.gz, .nii, .nrrd, .seg.nrrd, .mha)"
            raise InputError(path, "its name does not end as an ROI's does", advice)
    roi = _roi_of_parts(image, parts, tuple(map(str, files)), told, slice_range)
    progress("Reading the ROI", 1.0)
    return roi


def roi_from_box(
    image: sitk.Image, bounds: Sequence[float], *, slice_range: tuple[int, int] | None = None, source: str = "the box"
) -> Roi:
    """The region between two values along each axis of the patient.

    Args:
        image: The scan.
        bounds: x0, x1, y0, y1, z0, z1 in mm, LPS; the two ends of an axis in any order.
        slice_range: First and last slice, as in :func:`read_roi`.
        source: What messages call it.

    Raises:
        ROIError: There are not six finite numbers, or the box holds no voxel of the scan.

    Example:
        >>> roi_from_box(sitk.Image(20, 20, 20, sitk.sitkInt16), (4.5, 9.5, 4.5, 9.5, 0, 3)).voxel_count
        75
    """
    if len(bounds) != _BOX_BOUNDS:
        raise ROIError(f"{source}: it has {len(bounds)} numbers; it needs six: x0, x1, y0, y1, z0, z1 in mm (LPS)")
    ends = np.asarray(bounds, dtype=float).reshape(3, 2)
    axes = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    shape = BoxShape(tuple(ends.mean(axis=1).tolist()), axes, tuple(np.abs(np.diff(ends)[:, 0]).tolist()))
    return roi_from_shapes(image, [shape], slice_range=slice_range, sources=(source,))


def roi_from_shapes(
    image: sitk.Image,
    shapes: Sequence[Shape],
    *,
    slice_range: tuple[int, int] | None = None,
    curve_extent_mm: float | None = None,
    sources: tuple[str, ...] = ("the ROI",),
    remarks: Iterable[Remark] = (),
) -> Roi:
    """The union of drawn shapes.

    Args:
        image: The scan.
        shapes: Boxes and closed curves, LPS mm.
        slice_range: First and last slice, as in :func:`read_roi`.
        curve_extent_mm: How far curves reach, as in :func:`read_roi`.
        sources: Where the shapes came from, for messages and records.
        remarks: What is to be told of them already.

    Raises:
        ROIError: The shapes hold no voxel of the scan.
        ParameterError: The slice range is not in the scan, or the extent is not above 0.

    Example:
        >>> grid = sitk.Image(20, 20, 4, sitk.sitkInt16)
        >>> box = BoxShape(center=(5, 5, 1), axes=((1, 0, 0), (0, 1, 0), (0, 0, 1)), size=(4, 4, 2))
        >>> roi_from_shapes(grid, [box]).voxel_count
        32
    """
    told = [*remarks, *curves_reach(shapes, image, slice_range, curve_extent_mm)]
    parts = _parts_of_shapes(image, shapes, ", ".join(sources), curve_extent_mm)
    return _roi_of_parts(image, parts, sources, told, slice_range)


def _parts_of_shapes(
    image: sitk.Image, shapes: Sequence[Shape], source: str, curve_extent_mm: float | None
) -> list[GridPart]:
    names = [source] if len(shapes) == 1 else [f"{source} (number {number})" for number in range(1, len(shapes) + 1)]
    return [shape_on_grid(shape, image, curve_extent_mm, name) for shape, name in zip(shapes, names, strict=True)]


def _roi_of_parts(
    image: sitk.Image,
    parts: list[GridPart],
    sources: tuple[str, ...],
    told: list[Remark],
    slice_range: tuple[int, int] | None,
) -> Roi:
    whole = joined(parts)
    if slice_range is not None:
        whole = cut_to_slices(whole, image, slice_range)
    mask = sitk.GetImageFromArray(whole.array.astype(np.uint8))
    box = crop(image, whole.index, mask.GetSize())
    mask.CopyInformation(box)
    inner, size = bounding_box(mask)
    index = tuple(a + b for a, b in zip(whole.index, inner, strict=True))
    remarks = tuple(dict.fromkeys([*told, *whole.remarks]))
    return Roi(crop(mask, inner, size), index, image.GetSize(), sources, remarks)
