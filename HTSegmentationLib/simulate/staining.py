"""Contrast agent in infarcted grey matter: as dense as blood, but no blood."""

from __future__ import annotations

import numpy as np

from HTSegmentationLib.simulate.fields import grid_noise, ramp
from HTSegmentationLib.simulate.grid import HeadGrid

_GAIN_HU = 62.0
"""Full staining lifts infarcted grey matter of 25 HU to some 60 to 90 HU; after a thrombectomy 60 to 120 HU are seen."""

STAINED_HU = 10.0
"""From this gain on a voxel counts as stained: below it, staining does not rise above healthy grey matter."""


def staining_gain(rng: np.random.Generator, grid: HeadGrid, infarct: np.ndarray, strength: float) -> np.ndarray:
    """By how many HU grey matter is lifted where it lies, on the modelling grid.

    The agent leaks where the infarct is worst: in patches of the cortex and of the deep nuclei that lie in the infarct.

    Args:
        rng: Source of randomness.
        grid: The modelling grid.
        infarct: Share of infarcted tissue.
        strength: 0 to 1.
    """
    patches = ramp(0.35 + 0.8 * grid_noise(rng, grid, 8.0), 1.6)
    uneven = 1 + 0.18 * grid_noise(rng, grid, 3.5)
    return (strength * _GAIN_HU * infarct * patches * np.clip(uneven, 0.4, 1.6)).astype(np.float32)
