"""The infarct: where it lies, and the hemorrhage's place in it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from HTSegmentationLib.errors import ParameterError
from HTSegmentationLib.simulate.anatomy import Anatomy
from HTSegmentationLib.simulate.brain import Brain
from HTSegmentationLib.simulate.fields import ellipsoid, grid_noise, ramp
from HTSegmentationLib.simulate.grid import HeadGrid
from HTSegmentationLib.simulate.parameters import HemorrhageType, SimulationParameters
from HTSegmentationLib.simulate.sampling import Sampling

_TERRITORIES = {
    "deep": ((30, 0, 6), (15, 25, 17)),
    "superior": ((46, -10, 24), (24, 29, 24)),
    "inferior": ((47, 24, 6), (22, 29, 21)),
    "whole": ((42, 2, 12), (28, 40, 32)),
}
"""Parts of the middle cerebral artery's territory: middle (x, y, z) and semi-axes in mm, left hemisphere."""

INFARCTED = 0.3
"""Tissue counts as infarct from this share on; the share ends softly at its border and is 0.7 to 1 inside."""

_BORDER_MM = 7.0
"""Width of the infarct's soft border."""

_SWELLING_SHARE = 0.9
"""How far the sulci in an infarct are squeezed, 0 to 1."""


@dataclass(frozen=True)
class Lesion:
    """Place of the lesion.

    Args:
        center: Middle of the hemorrhage, head coordinates (x, y, z) in mm.
        infarct_center: Middle of the infarct, head coordinates in mm.
        infarct_axes: Its semi-axes in mm.
        radius_mm: Radius of the ball that has the hemorrhage's volume.
        push: How strongly the hemorrhage displaces brain, 0 to 1.
        sign: 1 on the left, -1 on the right.
        channel: Where blood breaks into a ventricle, head coordinates in mm; None if it does not.
    """

    center: tuple[float, float, float]
    infarct_center: tuple[float, float, float]
    infarct_axes: tuple[float, float, float]
    radius_mm: float
    push: float
    sign: int
    channel: tuple[float, float, float] | None = None


def place_lesion(
    rng: np.random.Generator,
    case: SimulationParameters,
    grid: HeadGrid,
    sampling: Sampling,
    *,
    center: tuple[float, float, float],
    scale: tuple[float, float, float],
) -> Lesion:
    """Chooses part of the territory, and where in it the blood lies.

    Args:
        rng: Source of randomness.
        case: What is wanted.
        grid: The modelling grid.
        sampling: The scan's voxels.
        center: The skull's middle, head coordinates (x, y, z) of the average head.
        scale: This head's size (x, y, z) over the average head's.

    Raises:
        ParameterError: The slices end above the hemorrhage.
    """
    lesion = drawn_lesion(rng, case, center=center, scale=scale)
    blood = np.array(lesion.center)
    _require_coverage(blood, lesion.radius_mm, case, grid, sampling)
    return replace(lesion, center=_triple(_seated(blood, lesion.radius_mm, grid, sampling)))


def drawn_lesion(
    rng: np.random.Generator,
    case: SimulationParameters,
    *,
    center: tuple[float, float, float],
    scale: tuple[float, float, float],
) -> Lesion:
    """A lesion somewhere in the middle cerebral artery's territory; arguments as of :func:`place_lesion`."""
    name = str(rng.choice(list(_TERRITORIES)))
    place, axes = (np.array(part, float) for part in _TERRITORIES[name])
    jitter = rng.normal(0, 1, 3) * (2.5, 6, 4)
    spread = rng.uniform(-0.35, 0.35, 3)
    radius = ball_radius_mm(case)
    extent = radius * case.kind.infarct_reach if case.has_hemorrhage else 0.0
    axes = np.maximum(axes * rng.uniform(0.9, 1.25), extent)
    middle = (place + jitter) * scale
    blood = middle + spread * axes * 0.7
    blood[0] = max(blood[0], min(radius + 8, 40))
    if case.touching_skull:
        blood = _against_skull(blood, np.array(center) * scale, np.array(scale), radius)
    middle = middle + 0.5 * (blood - middle)
    push = case.kind.push if case.has_hemorrhage else 0.0
    flip = np.array((case.side.sign, 1, 1))
    return Lesion(_triple(blood * flip), _triple(middle * flip), _triple(axes), radius, push, case.side.sign)


def ball_radius_mm(case: SimulationParameters) -> float:
    """Radius of the ball that has the hemorrhage's volume."""
    return (3000 * float(case.volume_ml) / (4 * np.pi)) ** (1 / 3)


def displaced(
    points: tuple[np.ndarray, ...], lesion: Lesion, scale: tuple[float, float, float]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where the tissue at each node came from before blood and swelling pushed it away."""
    center = [c / s for c, s in zip(lesion.center, scale, strict=True)]
    offsets = [p - np.float32(c) for p, c in zip(points, center, strict=True)]
    square = sum(o * o for o in offsets)
    reach = 2.0 * lesion.radius_mm + 4.0
    shrink = lesion.push * np.exp(-square / np.float32(reach**2))
    x, y, z = (p - o * shrink for p, o in zip(points, offsets, strict=True))
    return x, y, z


def infarct_share(
    rng: np.random.Generator, case: SimulationParameters, grid: HeadGrid, anatomy: Anatomy, *, lesion: Lesion
) -> np.ndarray:
    """How far tissue is infarcted, 0 to 1, on the modelling grid.

    Where the type of the hemorrhage says which share of the infarct it is, the infarct is made that large.

    Args:
        rng: Source of randomness.
        case: What is wanted.
        grid: The modelling grid.
        anatomy: The head.
        lesion: Where the lesion lies.
    """
    points = (grid.x, grid.y, grid.z)
    distance = ellipsoid(points, lesion.infarct_center, lesion.infarct_axes)
    distance = distance + 3.5 * grid_noise(rng, grid, 9.0) + 2.0 * grid_noise(rng, grid, 4.5)
    # Wedge: the territory widens to the surface.
    distance = distance - 4.0 * np.clip((anatomy.radius - 0.6) / 0.4, -1, 1)
    strength = float(rng.uniform(0.7, 1.0))
    allowed = ramp(grid.x * lesion.sign - 5, 4.0) * ramp(-anatomy.cavity, 2.0)
    allowed = allowed * ramp(np.minimum(anatomy.cerebellum, anatomy.brainstem - 2), 2.0)
    if case.has_hemorrhage and case.kind.infarct_share is not None:
        wanted_ml = float(case.volume_ml) / float(rng.uniform(*case.kind.infarct_share))
        distance = distance - _border(distance, strength * allowed, wanted_ml / grid.voxel_ml)
    share = strength * ramp(-distance, _BORDER_MM)
    if case.hemorrhage_type is HemorrhageType.PH:
        # The hematoma has an edematous rim of its own.
        rim = ellipsoid(points, lesion.center, (lesion.radius_mm,) * 3) + 1.5 * grid_noise(rng, grid, 7.0)
        share = np.maximum(share, 0.95 * ramp(5.0 - rim, 5.0))
    return (share * allowed).astype(np.float32)


def _border(distance: np.ndarray, strength: np.ndarray, voxels: float) -> float:
    """The distance at which the infarct must end so that it has that many voxels."""
    reached = strength > INFARCTED
    # Solved for the border: strength x ramp(border - distance) = INFARCTED.
    borders = distance[reached] + _BORDER_MM * (INFARCTED / strength[reached] - 0.5)
    count = int(np.clip(voxels, 1, borders.size - 1))
    return float(np.partition(borders, count)[count])


def effaced(brain: Brain, share: np.ndarray) -> Brain:
    """The brain with sulci squeezed where it is infarcted."""
    squeeze = _SWELLING_SHARE * share
    return replace(
        brain,
        sulci=brain.sulci.narrowed(squeeze, -0.6),
        sylvian=brain.sylvian.narrowed(0.7 * squeeze, 0.0),
        insular=brain.insular.narrowed(0.7 * squeeze, 0.0),
        subarachnoid=brain.subarachnoid * (1 - 0.8 * squeeze),
    )


def _against_skull(point: np.ndarray, center: np.ndarray, scale: np.ndarray, radius_mm: float) -> np.ndarray:
    """Moves a point along its ray from the skull's middle until blood of that radius reaches the inner table."""
    ray = point - center
    ray[2] = max(ray[2], -4.0)
    ray[0] = max(ray[0], 25.0)
    axes = np.array((67, 84.0, 71)) * scale
    reach = 1 / np.sqrt(((ray / axes) ** 2).sum())
    length = float(np.linalg.norm(ray))
    return center + ray * (reach - 0.55 * radius_mm / length)


def _seated(point: np.ndarray, radius_mm: float, grid: HeadGrid, sampling: Sampling) -> np.ndarray:
    """Puts blood that is thinner than two slices on the middle of a slice of this scan, so that its truth is not empty."""
    if radius_mm > sampling.thickness_mm:
        return point
    height = float(grid.pose.to_scan(_triple(point))[2])
    nearest = float(sampling.middles[np.argmin(np.abs(sampling.middles - height))])
    return point + np.array((0, 0, nearest - height))


def _require_coverage(
    point: np.ndarray, radius_mm: float, case: SimulationParameters, grid: HeadGrid, sampling: Sampling
) -> None:
    top = float(sampling.middles[-1]) + sampling.thickness_mm / 2
    lowest = float(grid.pose.to_scan(_triple(point))[2]) - 1.7 * radius_mm - sampling.thickness_mm
    needed = int(np.ceil((top - lowest) / sampling.thickness_mm))
    if case.slices < needed:
        raise ParameterError(
            f"slices is {case.slices} slices of {case.slice_thickness_mm:g} mm; it must be {needed} slices or more, "
            "so that the scan reaches below the hemorrhage"
        )


def _triple(values: np.ndarray) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])
