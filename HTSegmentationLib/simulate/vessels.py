"""Dense and calcified things in the simulated head: falx, tentorium, sinuses, arteries, choroid plexus, pineal."""

# The coordinates in mm are the drawing itself; naming each would hide it.
# ruff: noqa: PLR2004

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from HTSegmentationLib.simulate.brain import Brain
from HTSegmentationLib.simulate.fields import ellipsoid, grid_noise, tube
from HTSegmentationLib.simulate.grid import HeadGrid
from HTSegmentationLib.simulate.skull import Skull


@dataclass(frozen=True)
class DenseThings:
    """Fields on the modelling grid.

    Args:
        blood_pool: Signed distance in mm to arteries and venous sinuses.
        blood_pool_hu: Their HU; it grows with the hematocrit.
        falx: Half thickness of the falx about the midline in mm, negative where there is none.
        calcium: Signed distance in mm to calcifications.
        calcium_hu: Their HU, 80 to 320.
    """

    blood_pool: np.ndarray
    blood_pool_hu: float
    falx: np.ndarray
    calcium: np.ndarray
    calcium_hu: float


def make_dense_things(
    rng: np.random.Generator,
    grid: HeadGrid,
    skull: Skull,
    brain: Brain,
    points: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> DenseThings:
    """Draws vessels, dura and calcifications of one head."""
    x, y, z = points
    ax = np.abs(x)
    depth = -skull.cavity
    arteries = tube(
        (ax, y, z), [(5.5, -3, -22), (7.5, -5, -15), (22, -6, -13), (34, -12, -9), (40, -8, -5)], [2.0, 1.7, 1.4, 1.2, 0.8]
    )
    basilar = tube((x, y, z), [(0, 9.5, -42), (float(rng.normal(0, 1.5)), 7.5, -28), (0, 7, -17)], [1.4, 1.7, 1.6])
    sagittal = np.maximum(ax + 0.75 * depth - 5.0, np.maximum(-depth - 1, -np.minimum(z + 4, 20)))
    transverse = np.maximum(np.hypot(brain.tent.offset, depth - 1.5) - 3.4, np.maximum(8 - y, 20 - ax) * 0.5)
    transverse = np.maximum(transverse, np.maximum(38 - y, z + 2))
    torcula = ellipsoid((x, y, depth), (0, 97, 2), (9, 7, 5)) + np.abs(brain.tent.offset) * 0.6
    straight = tube((x, y, z), [(0, 48, 6), (0, 92, -6)], [1.4, 2.0])
    pool = np.minimum(
        np.minimum(np.minimum(arteries, basilar), sagittal), np.minimum(np.minimum(transverse, torcula), straight)
    )

    callosum = (np.sqrt(((y - 3) / 38) ** 2 + ((z - 2) / 26) ** 2) - 1) * 26
    reach = np.minimum(callosum - 3 - 10 * np.clip((20 - y) / 70, 0, 1), depth + 4)
    falx = np.minimum(0.75 + 0.25 * grid_noise(rng, grid, 14.0), 0.4 * reach)
    falx = np.minimum(falx, np.where(y > 20, 0.5 * (brain.tent.offset + 3), 9))

    pineal = ellipsoid((x, y, z), (float(rng.normal(0, 0.4)), 31, 3), (2.2, 2.6, 2.2)) + 2.5 * (rng.random() < 0.3)
    plexus = tube((ax, y, z), [(19, 36, 14), (23, 41, 9)], [1.6, 2.4])
    plexus = plexus + 0.9 * grid_noise(rng, grid, 4.0) + np.where(x > 0, *rng.choice((0.0, 1.2, 4.0), 2)).astype(np.float32)
    plate = np.maximum(np.hypot(x, (y + 45) * 0.25) - 1.2, np.abs(z - 45) - 6) + 6.0 * (rng.random() < 0.65)
    calcium = np.minimum(np.minimum(pineal, plexus), plate)
    return DenseThings(
        blood_pool=pool,
        blood_pool_hu=float(rng.uniform(44, 60)),
        falx=falx.astype(np.float32),
        calcium=calcium,
        calcium_hu=float(rng.uniform(130, 320)),
    )
