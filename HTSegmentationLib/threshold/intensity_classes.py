"""K-means on HU: air, fat/CSF, brain and bone, found in the scan itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_CLIP_HU = (-200, 300)
"""Values are clipped before clustering: air and metal would else pull a class of their own away from the tissues."""

_START_HU = (-200.0, -80.0, 35.0, 300.0)
"""Where the four classes start: air, fat/CSF, brain, bone as clipped."""

_MOST_ROUNDS = 100
"""Far more rounds than four classes on 501 values need."""


@dataclass(frozen=True)
class IntensityClasses:
    """Mean HU of the four classes.

    Args:
        air: Air and what is clipped to it.
        fat: Fat, CSF and the partial volume between air and tissue.
        brain: Brain, and other soft tissue.
        bone: Bone, at most 300 HU because values are clipped there.
    """

    air: float
    fat: float
    brain: float
    bone: float

    @property
    def brain_lower_hu(self) -> float:
        """The border between fat and brain."""
        return (self.fat + self.brain) / 2

    @property
    def brain_upper_hu(self) -> float:
        """The border between brain and bone; well above blood (at most about 100 HU)."""
        return (self.brain + self.bone) / 2


def intensity_classes(values: np.ndarray) -> IntensityClasses:
    """Clusters HU into four classes by k-means (Lloyd's rounds on the histogram, which is exact for whole HU).

    Args:
        values: HU of any shape; rounded to whole HU.

    Example:
        >>> classes = intensity_classes(np.repeat([-1000, -90, 35, 900], 1000))
        >>> round(classes.brain)
        35
    """
    low, high = _CLIP_HU
    clipped = np.clip(np.rint(values), low, high).astype(np.int32).ravel()
    counts = np.bincount(clipped - low, minlength=high - low + 1)
    levels = np.arange(low, high + 1)
    voxels_below = np.concatenate([[0], np.cumsum(counts)])
    sum_below = np.concatenate([[0], np.cumsum(counts * levels)])
    means = np.array(_START_HU)
    for _ in range(_MOST_ROUNDS):
        borders = np.searchsorted(levels, (means[1:] + means[:-1]) / 2)
        borders = np.concatenate([[0], borders, [levels.size]])
        voxels = np.diff(voxels_below[borders])
        updated = np.where(voxels > 0, np.diff(sum_below[borders]) / np.maximum(voxels, 1), means)
        if np.array_equal(updated, means):
            break
        means = updated
    return IntensityClasses(*(float(mean) for mean in means))
