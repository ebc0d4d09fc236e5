"""Skull, scalp and skull base of the simulated head.

Shapes follow adult head CT in head coordinates (mm about the anterior commissure, y to posterior): inner table
136 x 170 mm at the level of the ventricles, vertex 85 mm above the commissures, widest behind the middle.
"""

# The coordinates in mm are the drawing itself; naming each would hide it.
# ruff: noqa: PLR2004

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from HTSegmentationLib.simulate.fields import bump, grid_noise, smooth_min
from HTSegmentationLib.simulate.grid import HeadGrid

_TABLE_STEP_MM = 1.0
"""Spacing of the skull base's height map."""

_TABLE_HALF_MM = 125.0
"""Half width of the skull base's height map, in head coordinates."""


@dataclass(frozen=True)
class Skull:
    """Signed distances in mm on the modelling grid, negative inside.

    Args:
        cavity: Inside of the inner table and above the skull base.
        bone: Outer surface of the skull, cavity included.
        skin: Outer surface of the head.
        radius: 0 at the cavity's middle, 1 at the inner table of the vault, as if there were no skull base.
        center: The middle that ``radius`` is measured from, head coordinates (x, y, z).
        scale: This head's size (x, y, z) over the average head's.
        below_floor: Height of the skull base over each node in mm; positive below it.
    """

    cavity: np.ndarray
    bone: np.ndarray
    skin: np.ndarray
    radius: np.ndarray
    center: tuple[float, float, float]
    scale: tuple[float, float, float]
    below_floor: np.ndarray


def make_skull(rng: np.random.Generator, grid: HeadGrid) -> Skull:
    """Draws one skull."""
    scale = tuple(float(s) for s in 1 + np.clip(rng.normal(0, 0.022, 3), -0.05, 0.05))
    x, y, z = grid.x / scale[0], grid.y / scale[1], grid.z / scale[2]
    center = (0.0, 15.0, 12.0)
    radius, vault = _vault(rng, grid, (x, y, z), center)
    floor, thickness = _base_maps()
    below_floor = _look_up(floor, x, y) - z + 0.8 * grid_noise(rng, grid, 9.0)
    cavity = _smooth_max(vault, 0.8 * below_floor, 5.0)

    bone_thickness = _vault_thickness(rng, grid, (x, y, z))
    base_depth = 0.8 * (below_floor - _look_up(thickness, x, y))
    bone = _smooth_max(vault - bone_thickness, base_depth, 3.0)
    temple = bump((np.abs(x), y, z), (64, -22, 0), (14, 20, 24))
    nape = bump((x, y, z), (0, 105, -45), (55, 30, 25))
    scalp = 5.0 + 0.7 * grid_noise(rng, grid, 28.0) + 8.5 * temple + 14 * nape + 2.0 * bump((y, z), (95, 10), (25, 30))
    skin = smooth_min(vault - bone_thickness - np.maximum(scalp, 2.5), _face(x, y, z), 8.0)
    skin = smooth_min(skin, _ears(rng, x, y, z), 1.5)
    return Skull(cavity, bone, skin, radius, center, scale, below_floor)


def _vault(
    rng: np.random.Generator,
    grid: HeadGrid,
    points: tuple[np.ndarray, np.ndarray, np.ndarray],
    center: tuple[float, float, float],
) -> tuple[np.ndarray, np.ndarray]:
    """Egg-shaped inner table: relative radius, and distance along the ray from the middle."""
    x, y, z = points
    dy = y - center[1] - 7.0 * np.clip((z - 35) / 45, 0, 1.3)
    dz = z - center[2]
    half_width = 65.5 + 3.0 * np.tanh((y - 20) / 35) - 4.5 * bump((y, z), (-52, 0), (22, 40))
    half_height = np.where(dz > 0, 71.0, 82.0)
    asymmetry = 1 + float(rng.normal(0, 0.012)) * np.tanh(x / 20) * np.tanh(dy / 40)
    across = np.abs(x / (half_width * asymmetry)) ** 2.2 + np.abs(dy / 84.0) ** 2.2
    radius = np.sqrt(across ** (2 / 2.2) + (dz / half_height) ** 2)
    distance = np.sqrt(x**2 + dy**2 + dz**2)
    vault = distance * (1 - 1 / np.maximum(radius, 0.05)) * 0.95
    return radius.astype(np.float32), (vault + 0.8 * grid_noise(rng, grid, 26.0)).astype(np.float32)


def _vault_thickness(
    rng: np.random.Generator, grid: HeadGrid, points: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> np.ndarray:
    """Thickness in mm: squama of the temporal bone 3, vault 6, frontal and occipital 8, crest at the protuberance."""
    x, y, z = points
    ax = np.abs(x)
    base = 6.2 + float(rng.normal(0, 0.8))
    thickness = base + 0.7 * grid_noise(rng, grid, 16.0)
    thickness -= 2.6 * bump((ax, y, z), (66, 5, -5), (16, 28, 20))
    thickness += 2.2 * bump((y, z), (-72, 5), (16, 25)) + 1.5 * bump((y, z), (90, 30), (25, 25))
    thickness += 2.5 * bump((x, y, z), (0, 98, -8), (9, 18, 12)) + 3.0 * bump((ax, y, z), (62, 48, -30), (14, 14, 16))
    return np.maximum(thickness, 2.4)


def _base_maps() -> tuple[np.ndarray, np.ndarray]:
    """Height of the skull base's upper surface and its thickness, both in mm, over (y, x) in head coordinates."""
    axis = np.arange(-_TABLE_HALF_MM, _TABLE_HALF_MM + 1, _TABLE_STEP_MM)
    y, x = np.meshgrid(axis, axis, indexing="ij")
    ax = np.abs(x)
    ridge_y = 13 + 0.72 * (ax - 16)
    wing_y = -24 + 0.012 * (ax - 30) ** 2
    anterior = -19 + 7.5 * bump((ax, y), (29, -45), (13, 20)) - 4.5 * bump((ax,), (0,), (7,))
    middle = -25 - 19 * _step(ax - 19, 5)
    sella = bump((x, y), (0, -3), (9, 5))
    middle = middle - 5 * sella + 6 * bump((ax, y), (4, 6), (5, 1.8)) + 9 * bump((ax, y), (12, -13), (5, 5))
    posterior = -57 + 4 * bump((x,), (0,), (4,)) * (y > 60) + 18 * _step(y - 88, 8) + 12 * _step(ax - 48, 8)
    clivus = np.clip(-18 - 2.2 * (y - 8), -95, -18)
    posterior = np.where(y < 26, np.maximum(clivus, posterior), posterior)
    magnum = ((ax / 15) ** 2 + ((y - 43) / 18) ** 2) < 1
    posterior = np.where(magnum, -140, posterior)
    floor = np.where(y < wing_y, anterior, np.where(y < ridge_y, middle, posterior))
    petrous = bump((y - ridge_y,), (0,), (5.5,)) * _step(ax - 12, 4) * (1 - 0.35 * _step(ax - 52, 5))
    floor = np.maximum(floor, -57 + 35 * petrous)
    floor = np.maximum(floor, np.where(y < wing_y + 4, -40 + 25 * bump((y - wing_y,), (0,), (3.5,)), -140))
    floor = ndimage.gaussian_filter(floor, 1.8)
    thickness = 3.5 + 16 * petrous + 10 * bump((x, y), (0, 12), (12, 10)) + 3 * (y > ridge_y)
    thickness += 14 * bump((ax, y), (60, 40), (12, 14)) + 6 * bump((ax, y), (30, -24), (22, 4))
    return floor.astype(np.float32), ndimage.gaussian_filter(thickness, 2.0).astype(np.float32)


def _face(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """The head below the vault: cheeks, nose and neck."""
    ax = np.abs(x)
    width = 66 - 10 * np.clip((-25 - z) / 50, 0, 1) - 12 * np.clip((-y - 45) / 45, 0, 1)
    face = ((ax / width) ** 2.6 + (np.abs(y + 18) / 70) ** 2.6) ** (1 / 2.6)
    face = (face - 1) * 62 + np.maximum(z + 14, 0) * 0.9
    neck = (np.sqrt((ax / 62) ** 2 + ((y - 48) / 62) ** 2) - 1) * 60 + np.maximum(z + 40, 0) * 0.9
    nose = np.sqrt((ax / 9) ** 2 + ((y + 84) / (6 + 16 * np.clip((-24 - z) / 26, 0, 1))) ** 2) - 1
    nose = nose * 8 + np.maximum(z + 20, 0)
    return smooth_min(smooth_min(face, neck, 14.0), nose, 6.0)


def _ears(rng: np.random.Generator, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Both pinnae: thin curved plates that stand off behind the ear canal."""
    plate = np.abs(np.abs(x) - 76 - 0.42 * (y - 18) + 0.012 * (y - 24) ** 2) - 1.6 - 0.4 * float(rng.random())
    outline = (np.sqrt(((y - 28) / 15) ** 2 + ((z + 26) / 27) ** 2) - 1) * 15
    return np.maximum(plate, outline)


def _look_up(table: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    coordinates = [(a.ravel() + _TABLE_HALF_MM) / _TABLE_STEP_MM for a in (y, x)]
    return ndimage.map_coordinates(table, coordinates, order=1, mode="nearest").reshape(x.shape)


def _smooth_max(first: np.ndarray, second: np.ndarray, radius_mm: float) -> np.ndarray:
    return -smooth_min(-first, -second, radius_mm)


def _step(value: np.ndarray, width: float) -> np.ndarray:
    return 0.5 + 0.5 * np.tanh(value / width)
