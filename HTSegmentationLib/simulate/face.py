"""Air, orbits and soft tissue outside the brain case of the simulated head."""

# The coordinates in mm are the drawing itself; naming each would hide it.
# ruff: noqa: PLR2004

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from HTSegmentationLib.simulate.fields import bump, ellipsoid, grid_noise, smooth_min, tube
from HTSegmentationLib.simulate.grid import HeadGrid
from HTSegmentationLib.simulate.skull import Skull


@dataclass(frozen=True)
class Face:
    """Fields on the modelling grid, distances in mm.

    Args:
        bone: Signed distance to all bone, brain case included.
        air: Signed distance to sinuses, nasal cavity, ear canals and mastoid cells.
        muscle: Above 0 muscle or gland, below 0 fat.
        globe: Signed distance to the eyeballs.
    """

    bone: np.ndarray
    air: np.ndarray
    muscle: np.ndarray
    globe: np.ndarray


def make_face(rng: np.random.Generator, grid: HeadGrid, skull: Skull) -> Face:
    """Draws the face of one head."""
    x, y, z = (p / s for p, s in zip((grid.x, grid.y, grid.z), skull.scale, strict=True))
    ax = np.abs(x)
    folded = (ax, y, z)
    fine, coarse, wide = (grid_noise(rng, grid, scale) for scale in (3.2, 9.0, 20.0))

    orbit = tube(folded, [(31, -70, -31), (30, -56, -31), (13, -22, -27)], [18.0, 17.0, 3.0])
    globe = ellipsoid(folded, (31.5, -67, -31), (12.2, 12.2, 12.0))
    ethmoid = np.maximum(np.maximum(ax - 12.5 - 0.06 * (y + 50), np.abs(y + 50) - 24), np.abs(z + 36) - 12)
    nasal = np.maximum(np.maximum(ax - 13, np.abs(y + 52) - 30), np.maximum(z + 46, -120 - z))
    sphenoid = ellipsoid((ax, y, z), (7, -10, -37), (9, 12, 8.5))
    maxillary = ellipsoid(folded, (30, -52, -66), (15, 17, 17))
    sinus = ellipsoid(folded, (9 + float(rng.normal(0, 2)), -77, -12), (13, 4.2, 12)) + 9.0 * (rng.random() < 0.15)
    canal = tube(folded, [(50, 18, -33), (86, 18, -33)], [3.0, 3.2])

    cells = ellipsoid(folded, (56, 33, -36), (13, 15, 17)) + 1.2
    mastoid = np.maximum(cells, 1.1 * fine + 0.2)
    walls = 1.6 - np.abs(1.8 * fine)
    air = np.minimum(np.maximum(ethmoid, walls), np.minimum(np.maximum(nasal, 1.2 - ax), sphenoid))
    air = np.minimum(np.minimum(air, maxillary), np.minimum(np.minimum(canal, mastoid), sinus + 0.8 * coarse))

    shell = np.maximum(orbit - 2.6, -orbit)
    shell = np.maximum(shell, -82 - y + 0.2 * ax)
    cheek = tube(folded, [(42, -62, -50), (58, -44, -48), (68, -8, -42)], [6.0, 4.0, 3.0])
    condyle = ellipsoid(folded, (52, 2, -48), (8, 5, 8))
    jaw = np.abs(maxillary) - 1.3
    septum = np.maximum(nasal, np.abs(x) - 1.0)
    block = np.maximum(np.maximum(ethmoid - 1.5, -ethmoid - 3.0), -70 - y)
    skull_base = np.maximum(ellipsoid(folded, (0, -8, -36), (24, 18, 13)), -45 - z)
    neck = np.maximum(np.abs(np.hypot(x / 1.25, y - 42) - 17) - 5, z + 62)
    bones = [shell, cheek, condyle, jaw, septum, block, skull_base, neck, cells - 2.0]
    bone = bones[0]
    for other in bones[1:]:
        bone = smooth_min(bone, other, 1.5)
    bone = np.minimum(skull.bone, np.maximum(bone, skull.skin + 4.0))
    # The orbit is carved out of the bone, but its roof stays.
    bone = np.maximum(bone, -np.maximum(orbit, 2.5 - skull.cavity))

    temporalis = np.maximum(skull.bone - 8.5 * bump((ax, y, z), (64, -22, 2), (16, 22, 24)) - 0.6, -skull.bone)
    deep = 7.0 + skull.skin
    muscle = np.maximum(-temporalis, np.where(z < -20, -deep + 3 * wide, -3.0))
    muscle = np.where(orbit < 0, -2.0, muscle)
    rectus = np.abs(np.hypot(ax - 22 - 0.32 * (-y - 40), z + 31) - 9.5) - 1.6
    rectus = np.maximum(np.maximum(rectus, orbit), np.abs(np.abs(ax - 22 - 0.32 * (-y - 40)) - 9) - 4)
    nerve = tube(folded, [(30, -55, -31), (14, -22, -26)], [2.0, 1.8])
    muscle = np.maximum(muscle, -np.minimum(rectus, nerve))
    return Face(bone.astype(np.float32), air.astype(np.float32), np.clip(muscle, -6, 6).astype(np.float32), globe)
