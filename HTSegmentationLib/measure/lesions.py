"""Which lesions a mask finds, and which it invents: detection lesion by lesion."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from HTSegmentationLib.ct.geometry import voxels_to_ml
from HTSegmentationLib.errors import ParameterError
from HTSegmentationLib.measure.pair import MaskPair

_SOLID = np.ones((3, 3, 3), dtype=bool)
"""Voxels that touch at a face, an edge or a corner belong to one lesion (26 neighbours)."""


@dataclass(frozen=True)
class Lesion:
    """One lesion of the reference.

    Args:
        volume_ml: Its volume in mL.
        overlap_share: Share (0 to 1) of it that the mask holds.
        found: Whether that is enough.
    """

    volume_ml: float
    overlap_share: float
    found: bool


@dataclass(frozen=True)
class LesionDetection:
    """The detection of one scan's lesions.

    Args:
        reference_lesions: Separate parts of the reference that are large enough to count.
        lesions_found: How many of them the mask found.
        lesion_sensitivity: lesions_found / reference_lesions; None without a lesion.
        mask_lesions: Separate parts of the mask that are large enough to count.
        false_positive_lesions: How many of these hold no voxel of the reference at all.
        lesions: Each lesion that counted, from the largest to the smallest.
    """

    reference_lesions: int
    lesions_found: int
    lesion_sensitivity: float | None
    mask_lesions: int
    false_positive_lesions: int
    lesions: tuple[Lesion, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The measurements as plain values, for JSON and tables."""
        return asdict(self)


def detect_lesions(
    mask: sitk.Image,
    reference: sitk.Image,
    *,
    label: int = 1,
    reference_label: int | None = None,
    least_share: float = 0.0,
    least_ml: float = 0.0,
) -> LesionDetection:
    """Compares two masks lesion by lesion.

    A lesion of the reference is found if the mask, all its parts together, holds at least ``least_share`` of it and a voxel
    at the least. A part of the mask is a false positive if it shares no voxel with any lesion, however small that is.

    Args:
        mask: Label values, (x, y, z).
        reference: The truth, on the same grid.
        label: The value to compare.
        reference_label: Its value in the reference; the same if None.
        least_share: Share (0 to 1) of a lesion that must be in the mask; at 0, any voxel is enough.
        least_ml: Parts of less volume in mL count neither as lesions nor as false positives.

    Raises:
        UsageError: The masks lie on different grids.
        ParameterError: Share or volume is out of range.

    Example:
        >>> mask, reference = sitk.Image(9, 9, 1, sitk.sitkUInt8), sitk.Image(9, 9, 1, sitk.sitkUInt8)
        >>> reference[0:3, 0:3, 0:1] = 1
        >>> reference[6:8, 6:8, 0:1] = 1
        >>> mask[2:4, 2:4, 0:1] = 1
        >>> found = detect_lesions(mask, reference)
        >>> found.reference_lesions, found.lesions_found, found.false_positive_lesions
        (2, 1, 0)
    """
    if not 0 <= least_share <= 1:
        raise ParameterError(f"least_share is {least_share}; it must lie between 0 and 1")
    if not least_ml >= 0:
        raise ParameterError(f"least_ml is {least_ml} mL; it must be 0 mL or more")
    return lesions_of(MaskPair.of(mask, reference, label, reference_label), least_share, least_ml)


def lesions_of(pair: MaskPair, least_share: float = 0.0, least_ml: float = 0.0) -> LesionDetection:
    """The detection of a pair's lesions; see :func:`detect_lesions`."""
    sizes, held = _parts(pair.true, pair.found)
    large = voxels_to_ml(1, pair.grid) * sizes >= least_ml
    shares = held / np.maximum(sizes, 1)
    found = (held > 0) & (shares >= least_share)
    mask_sizes, touched = _parts(pair.found, pair.true)
    mask_large = voxels_to_ml(1, pair.grid) * mask_sizes >= least_ml
    order = np.flatnonzero(large)[np.argsort(-sizes[large], kind="stable")]
    count, hits = int(large.sum()), int((large & found).sum())
    return LesionDetection(
        reference_lesions=count,
        lesions_found=hits,
        lesion_sensitivity=hits / count if count else None,
        mask_lesions=int(mask_large.sum()),
        false_positive_lesions=int((mask_large & (touched == 0)).sum()),
        lesions=tuple(Lesion(voxels_to_ml(int(sizes[n]), pair.grid), float(shares[n]), bool(found[n])) for n in order),
    )


def _parts(inside: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Voxels of each connected part, and how many of them lie in the other mask as well."""
    numbers, count = ndimage.label(inside, structure=_SOLID)
    sizes = np.bincount(numbers[inside], minlength=count + 1)[1:]
    return sizes, np.bincount(numbers[inside & other], minlength=count + 1)[1:]
