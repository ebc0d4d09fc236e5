"""The lower bound on the contrast of blood, which follows from the bleed's own density."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from HTSegmentationLib.ct.geometry import slice_axis
from HTSegmentationLib.threshold.robust.contrast import LocalContrast
from HTSegmentationLib.threshold.robust.parameters import RobustParameters

START_CONTRAST_HU = 12.0
"""Where the bleed's parts are first looked for: midway between the noise of a hard scan and the contrast of faint blood."""

_DENSE_SHARE = 0.9
"""A tenth of the bleed is its dense part: a higher share would be noise in small bleeds."""

_NOISE_SDS = 2.7
"""The bound lies at least this many SDs above the tissue around: below, noise joins all of the ROI to the bleed."""

_MAD_TO_SD = 1.4826
"""Ratio of a normal distribution's SD to its median absolute deviation."""

_BAND_HU = 1.0
"""Voxels within this distance of the bound are its border."""


@dataclass(frozen=True)
class Bound:
    """A lower bound and where it comes from.

    Args:
        contrast_hu: Lower bound on the contrast to the tissue around, in HU.
        dense_contrast_hu: Contrast that a tenth of the bleed exceeds, in HU.
        edge_hu_per_mm: Mean gradient within slices along the border at that bound.
    """

    contrast_hu: float
    dense_contrast_hu: float
    edge_hu_per_mm: float


def choose_bound(field: LocalContrast, bleed: np.ndarray, parameters: RobustParameters) -> Bound:
    """A share of the contrast of the bleed's dense part, within limits.

    Args:
        field: The ROI's box.
        bleed: The parts that are the bleed at :data:`START_CONTRAST_HU`, (z, y, x), not empty.
        parameters: The share and its limits.
    """
    dense = float(np.quantile(field.contrast[bleed], _DENSE_SHARE))
    noise = min(_NOISE_SDS * _background_sd(field), START_CONTRAST_HU)
    least = min(max(parameters.least_contrast_hu, noise), parameters.most_contrast_hu)
    bound = float(np.clip(parameters.bound_share * dense, least, parameters.most_contrast_hu))
    return Bound(bound, dense, _edge(field, _widened(bleed, field), bound))


def _background_sd(field: LocalContrast) -> float:
    """Robust SD in HU of the contrast of tissue that is no candidate: noise that smoothing left, and the cortex's folds."""
    quiet = field.contrast[field.tissue & (np.abs(field.contrast) < START_CONTRAST_HU)]
    return float(_MAD_TO_SD * np.median(np.abs(quiet - np.median(quiet)))) if quiet.size else 0.0


def _gradient(field: LocalContrast) -> np.ndarray:
    """Magnitude of the gradient within slices in HU per mm."""
    across = 2 - slice_axis(field.image)
    spacing = field.image.GetSpacing()[::-1]
    along = [axis for axis in range(3) if axis != across and field.smoothed.shape[axis] > 1]
    parts = [np.gradient(field.smoothed, spacing[axis], axis=axis) for axis in along]
    return np.sqrt(sum(part * part for part in parts)) if parts else np.zeros_like(field.smoothed)


def _widened(bleed: np.ndarray, field: LocalContrast) -> np.ndarray:
    """The bleed and two voxels beside it, without what is no brain tissue."""
    return ndimage.binary_dilation(bleed, iterations=2) & field.tissue


def _edge(field: LocalContrast, near: np.ndarray, bound_hu: float) -> float:
    """Mean gradient where the contrast passes through a bound; 0 where it nowhere does."""
    border = _gradient(field)[near & (np.abs(field.contrast - bound_hu) < _BAND_HU)]
    return float(border.mean()) if border.size else 0.0
