"""From HU to the numbers that a network reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import SimpleITK as sitk

if TYPE_CHECKING:
    from HTSegmentationLib.inference.models.description import InputDescription

_LEAST_SD = 1e-6
"""A scan of one value has no SD to divide by: it becomes zeros."""


@dataclass(frozen=True)
class Intensity:
    """A HU window and what is done with the values in it: ``(HU - center) * scale + offset``.

    Args:
        window_hu: Lower and upper bound; values beyond are set to the bound.
        center: In HU.
        scale: Per HU.
        offset: The value of the centre.
    """

    window_hu: tuple[float, float]
    center: float
    scale: float
    offset: float

    def apply(self, hu: np.ndarray) -> np.ndarray:
        """The network's values of an array of HU, float32; the array itself is overwritten."""
        np.clip(hu, *self.window_hu, out=hu)
        hu -= np.float32(self.center)
        hu *= np.float32(self.scale)
        hu += np.float32(self.offset)
        return hu


def intensity(image: sitk.Image, brain: sitk.Image, description: InputDescription) -> Intensity:
    """What a model does with HU, with the numbers of one scan.

    ``"scale"`` maps the window to two values linearly. ``"z-score"`` takes mean and SD of the clipped HU on the scan's own
    voxels, in the brain or in the whole image, so that they depend neither on the network's grid nor on how much of the scan
    is cut out. A z-score over each patch is left to :mod:`HTSegmentationLib.inference.predictor`, which knows the patches.

    Args:
        image: The scan in HU.
        brain: Its brain mask.
        description: What the model says of its input.

    Example:
        >>> intensity(scan.image, prepared.brain_mask, model.description.input).center   # doctest: +SKIP
        33.4
    """
    low, high = description.window_hu
    kind = description.normalization
    if kind.kind == "scale":
        return Intensity((low, high), low, (kind.high - kind.low) / (high - low), kind.low)
    if kind.kind == "none" or kind.over == "patch":
        return Intensity((low, high), 0.0, 1.0, 0.0)
    hu = sitk.GetArrayViewFromImage(image)
    values = hu[sitk.GetArrayViewFromImage(brain) > 0] if kind.over == "brain" else hu
    clipped = np.clip(values, low, high).astype(np.float32)
    mean, sd = float(clipped.mean(dtype=np.float64)), float(clipped.std(dtype=np.float64))
    return Intensity((low, high), mean, 1 / sd if sd > _LEAST_SD else 0.0, 0.0)
