"""How much each voxel of the brain speaks for blood, and what else explains it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from HTSegmentationLib.suggest.brain_copy import BrainCopy

_DEPTHS_MM = (0.0, 2.0, 4.0, 6.0, 9.0, 13.0, np.inf)
"""Borders of the layers in which normal brain is measured: beam hardening and bone's blur make the outer ones brighter."""

_LAYER_MIDDLES_MM = (1.0, 3.0, 5.0, 7.5, 11.0, 15.0)
"""Where each layer's value stands; between them it is interpolated."""

_NORMAL_PERCENTILE = 98.0
"""What normal brain reaches: nearly the densest of what both sides share, since nuclei and cortex are normal, too; the
last 2% are falx, sinuses and calcium."""

_LEAST_LAYER_VOXELS = 200
"""A layer of fewer voxels tells nothing and is left to its neighbours."""

_MIRROR_REACH_MM = 4.0
"""A voxel is mirrored if its density is found this near to its mirror image: the two halves of a brain differ by that."""

UNLIKENESS_HU = 2.0
"""By this much two healthy halves differ: what stands out by less says nothing, and of all else it is taken off."""

_STRONGEST_HU = 20.0
"""What stands out by more than this beyond it speaks no louder: acute clots stand 15 to 30 HU above grey matter."""

_BONE_IN_PLANE_MM, _BONE_THROUGH_PLANE_MM = 2.5, 5.0
"""As far as bone lifts its neighbours: twice the resolution within slices, a slice across them."""

_CALCIUM_REACH_MM = 4.0
"""As far as a calcified core's blur and its fainter calcium reach."""

_CALCIUM_DEPTH_MM = 6.0
"""Nearer to the skull than this, what is above any blood's density is bone's rim and not calcium."""

_MIDLINE_REACH_MM = 5.0
"""Falx, sagittal and straight sinus lie this near to the plane of symmetry, mass effect included."""


class Cause(enum.Enum):
    """What lies beside a voxel and is dense without being blood."""

    BONE = "bone"
    CALCIUM = "calcium"
    MIDLINE = "midline"


@dataclass(frozen=True)
class Evidence:
    """What speaks for blood; all arrays (z, y, x) on the copy's grid.

    Args:
        excess_hu: Density above what normal brain of the same depth reaches.
        asymmetry_hu: Density above the densest voxel near the mirror image.
        strength_hu: The smaller of both, less the 2 HU by which healthy halves differ, from 0 to 20 HU.
        beside: For each cause, where it explains the density.
    """

    excess_hu: np.ndarray
    asymmetry_hu: np.ndarray
    strength_hu: np.ndarray
    beside: Mapping[Cause, np.ndarray]

    @property
    def unexplained(self) -> np.ndarray:
        """Where no cause but blood is known."""
        return ~np.logical_or.reduce(list(self.beside.values()))


def evidence_of(copy: BrainCopy) -> Evidence:
    """Compares each voxel with normal brain of this very scan and with the mirrored side.

    Normal brain is what both sides have: of each pair of mirror images the lesser density counts, so that a bleed, which
    lies on one side, does not raise its own measure, be it ever so large.

    Args:
        copy: The shrunk brain.

    Example:
        >>> evidence_of(copy).excess_hu.max()   # doctest: +SKIP
        24.1
    """
    normal = _normal_hu(copy)
    known = np.isfinite(copy.mirrored_hu)
    # Where the mirror image is cut off, normal brain takes its place.
    mirrored = np.where(known, copy.mirrored_hu, normal)
    there = ndimage.maximum_filter(mirrored, footprint=_ball(copy.spacing_mm, _MIRROR_REACH_MM))
    excess, asymmetry = copy.density_hu - normal, copy.density_hu - there
    least = np.minimum(excess, asymmetry) - UNLIKENESS_HU
    strength = np.where(copy.tissue, np.clip(least, 0, _STRONGEST_HU), 0)
    return Evidence(excess, asymmetry, strength, _beside(copy))


def _normal_hu(copy: BrainCopy) -> np.ndarray:
    """What normal brain reaches at each voxel's depth, in HU."""
    shared = np.fmin(copy.density_hu, copy.mirrored_hu)
    middles, levels = [], []
    for low, high, middle in zip(_DEPTHS_MM[:-1], _DEPTHS_MM[1:], _LAYER_MIDDLES_MM, strict=True):
        values = shared[copy.tissue & (copy.depth_mm >= low) & (copy.depth_mm < high)]
        if values.size >= _LEAST_LAYER_VOXELS:
            middles.append(middle)
            levels.append(np.percentile(values, _NORMAL_PERCENTILE))
    return np.interp(copy.depth_mm, middles, levels).astype(np.float32)


def _beside(copy: BrainCopy) -> dict[Cause, np.ndarray]:
    calcium = copy.calcium & (copy.depth_mm > _CALCIUM_DEPTH_MM)
    return {
        Cause.BONE: _beside_bone(copy),
        Cause.CALCIUM: ndimage.binary_dilation(calcium, _ball(copy.spacing_mm, _CALCIUM_REACH_MM)),
        Cause.MIDLINE: np.abs(copy.midline_mm) < _MIDLINE_REACH_MM,
    }


def _ball(spacing: tuple[float, ...], radius_mm: float) -> np.ndarray:
    """The voxels whose centres lie within a distance of the middle one."""
    steps = [np.arange(-int(radius_mm / mm), int(radius_mm / mm) + 1) * mm for mm in spacing]
    return sum(offset**2 for offset in np.meshgrid(*steps, indexing="ij", sparse=True)) <= radius_mm**2


def _beside_bone(copy: BrainCopy) -> np.ndarray:
    """A disc within slices, and across them one slice at least."""
    across = copy.slice_array_axis
    ball = _ball(copy.spacing_mm, _BONE_IN_PLANE_MM)
    disc = ball.take([ball.shape[across] // 2], axis=across)
    shape = [1, 1, 1]
    shape[across] = 2 * max(1, round(_BONE_THROUGH_PLANE_MM / copy.spacing_mm[across])) + 1
    return ndimage.binary_dilation(copy.bone, disc) | ndimage.binary_dilation(copy.bone, np.ones(shape, dtype=bool))
