"""What the bleed that was found looks like: the signs that tell how far it can be trusted."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from HTSegmentationLib.ct.geometry import slice_axis, voxels_to_ml
from HTSegmentationLib.threshold.robust.bound import Bound
from HTSegmentationLib.threshold.robust.contrast import ANOTHER_SLICE_MM, LocalContrast
from HTSegmentationLib.threshold.robust.parts import JudgedParts

BOUND_STEP_HU = 2.0
"""The bound is moved by this much to see how far the volume depends on it."""

_NEAR_SKULL_MM = 3.0
"""Mask voxels nearer than this to the skull may be bone's blurred edge."""


@dataclass(frozen=True)
class MaskShape:
    """Size and form of a mask.

    Args:
        volume_ml: Its volume.
        lower_ml: Volume with the bound 2 HU higher.
        upper_ml: Volume with the bound 2 HU lower.
        thickness_mm: Diameter within slices of the largest disc inside it.
        skull_share: Share of it within 3 mm of the skull.
    """

    volume_ml: float
    lower_ml: float
    upper_ml: float
    thickness_mm: float
    skull_share: float

    @property
    def bound_uncertainty_ml(self) -> float:
        """How far the volume changes when the bound moves by 2 HU: half of what lies between both, in mL."""
        return (self.upper_ml - self.lower_ml) / 2

    @property
    def slenderness(self) -> float:
        """Volume over that of the largest ball inside, as a logarithm to base 10: gyri and staining are about 1."""
        ball_ml = math.pi / 6 * (self.thickness_mm / 10) ** 3
        return math.log10(max(self.volume_ml, 1e-3) / max(ball_ml, 1e-3))


@dataclass(frozen=True)
class Signs(MaskShape):
    """Measurements of a mask, none of which needs a reference.

    Args:
        dense_contrast_hu: Contrast that a tenth of it exceeds.
        dense_hu: HU that a tenth of it exceeds.
        edge_hu_per_mm: Mean gradient along its border.
        rival_share: Mass of what was left out, of the heaviest group, over its own.
        staining_ml: Volume in mL of what was left out of it as likely staining.
    """

    dense_contrast_hu: float
    dense_hu: float
    edge_hu_per_mm: float
    rival_share: float
    staining_ml: float = 0.0


def shape_of(field: LocalContrast, mask: np.ndarray, bound: Bound) -> MaskShape:
    """Measures a mask.

    Args:
        field: The ROI's box.
        mask: The mask, (z, y, x), not empty.
        bound: The bound that it was made with.
    """
    image = field.image
    near = ndimage.binary_dilation(mask) & field.tissue
    lower, upper = (
        int(np.count_nonzero(near & (field.contrast >= bound.contrast_hu + step)))
        for step in (BOUND_STEP_HU, -BOUND_STEP_HU)
    )
    return MaskShape(
        volume_ml=voxels_to_ml(int(np.count_nonzero(mask)), image),
        lower_ml=voxels_to_ml(lower, image),
        upper_ml=voxels_to_ml(upper, image),
        thickness_mm=_thickness_mm(mask, image),
        skull_share=float(np.mean(field.depth_mm[mask] < _NEAR_SKULL_MM)),
    )


def read_signs(field: LocalContrast, judged: JudgedParts, bound: Bound, staining_ml: float = 0.0) -> Signs:
    """Measures the bleed.

    Args:
        field: The ROI's box.
        judged: The bleed at the bound, not empty.
        bound: The bound.
        staining_ml: What was left out of it as likely staining.
    """
    return Signs(
        **vars(shape_of(field, judged.mask, bound)),
        dense_contrast_hu=bound.dense_contrast_hu,
        dense_hu=max(part.peak_hu for part in judged.bleed),
        edge_hu_per_mm=bound.edge_hu_per_mm,
        rival_share=judged.rival_share,
        staining_ml=staining_ml,
    )


def _thickness_mm(mask: np.ndarray, image: sitk.Image) -> float:
    """Diameter within slices of the largest disc inside a mask."""
    across = 2 - slice_axis(image)
    sampling = [ANOTHER_SLICE_MM if axis == across else step for axis, step in enumerate(image.GetSpacing()[::-1])]
    # One voxel beside the mask is enough to measure from: the rest of the box is farther away.
    (filled,) = ndimage.find_objects(mask.view(np.uint8))
    near = tuple(slice(max(part.start - 1, 0), part.stop + 1) for part in filled)
    return 2 * float(ndimage.distance_transform_edt(mask[near], sampling=sampling).max())
