"""Two masks cut to the box that holds both: what every comparison works on, so that it looks at the whole scan once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.ct.geometry import crop
from HTSegmentationLib.measure.mask import require_same_grid


@dataclass(frozen=True, eq=False)
class MaskPair:
    """One label of a mask and of a reference, within the smallest box that holds both.

    Args:
        found: Where the mask has the label; booleans (z, y, x) of the box.
        true: Where the reference has it.
        grid: The mask's own voxels in the box, for their place in the patient.
        index: First voxel (x, y, z) of the box in the scan.
        scan_size: Size (x, y, z) of the scan.
    """

    found: np.ndarray
    true: np.ndarray
    grid: sitk.Image
    index: tuple[int, int, int]
    scan_size: tuple[int, int, int]

    @classmethod
    def of(cls, mask: sitk.Image, reference: sitk.Image, label: int = 1, reference_label: int | None = None) -> MaskPair:
        """Cuts one label out of two masks.

        Args:
            mask: Label values, (x, y, z).
            reference: The truth, on the same grid.
            label: The value in the mask.
            reference_label: The value in the reference; the same if None.

        Returns:
            The pair; of two empty masks, a box of a single voxel outside both.

        Raises:
            UsageError: The masks lie on different grids.
        """
        require_same_grid(mask, reference, "mask", "reference")
        found = sitk.GetArrayViewFromImage(mask) == label
        true = sitk.GetArrayViewFromImage(reference) == (label if reference_label is None else reference_label)
        box = _box(found, true)
        index = (box[2].start, box[1].start, box[0].start)
        size = [part.stop - part.start for part in reversed(box)]
        return cls(found[box], true[box], crop(mask, index, size), index, mask.GetSize())


def _box(found: np.ndarray, true: np.ndarray) -> tuple[slice, slice, slice]:
    """The smallest box that holds both; each axis is looked at only within what the ones before have left."""
    box = [slice(0, size) for size in found.shape]
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        part = tuple(box)
        filled = np.flatnonzero(found[part].any(axis=others) | true[part].any(axis=others))
        if filled.size == 0:
            return (slice(0, 1),) * 3
        box[axis] = slice(int(filled[0]), int(filled[-1]) + 1)
    return box[0], box[1], box[2]
