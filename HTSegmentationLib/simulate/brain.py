"""Brain of the simulated head: folded cortex, fissures, nuclei, cerebellum.

Sulci and fissures are sheets: a field whose zero level is the sheet, in mm, and the half width of the CSF in it, in mm.
Where the half width is negative there is no CSF but still cortex beside the sheet, until that ends, too.
"""

# The coordinates in mm are the drawing itself; naming each would hide it.
# ruff: noqa: PLR2004

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from HTSegmentationLib.simulate.fields import bump, grid_noise
from HTSegmentationLib.simulate.grid import HeadGrid
from HTSegmentationLib.simulate.skull import Skull
from HTSegmentationLib.simulate.ventricles import brainstem, cisterns, deep_grey, pallidum, ventricles

_FOLD_MM = 5.2
"""Knot distance of the noise whose zero levels are the sulci: gyri come out about 10 mm wide."""

_RADIAL_SHARE = 0.55
"""How far sulci follow rays from the brain's middle: 0 not at all, 1 exactly."""

_TOO_FAR_MM = 60.0
"""Stands for nowhere near."""


@dataclass(frozen=True)
class Sheet:
    """A sulcus or fissure: signed distance from its middle and half width of its CSF, both in mm."""

    offset: np.ndarray
    half_width: np.ndarray

    def narrowed(self, share: np.ndarray, limit_mm: float = -1.0) -> Sheet:
        """The sheet with its CSF squeezed out where ``share`` is 1; the cortex beside it stays."""
        target = np.minimum(self.half_width, limit_mm)
        return replace(self, half_width=self.half_width + share * (target - self.half_width))


@dataclass(frozen=True)
class Brain:
    """Fields on the modelling grid, in mm unless said otherwise.

    Args:
        sulci: All sulci of the cerebrum.
        midline: The interhemispheric fissure.
        sylvian: The lateral fissure.
        insular: The cistern over the insula.
        tent: The tentorium.
        subarachnoid: Width of the CSF under the inner table.
        ventricles: Signed distance to the ventricles.
        cisterns: Signed distance to the basal cisterns.
        nuclei: Signed distance to the deep grey matter.
        cerebellum: Signed distance to the cerebellum.
        brainstem: Signed distance to the brainstem.
        offset_hu: Slow variation of the tissue's HU: white matter changes, pallidum.
    """

    sulci: Sheet
    midline: Sheet
    sylvian: Sheet
    insular: Sheet
    tent: Sheet
    subarachnoid: np.ndarray
    ventricles: np.ndarray
    cisterns: np.ndarray
    nuclei: np.ndarray
    cerebellum: np.ndarray
    brainstem: np.ndarray
    offset_hu: np.ndarray


def brain_points(rng: np.random.Generator, grid: HeadGrid, skull: Skull) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Head coordinates bent by smooth random fields, so that no two hemispheres are alike, in the average head's size."""
    bent = [
        p / s + a * grid_noise(rng, grid, 26.0)
        for p, s, a in zip((grid.x, grid.y, grid.z), skull.scale, (1.3, 2.0, 1.7), strict=True)
    ]
    return bent[0].astype(np.float32), bent[1].astype(np.float32), bent[2].astype(np.float32)


def make_brain(
    rng: np.random.Generator,
    grid: HeadGrid,
    skull: Skull,
    points: tuple[np.ndarray, np.ndarray, np.ndarray],
    atrophy: float,
) -> Brain:
    """Draws one brain.

    Args:
        rng: Source of randomness.
        grid: The modelling grid.
        skull: What it has to fit in.
        points: Head coordinates that the brain's parts are looked up at; displaced where something pushes.
        atrophy: 0 to 1.
    """
    _, y, z = points
    rough, wide = grid_noise(rng, grid, 5.0), grid_noise(rng, grid, 16.0)
    tent_offset, behind = tentorium(points)
    stem = brainstem(points)
    subarachnoid = np.maximum(0.5 + 1.6 * atrophy + 0.7 * wide, 0.2)
    subarachnoid = subarachnoid + (0.5 + 1.2 * atrophy) * bump((y, z), (-55, 35), (25, 40))
    fossa = np.maximum(tent_offset + 1.2, -behind)
    cerebellum = np.maximum(np.maximum(fossa, skull.cavity + 1.0), -(stem - 0.8))
    sulci = _sulci(rng, grid, skull, points, atrophy=atrophy, wide=wide)
    under_tent = np.clip(-fossa / 2, 0, 4)
    sulci = replace(sulci, half_width=sulci.half_width - 3 * under_tent - np.clip(6 - stem, 0, 6))
    size = 0.95 + 0.6 * atrophy + rng.normal(0, 0.1) + rng.normal(0, 0.06, 2)
    ventricle = ventricles(points, (float(size[0]), float(size[1])), rough)
    small_vessel = 4.5 * atrophy * np.exp(-np.clip(ventricle, 0, 40) / 5.0) * (z > -5)
    wavy = grid_noise(rng, grid, 7.0)
    return Brain(
        sulci=sulci,
        midline=_midline(points, atrophy, wide, stem),
        sylvian=_sylvian(points, atrophy, wide, wavy),
        insular=_insular(points, atrophy, wide, wavy),
        tent=Sheet(tent_offset, np.minimum(0.8 + 0.4 * atrophy - np.clip(-behind, 0, 9), (stem - 3) * 0.5)),
        subarachnoid=subarachnoid,
        ventricles=ventricle,
        cisterns=np.maximum(cisterns(points, stem, 1.4 + 1.6 * atrophy, 1.6 * wide + 0.4 * rough), skull.cavity),
        nuclei=deep_grey(points, rough),
        cerebellum=cerebellum,
        brainstem=stem,
        offset_hu=3.0 * pallidum(points) - small_vessel + 0.5 * wide + 0.35 * rough,
    )


def _sulci(
    rng: np.random.Generator,
    grid: HeadGrid,
    skull: Skull,
    points: tuple[np.ndarray, np.ndarray, np.ndarray],
    *,
    atrophy: float,
    wide: np.ndarray,
) -> Sheet:
    """Sheets that run inward from the surface, of varying depth."""
    pattern = grid_noise(rng, grid, _FOLD_MM) - 0.55 * grid_noise(rng, grid, 2 * _FOLD_MM)
    radius = np.clip(skull.radius, 0.6, 1.3)
    stretch = (1 - _RADIAL_SHARE) + _RADIAL_SHARE / radius
    scan = np.meshgrid(grid.axis_z, grid.axis_y, grid.axis_x, indexing="ij", sparse=True)
    center = grid.pose.to_scan(skull.center)[::-1]
    moved = [p - q for p, q in zip((grid.z, grid.y, grid.x), points[::-1], strict=True)]
    axes = (grid.axis_z, grid.axis_y, grid.axis_x)
    coordinates = [
        ((c + (s - c) * stretch - a[0] - 0.4 * m) / h).ravel()
        for s, c, a, h, m in zip(scan, center, axes, grid.spacing, moved, strict=True)
    ]
    folded = ndimage.map_coordinates(pattern, coordinates, order=1, mode="nearest").reshape(grid.shape)
    slope = np.sqrt(sum(g * g for g in np.gradient(folded, *grid.spacing)))
    offset = np.clip(folded / np.maximum(slope, 0.04), -9, 9)
    deepest = 15.0 + 5.0 * atrophy + 6.0 * grid_noise(rng, grid, 11.0)
    depth = np.minimum(-skull.cavity, np.abs(points[0]) + 3 + np.clip(20 - points[2], 0, 30))
    half_width = (0.45 + 1.25 * atrophy + 0.3 * wide) * (1 - depth / np.maximum(deepest, 4.0))
    half_width = np.minimum(half_width, 0.55 * (deepest - depth))
    # Around the corpus callosum the rays crowd.
    half_width = half_width - 14 * np.clip(0.55 - skull.radius, 0, 1)
    return Sheet(offset.astype(np.float32), half_width.astype(np.float32))


def _midline(points: tuple[np.ndarray, np.ndarray, np.ndarray], atrophy: float, wide: np.ndarray, stem: np.ndarray) -> Sheet:
    """The interhemispheric fissure, outside of the corpus callosum, the third ventricle's walls and the tentorium."""
    x, y, z = points
    callosum = (np.sqrt(((y - 3) / 38) ** 2 + ((z - 2) / 26) ** 2) - 1) * 26
    tent_offset, behind = tentorium(points)
    margin = np.minimum(callosum, np.where(behind > -12, tent_offset + 3, 20))
    width = 0.55 + 0.9 * atrophy + 0.35 * wide + 0.3 * bump((y,), (-55,), (18,))
    return Sheet(x, np.minimum(np.minimum(width, 0.5 * margin), 0.5 * stem))


def _sylvian(points: tuple[np.ndarray, np.ndarray, np.ndarray], atrophy: float, wide: np.ndarray, wavy: np.ndarray) -> Sheet:
    """From the insula to the surface, rising to posterior."""
    x, y, z = points
    ax = np.abs(x)
    offset = (z - (-6 + 0.42 * (y + 16) + 0.12 * (ax - 50)) - 1.5 * wide - 1.8 * wavy) * 0.85
    outside = np.maximum(np.maximum(39 - ax, y - 40), -24 - y)
    width = 0.5 + 1.2 * atrophy + 0.5 * wavy
    return Sheet(offset, np.minimum(width, -0.6 * outside + 1))


def _insular(points: tuple[np.ndarray, np.ndarray, np.ndarray], atrophy: float, wide: np.ndarray, wavy: np.ndarray) -> Sheet:
    """A shell over the insula, deepest in the middle."""
    x, y, z = points
    offset = np.abs(x) - 41 + 5.0 * ((y - 2) / 26) ** 2 + 3.5 * ((z - 4) / 16) ** 2 + 0.8 * wide + 1.3 * wavy
    outline = (np.sqrt(((y - 2) / 24) ** 2 + ((z - 4) / 15) ** 2) - 1) * 15
    width = 0.6 + 1.2 * atrophy + 0.5 * wide - 0.6 * wavy
    return Sheet(offset, np.minimum(width, -0.6 * outline))


def tentorium(points: tuple[np.ndarray, np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Signed distance above the tentorium, and how far a place lies behind its free and petrous edges."""
    x, y, z = points
    ax = np.abs(x)
    height = 6 - 27 * (np.minimum(ax, 62) / 52) ** 1.3 - 13 * np.clip((y - 50) / 45, -0.6, 1.2) * np.exp(-ax / 45)
    behind = np.minimum(y - (13 + 0.72 * (ax - 16)), _TOO_FAR_MM)
    return ((z - height) * 0.85).astype(np.float32), behind.astype(np.float32)
