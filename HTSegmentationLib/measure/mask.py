"""What one label of a mask measures: volume, HU, components, extent, and the diameters of ABC/2."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from HTSegmentationLib.ct.geometry import bounding_box, crop, index_to_point_matrix, same_grid, voxels_to_ml
from HTSegmentationLib.errors import UsageError
from HTSegmentationLib.measure.diameters import measure_diameters
from HTSegmentationLib.remark import Remark, Severity

BONE_HU = 90.0
"""Clotted blood measures up to about 90 HU; what lies above it is bone, calcification or contrast medium as well."""

_ONE_LESION_SHARE = 0.9
"""A largest part with less of the volume than this leaves others that stretch A, B and C beyond it."""

_SOLID = np.ones((3, 3, 3), dtype=bool)
"""Voxels that touch at a face, an edge or a corner belong together (26 neighbours)."""


@dataclass(frozen=True)
class MaskMeasurements:
    """The measurements of one label; those that do not exist (of an empty mask, or without a scan) are None.

    Args:
        label: The label's value.
        voxel_count: Number of its voxels.
        volume_ml: Their volume in mL, from the grid's true geometry.
        mean_hu: Mean of the scan's own HU in the mask.
        sd_hu: Sample standard deviation (n - 1) of these HU; None for a single voxel.
        min_hu: Smallest HU.
        median_hu: Median HU.
        max_hu: Largest HU.
        share_above_90_hu: Share (0 to 1) of voxels above 90 HU: bone, calcification or contrast medium, not blood.
        component_count: Number of separate parts; voxels that touch at a corner belong together.
        largest_component_ml: Volume of the largest part in mL.
        extent_mm: Size in mm along the patient's axes: right-left, anterior-posterior, inferior-superior.
        a_mm: Largest length on the slice of largest area, all parts together.
        b_mm: Largest width at a right angle to A on that slice.
        c_mm: Depth: slices that hold the label times their distance.
        abc2_ml: A x B x C / 2 in mL.
        tada_ellipsoid_ml: pi / 6 x A x B x C in mL.
        remarks: What the user must be told.
    """

    label: int
    voxel_count: int
    volume_ml: float
    mean_hu: float | None = None
    sd_hu: float | None = None
    min_hu: float | None = None
    median_hu: float | None = None
    max_hu: float | None = None
    share_above_90_hu: float | None = None
    component_count: int | None = None
    largest_component_ml: float | None = None
    extent_mm: tuple[float, float, float] | None = None
    a_mm: float | None = None
    b_mm: float | None = None
    c_mm: float | None = None
    abc2_ml: float | None = None
    tada_ellipsoid_ml: float | None = None
    remarks: tuple[Remark, ...] = field(default=())

    def as_dict(self) -> dict[str, Any]:
        """The measurements as plain values, for JSON and tables."""
        values = asdict(self)
        values["extent_mm"] = None if self.extent_mm is None else list(self.extent_mm)
        values["remarks"] = [remark.as_dict() for remark in self.remarks]
        return values


def measure_mask(mask: sitk.Image, image: sitk.Image | None = None, label: int = 1) -> MaskMeasurements:
    """Measures one label of a mask.

    Args:
        mask: Label values, (x, y, z), LPS; whole numbers.
        image: The scan in HU on the same grid, unfiltered; None leaves out all HU.
        label: The value to measure.

    Returns:
        The measurements. Several parts are measured as one lesion: A and B on the slice where their area together is
        largest, from the first border to the last.

    Raises:
        UsageError: Scan and mask lie on different grids.

    Example:
        >>> mask = sitk.Image(20, 20, 4, sitk.sitkUInt8)
        >>> mask[5:15, 5:15, 1:3] = 1
        >>> measure_mask(mask).volume_ml
        0.2
    """
    if image is not None:
        require_same_grid(mask, image, "mask", "scan")
    box = bounding_box(mask == label)
    if box is None:
        text = f"The mask holds no voxel of label {label}: its volume is 0 mL and nothing else can be measured."
        return MaskMeasurements(label, 0, 0.0, remarks=(Remark("mask-empty", text, Severity.CAUTION),))
    lesion = crop(mask, *box) == label
    inside = sitk.GetArrayViewFromImage(lesion) > 0
    count = int(inside.sum())
    parts, part_count = ndimage.label(inside, structure=_SOLID)
    found = measure_diameters(lesion)
    largest = int(np.bincount(parts[inside]).max())
    values = {} if image is None else _intensities(sitk.GetArrayFromImage(crop(image, *box))[inside])
    remarks = _scatter_remarks(part_count, largest / count) + values.pop("remarks", ())
    return MaskMeasurements(
        label=label,
        voxel_count=count,
        volume_ml=voxels_to_ml(count, lesion),
        component_count=part_count,
        largest_component_ml=voxels_to_ml(largest, lesion),
        extent_mm=_extent(inside, lesion),
        a_mm=found.a_mm,
        b_mm=found.b_mm,
        c_mm=found.c_mm,
        abc2_ml=found.abc2_ml,
        tada_ellipsoid_ml=found.tada_ml,
        remarks=remarks,
        **values,
    )


def require_same_grid(first: sitk.Image, second: sitk.Image, first_name: str, second_name: str) -> None:
    """Checks that two images lie on the same grid.

    Raises:
        UsageError: They do not; the message names both grids.
    """
    if same_grid(first, second):
        return
    grids = [
        f"{name} {' x '.join(map(str, image.GetSize()))} voxels of {' x '.join(f'{n:.3f}' for n in image.GetSpacing())} mm"
        for name, image in ((first_name, first), (second_name, second))
    ]
    advice = f"resample the {first_name} to the {second_name} with nearest neighbours, or give the one it was made on"
    raise UsageError(f"{first_name} and {second_name} lie on different grids or places ({'; '.join(grids)}): {advice}")


def _scatter_remarks(count: int, share: float) -> tuple[Remark, ...]:
    """ABC/2 is made for one compact lesion; scattered blood it cannot estimate (Xu et al., section 5.3)."""
    if share >= _ONE_LESION_SHARE:
        return ()
    text = (
        f"The mask has {count} separate parts, the largest with {share:.0%} of the volume; A, B and C span all of them, so "
        "that ABC/2 is no estimate of the volume."
    )
    return (Remark("abc2-scattered", text, Severity.CAUTION),)


def _intensities(values: np.ndarray) -> dict[str, Any]:
    values = values.astype(np.float64)
    finite = values[np.isfinite(values)]
    remarks = ()
    if finite.size < values.size:
        text = f"{values.size - finite.size} of {values.size} voxels in the mask have no HU (NaN) and were left out of them."
        remarks = (Remark("hu-not-finite", text, Severity.WARNING),)
        if finite.size == 0:
            return {"remarks": remarks}
    return {
        "mean_hu": float(finite.mean()),
        "sd_hu": float(finite.std(ddof=1)) if finite.size > 1 else None,
        "min_hu": float(finite.min()),
        "median_hu": float(np.median(finite)),
        "max_hu": float(finite.max()),
        "share_above_90_hu": float((finite > BONE_HU).mean()),
        "remarks": remarks,
    }


def _extent(inside: np.ndarray, image: sitk.Image) -> tuple[float, float, float]:
    """Size of the voxels' bounding box along the patient's axes, from outer border to outer border."""
    columns = index_to_point_matrix(image)[:3, :3]
    # An extreme along any direction is the first or last voxel of its row; those in between need not be looked at.
    first = inside & ~np.pad(inside, ((0, 0), (0, 0), (1, 0)))[:, :, :-1]
    last = inside & ~np.pad(inside, ((0, 0), (0, 0), (0, 1)))[:, :, 1:]
    centers = np.argwhere(first | last)[:, ::-1] @ columns.T
    extent = np.ptp(centers, axis=0) + np.abs(columns).sum(axis=1)
    return float(extent[0]), float(extent[1]), float(extent[2])
