"""Ventricles, cisterns and brainstem of the simulated head, in head coordinates (mm).

Places follow the usual stereotaxic atlas with the anterior commissure as origin and y to posterior.
"""

# The coordinates in mm are the drawing itself; naming each would hide it.
# ruff: noqa: PLR2004

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from HTSegmentationLib.simulate.fields import bump, ellipsoid, smooth_min, tube

Points = Sequence[np.ndarray]
"""Head coordinates x, y, z in mm."""


def ventricles(points: Points, size: tuple[float, float], noise: np.ndarray) -> np.ndarray:
    """Signed distance in mm to the ventricles.

    Args:
        points: Head coordinates x, y, z.
        size: What the radii of the right and left lateral ventricle are multiplied by, about 0.8 to 1.7.
        noise: Smooth field of standard deviation 1 that roughens the walls.
    """
    x, y, z = points
    ax = np.abs(x)
    growth = np.where(x > 0, size[1], size[0]).astype(np.float32)
    walls = (growth - 1) * 3.2 + 0.35 * noise
    folded = (ax, y, z)
    horn = tube(folded, [(6.5, -1, 15), (9.5, -17, 10), (17, -33, 4)], [2.6, 3.4, 1.6], (1.15, 1.0, 0.45))
    body = tube(folded, [(6.5, -1, 15), (10, 14, 20), (17, 30, 19), (23, 40, 13)], [2.8, 4.2, 4.8, 4.6], (1.0, 1.0, 0.9))
    occipital = tube(folded, [(23, 40, 11), (28, 52, 7), (24, 72, 5)], [4.6, 3.0, 0.4], (1.1, 1.0, 0.7))
    temporal = tube(folded, [(24, 40, 9), (33, 30, -6), (36, 14, -15), (31, 1, -20)], [3.4, 1.2, 0.9, 0.8])
    lateral = smooth_min(smooth_min(horn, body, 3.0), smooth_min(occipital, temporal, 3.0), 4.0)
    lateral = lateral - walls * np.clip(0.5 + (z + 6) / 20, 0.25, 1.2)
    lateral = np.maximum(lateral, 1.2 - ax)
    third_walls = 0.5 * (np.mean(size) - 1)
    third = ellipsoid(points, (0, 9, 1), (1.9 + 2.6 * third_walls, 13, 10))
    fourth = ellipsoid((ax + 0.35 * (y - 46), y, z), (0, 47, -31), (6.0, 5.2, 10.5))
    aqueduct = tube(points, [(0, 22, -2), (0, 35, -12), (0, 46, -26)], [0.9, 0.8, 1.2])
    return np.minimum(np.minimum(lateral, third), np.minimum(fourth, aqueduct))


def brainstem(points: Points) -> np.ndarray:
    """Signed distance in mm to midbrain, pons and medulla."""
    x, y, z = points
    stem = tube((x, y, z), [(0, 21, -4), (0, 23, -14)], [12.0, 12.5], (0.84, 1.0, 1.0))
    stem = smooth_min(stem, ellipsoid((np.abs(x), y, z), (8, 15, -8), (7.5, 7, 10)), 3.0)
    pons = ellipsoid(points, (0, 25, -28), (17, 13.5, 13.5))
    medulla = tube(points, [(0, 30, -38), (0, 38, -58), (0, 43, -95)], [10.0, 8.0, 6.0])
    notch = ellipsoid(points, (0, 9, -11), (4.5, 5, 10))
    return np.maximum(smooth_min(smooth_min(stem, pons, 5.0), medulla, 5.0), -notch)


def cisterns(points: Points, stem: np.ndarray, width_mm: float, noise: np.ndarray) -> np.ndarray:
    """Signed distance in mm to the cisterns at the base and about the brainstem.

    Args:
        points: Head coordinates x, y, z.
        stem: Signed distance to the brainstem.
        width_mm: Width of the cisterns about the brainstem, about 1.5 to 4.
        noise: Smooth field of standard deviation 1.
    """
    x, y, z = points
    ax = np.abs(x)
    about_stem = np.maximum(np.abs(stem - 0.5 * width_mm) - 0.5 * width_mm, np.maximum(z + 1, -z - 75))
    # In front, the temporal lobes close in on the midbrain.
    about_stem = about_stem + 1.6 * np.clip((17 - y) / 8, 0, 1) * (z > -22)
    peduncle = ellipsoid((ax, y, z), (17, 42, -32), (10, 14, 12))
    about_stem = np.maximum(about_stem, -peduncle)
    # Behind the pons lies the fourth ventricle, not a cistern.
    about_stem = np.maximum(about_stem, np.where(z < -16, y - 34 + 0.15 * (z + 16), -100))
    star = ellipsoid((ax, y, z), (0, -3, -17), (11, 8, 5.5))
    star = smooth_min(star, tube((ax, y, z), [(6, -4, -17), (22, -8, -14), (36, -14, -10)], [3.2, 2.2, 2.4]), 4.0)
    star = smooth_min(star, tube((ax, y, z), [(0, -8, -15), (0, -28, -12)], [2.4, 0.6]), 3.0)
    prepontine = ellipsoid(points, (0, 8, -27), (12, 3.2, 10))
    angle = tube((ax, y, z), [(15, 20, -34), (24, 25, -36)], [3.0, 2.2])
    quadrigeminal = ellipsoid((ax, y, z), (0, 37.5, -1), (9.5, 3.2, 6.0))
    vermian = ellipsoid(points, (0, 50, 2), (5.5, 9, 4.5))
    magna = ellipsoid(points, (0, 78, -53), (10, 14, 6.5))
    magna = smooth_min(magna, ellipsoid((ax, y, z), (0, 58, -60), (12, 14, 7)), 5.0)
    basal = np.minimum(np.minimum(star, prepontine), np.minimum(angle, quadrigeminal))
    distance = np.minimum(np.minimum(basal, vermian), np.minimum(magna, about_stem))
    return distance - 0.5 * (width_mm - 2.5) + 0.5 * noise


def deep_grey(points: Points, noise: np.ndarray) -> np.ndarray:
    """Signed distance in mm to caudate, lentiform nucleus and thalamus."""
    x, y, z = points
    ax = np.abs(x)
    folded = (ax, y, z)
    caudate = tube(
        folded, [(12.5, -19, 2), (13.5, -12, 9), (16, 4, 19), (20, 18, 21), (26, 34, 15)], [5.5, 5.4, 3.3, 2.4, 1.4]
    )
    # The lentiform nucleus is a lens that leans outward to posterior.
    lean = ax - 0.18 * (y - 0)
    lentiform = ellipsoid((lean, y, z), (24.5, 0, 2), (7.0, 17.5, 10))
    thalamus = ellipsoid((ax - 0.28 * (y - 18), y, z), (10.5, 18, 7), (7.8, 13.5, 9.5))
    thalamus = np.maximum(thalamus, 1.5 - ax)
    return np.minimum(np.minimum(caudate, lentiform), thalamus) + 0.5 * noise


def pallidum(points: Points) -> np.ndarray:
    """How much a place belongs to the globus pallidus, 0 to 1: it is denser, and calcified in some."""
    x, y, z = points
    return bump((np.abs(x) - 0.3 * y, y, z), (19.5, 2, 0), (2.6, 6.5, 4.5))
