"""Calcium beyond what most heads have: in the basal ganglia, and single deposits about the lesion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from HTSegmentationLib.simulate.anatomy import Anatomy
from HTSegmentationLib.simulate.fields import ellipsoid, grid_noise
from HTSegmentationLib.simulate.grid import HeadGrid
from HTSegmentationLib.simulate.infarct import Lesion

_HU = (120.0, 340.0)
"""Calcified basal ganglia and vessel walls measure 100 to over 300 HU in their cores; thick slices lower that."""

_FIRST_MM, _LAST_MM = 4.0, 11.0
"""Deposits about the lesion lie this far outside of the ball that has the hemorrhage's volume: in the ROI or at its rim."""


@dataclass(frozen=True)
class Calcification:
    """Calcium on the modelling grid.

    Args:
        distance: Signed distance in mm to it.
        hu: What it measures.
    """

    distance: np.ndarray
    hu: float


def make_calcification(rng: np.random.Generator, grid: HeadGrid, anatomy: Anatomy, lesion: Lesion | None) -> Calcification:
    """Draws the calcium of one head.

    Args:
        rng: Source of randomness.
        grid: The modelling grid.
        anatomy: The head.
        lesion: Where the lesion lies; None without one.
    """
    x, y, z = (p / s for p, s in zip((grid.x, grid.y, grid.z), anatomy.scale, strict=True))
    ax = np.abs(x)
    size = np.where(x > 0, *rng.uniform(0.75, 1.15, 2)).astype(np.float32)
    lean = ax - 0.3 * y
    pallidum = ellipsoid((lean, y, z), (19.5, 2, 1), (3.0, 7.0, 4.5)) + 3.0 * (1 - size)
    distance = pallidum + 1.1 * grid_noise(rng, grid, 4.0)
    for center in _places(rng, lesion):
        radius = float(rng.uniform(1.6, 3.2))
        deposit = ellipsoid((grid.x, grid.y, grid.z), center, radius * np.exp(rng.normal(0, 0.25, 3)))
        distance = np.minimum(distance, deposit + 0.4 * grid_noise(rng, grid, 4.0))
    return Calcification(np.maximum(distance, anatomy.cavity + 4.0).astype(np.float32), float(rng.uniform(*_HU)))


def _places(rng: np.random.Generator, lesion: Lesion | None) -> list[np.ndarray]:
    """Middles of two to four deposits, head coordinates in mm."""
    count = int(rng.integers(2, 5))
    places = []
    for _ in range(count):
        away = rng.normal(0, 1, 3) * (1, 1, 0.6)
        away /= max(float(np.linalg.norm(away)), 0.1)
        distance = float(rng.uniform(_FIRST_MM, _LAST_MM))
        if lesion is not None:
            place = np.array(lesion.center) + away * (1.15 * lesion.radius_mm + distance)
            place[0] = lesion.sign * max(lesion.sign * place[0], 8.0)
            places.append(place)
        else:
            places.append(np.array((40.0 * np.sign(away[0]), 5.0, 12.0)) + 2.0 * distance * away)
    return places
