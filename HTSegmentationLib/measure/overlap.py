"""How well a mask agrees with a reference, voxel by voxel."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.ct.geometry import voxels_to_ml
from HTSegmentationLib.measure.pair import MaskPair


@dataclass(frozen=True)
class Overlap:
    """The overlap of a mask and a reference.

    Args:
        dice: 2 x both / (mask + reference). Both empty: 1; one empty: 0 (the convention of nnU-Net).
        iou: both / either, Jaccard's index, also called volume overlap; empty masks as for Dice. Equals dice / (2 - dice).
        sensitivity: Share of the reference that the mask holds (recall); None without a reference.
        precision: Share of the mask that lies in the reference; None for an empty mask.
        both_voxels: Voxels in both.
        mask_only_voxels: Voxels in the mask alone (false positives).
        reference_only_voxels: Voxels in the reference alone (false negatives).
        mask_volume_ml: Volume of the mask in mL.
        reference_volume_ml: Volume of the reference in mL.
        volume_difference_ml: Mask less reference in mL.
    """

    dice: float
    iou: float
    sensitivity: float | None
    precision: float | None
    both_voxels: int
    mask_only_voxels: int
    reference_only_voxels: int
    mask_volume_ml: float
    reference_volume_ml: float
    volume_difference_ml: float

    def as_dict(self) -> dict[str, Any]:
        """The measurements as plain values, for JSON and tables."""
        return asdict(self)


def measure_overlap(mask: sitk.Image, reference: sitk.Image, label: int = 1, reference_label: int | None = None) -> Overlap:
    """Compares one label of two masks.

    Args:
        mask: Label values, (x, y, z).
        reference: The truth, on the same grid.
        label: The value to compare.
        reference_label: Its value in the reference; the same if None.

    Raises:
        UsageError: The masks lie on different grids.

    Example:
        >>> mask, reference = sitk.Image(8, 8, 1, sitk.sitkUInt8), sitk.Image(8, 8, 1, sitk.sitkUInt8)
        >>> mask[0:4, 0:4, 0:1] = 1
        >>> reference[2:6, 0:4, 0:1] = 1
        >>> measure_overlap(mask, reference).dice
        0.5
    """
    return overlap_of(MaskPair.of(mask, reference, label, reference_label))


def overlap_of(pair: MaskPair) -> Overlap:
    """The overlap of a pair."""
    both, of_mask, of_reference = (int(np.count_nonzero(part)) for part in (pair.found & pair.true, pair.found, pair.true))
    either = of_mask + of_reference - both
    return Overlap(
        dice=2 * both / (of_mask + of_reference) if either else 1.0,
        iou=both / either if either else 1.0,
        sensitivity=both / of_reference if of_reference else None,
        precision=both / of_mask if of_mask else None,
        both_voxels=both,
        mask_only_voxels=of_mask - both,
        reference_only_voxels=of_reference - both,
        mask_volume_ml=voxels_to_ml(of_mask, pair.grid),
        reference_volume_ml=voxels_to_ml(of_reference, pair.grid),
        volume_difference_ml=voxels_to_ml(of_mask, pair.grid) - voxels_to_ml(of_reference, pair.grid),
    )
