"""What brain measures in this very scan: grey and white matter, and the noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.ct.geometry import slice_axis

_BLOCK_MM = 2.0
"""Voxels are averaged over blocks of this width within slices: noise falls to about a third, the cortex stays."""

_AROUND_MEDIAN_HU = 12.0
"""Grey and white matter lie within this distance of the brain's median; CSF, blood and calcium do not."""

_USUAL_WHITE_HU, _USUAL_GREY_HU = 28.0, 37.0
"""What stands in for a brain too small to tell its two classes (fewer than :data:`_LEAST_BLOCKS` blocks)."""

_LEAST_BLOCKS = 200
"""Fewer blocks of brain than this do not tell grey from white matter."""

_MOST_ROUNDS = 50
"""Far more rounds than two classes on 25 values need."""

_STEP_HU = 0.25
"""Width of the histogram's bins."""

_LAG_MM = 2.0
"""Noise is told by voxels this far apart within a slice: their noise is independent, their tissue mostly the same."""

_MAD_TO_SD = 1.4826
"""Ratio of a normal distribution's SD to its median absolute deviation."""

_EVERY = 2
"""Every second row is enough to measure the noise."""


@dataclass(frozen=True)
class TissueModel:
    """HU of the brain of one scan.

    Args:
        white_hu: Centre of the darker class of brain.
        grey_hu: Centre of the brighter class of brain.
        noise_hu: Standard deviation of the noise of one voxel.
    """

    white_hu: float
    grey_hu: float
    noise_hu: float


def tissue_model(image: sitk.Image, tissue: sitk.Image) -> TissueModel:
    """Measures grey matter, white matter and noise in the whole brain of a scan.

    Blocks of brain are split into two classes by k-means. The noise is the median absolute difference of voxels 2 mm
    apart, over the root of two, so that edges between tissues do not count.

    Args:
        image: The scan in HU.
        tissue: 1 in brain without bone's rim, 0 elsewhere, on the same grid.

    Example:
        >>> tissue_model(prepared.scan.image, prepared.tissue_mask).grey_hu   # doctest: +SKIP
    """
    across = slice_axis(image)
    factors = [
        1 if axis == across else max(1, round(_BLOCK_MM / spacing)) for axis, spacing in enumerate(image.GetSpacing())
    ]
    blocks = sitk.BinShrink(sitk.Cast(image, sitk.sitkFloat32), factors)
    filled = sitk.BinShrink(sitk.Cast(tissue, sitk.sitkFloat32), factors)
    values = sitk.GetArrayViewFromImage(blocks)[sitk.GetArrayViewFromImage(filled) > 1 - 1e-3]
    white, grey = _two_classes(values)
    return TissueModel(white, grey, _noise(image, tissue, across))


def _two_classes(values: np.ndarray) -> tuple[float, float]:
    """Centres of the two classes around the median, by Lloyd's rounds on the histogram."""
    if values.size < _LEAST_BLOCKS:
        return _USUAL_WHITE_HU, _USUAL_GREY_HU
    median = float(np.median(values))
    edges = np.arange(median - _AROUND_MEDIAN_HU, median + _AROUND_MEDIAN_HU + _STEP_HU / 2, _STEP_HU)
    counts, _ = np.histogram(values, bins=edges)
    levels = (edges[1:] + edges[:-1]) / 2
    low, high = median - _AROUND_MEDIAN_HU / 3, median + _AROUND_MEDIAN_HU / 3
    for _ in range(_MOST_ROUNDS):
        upper = levels > (low + high) / 2
        sums = [(counts[part] * levels[part]).sum() / max(counts[part].sum(), 1) for part in (~upper, upper)]
        if sums == [low, high]:
            break
        low, high = sums
    return float(low), float(high)


def _noise(image: sitk.Image, tissue: sitk.Image, across: int) -> float:
    """SD in HU of one voxel's noise; 0 where no two voxels of brain lie beside each other."""
    along = 0 if across != 0 else 1
    lag = max(1, round(_LAG_MM / image.GetSpacing()[along]))
    values = np.moveaxis(sitk.GetArrayViewFromImage(image), 2 - along, -1)[:, ::_EVERY]
    inside = np.moveaxis(sitk.GetArrayViewFromImage(tissue), 2 - along, -1)[:, ::_EVERY] > 0
    both = inside[..., lag:] & inside[..., :-lag]
    differences = values[..., lag:][both].astype(np.float32) - values[..., :-lag][both]
    return float(_MAD_TO_SD * np.median(np.abs(differences)) / np.sqrt(2)) if differences.size else 0.0
