"""The hemorrhage: a field whose level is chosen so that the blood has the wanted volume."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from HTSegmentationLib.simulate.brain import Brain
from HTSegmentationLib.simulate.fields import ellipsoid, ramp, separable, smooth_min, smooth_noise
from HTSegmentationLib.simulate.grid import HeadGrid, cubic_matrix
from HTSegmentationLib.simulate.infarct import Lesion
from HTSegmentationLib.simulate.parameters import HemorrhageType, SimulationParameters
from HTSegmentationLib.simulate.sampling import Sampling
from HTSegmentationLib.simulate.skull import Skull

_EDGE_MM = {HemorrhageType.HI2: 1.3, HemorrhageType.PH: 0.9}
"""Width over which blood fades into tissue, in the field's own measure."""

_FLUID_LEVEL_SHARE = 0.2
"""Share of larger hematomas in which blood has settled under plasma."""

_FLUID_LEVEL_RADIUS_MM = 13.0
"""Hematomas below 9 mL show no fluid level."""

_FORBIDDEN = 60.0
"""Added to the field where blood must not be."""


@dataclass(frozen=True)
class Blood:
    """Blood on the scan's fine grid, in the box that holds it.

    Args:
        start: First fine slice, pixel row and pixel column of the box.
        fraction: Share of blood in each fine voxel, float32 (z, y, x).
        hu: What pure blood would measure there.
        volume_ml: Volume of the blood in mL.
    """

    start: tuple[int, int, int]
    fraction: np.ndarray
    hu: np.ndarray
    volume_ml: float


def make_blood(
    rng: np.random.Generator,
    case: SimulationParameters,
    grid: HeadGrid,
    skull: Skull,
    brain: Brain,
    *,
    lesion: Lesion,
    sampling: Sampling,
) -> Blood:
    """Draws the hemorrhage.

    Args:
        rng: Source of randomness.
        case: What is wanted.
        grid: The modelling grid.
        skull: The skull.
        brain: The brain.
        lesion: Where the hemorrhage lies.
        sampling: The scan's voxels.
    """
    axes = (sampling.fine, sampling.y, sampling.x)
    confluent = case.hemorrhage_type is HemorrhageType.PH
    half = lesion.radius_mm * (2.3 if confluent else 2.9) + 7.0
    center = grid.pose.to_scan(lesion.center)[::-1]
    step = float(np.clip(lesion.radius_mm / 6, 0.5, 1.2))
    local = tuple(np.arange(c - half, c + half + step, step, dtype=np.float32) for c in center)
    points = np.meshgrid(*local, indexing="ij", sparse=True)
    head = grid.pose.to_head(points[2], points[1], points[0])
    draw = _hematoma if confluent else _petechiae
    onto = [cubic_matrix(a, g) for a, g in zip(local, (grid.axis_z, grid.axis_y, grid.axis_x), strict=True)]
    cortex = separable(np.abs(brain.sulci.offset) - brain.sulci.half_width, onto)
    field = draw(rng, local, head, lesion, cortex)
    field = field + separable(_forbidden(case, grid, skull, brain, lesion), onto)
    edge = _EDGE_MM[case.hemorrhage_type]
    field, local = _trimmed(field, local, 1000 * float(case.volume_ml) / step**3, edge)

    # An even box keeps the scan's pixels and the coarser soft tissue pixels in step.
    picks = []
    for fine, axis in zip(axes, local, strict=True):
        inside = np.flatnonzero((fine >= axis[0]) & (fine <= axis[-1]))
        first, last = (int(inside[0]), int(inside[-1]) + 1) if inside.size else (0, 2)
        picks.append(slice(first - first % 2, min(last + last % 2, len(fine) - len(fine) % 2)))
    fine_field = separable(field, [cubic_matrix(f[p], a) for f, p, a in zip(axes, picks, local, strict=True)])
    voxel_ml = abs(float(np.prod([f[1] - f[0] for f in axes]))) / 1000
    level = _level(fine_field, float(case.volume_ml) / voxel_ml, edge)
    fraction = ramp(level - fine_field, edge)
    hu = _blood_hu(rng, case, [f[p] for f, p in zip(axes, picks, strict=True)], level - fine_field, lesion)
    start = tuple(p.start for p in picks)
    return Blood(start, fraction, hu, float(fraction.sum(dtype=np.float64)) * voxel_ml)


def _hematoma(
    rng: np.random.Generator, axes: tuple[np.ndarray, ...], head: tuple[np.ndarray, ...], lesion: Lesion, cortex: np.ndarray
) -> np.ndarray:
    """One lobulated mass with a satellite or two."""
    radius = lesion.radius_mm
    shape = None
    for size in (1.0, 0.72, 0.6, 0.45):
        away = rng.normal(0, 1, 3)
        away *= (0.0 if shape is None else (0.95 - 0.3 * size)) * radius / max(np.linalg.norm(away), 0.1)
        semi = size * radius * np.exp(rng.normal(0, 0.16, 3)) * (0.92, 1.12, 1.0)
        lobe = ellipsoid(head, [c + a for c, a in zip(lesion.center, away, strict=True)], semi)
        shape = lobe if shape is None else smooth_min(shape, lobe, 0.25 * radius)
    grain = 0.20 * radius * smooth_noise(rng, axes, max(0.45 * radius, 2.5))
    grain += 0.085 * radius * smooth_noise(rng, axes, max(0.2 * radius, 1.8))
    grain += min(0.5, 0.08 * radius) * smooth_noise(rng, axes, 1.6)
    return shape + grain + 0.02 * cortex


def _petechiae(
    rng: np.random.Generator, axes: tuple[np.ndarray, ...], head: tuple[np.ndarray, ...], lesion: Lesion, cortex: np.ndarray
) -> np.ndarray:
    """Patches along the cortex that run together, with holes."""
    radius = lesion.radius_mm
    region = ellipsoid(head, lesion.center, 1.65 * radius * np.exp(rng.normal(0, 0.15, 3)))
    patch = np.clip(0.36 * radius, 2.0, 4.6)
    grain = smooth_noise(rng, axes, patch, 1.7 * patch) * min(2.2, 0.35 * radius)
    grain += smooth_noise(rng, axes, 0.55 * patch, 1.2 * patch) * min(0.9, 0.15 * radius)
    # A bleed of a few millimetres is one spot.
    hold = 0.32 + 0.6 * np.exp(-((radius / 4.5) ** 2))
    return hold * region + grain + 0.38 * np.clip(cortex, 0, 6)


def _forbidden(case: SimulationParameters, grid: HeadGrid, skull: Skull, brain: Brain, lesion: Lesion) -> np.ndarray:
    """High outside the lesion's hemisphere, in ventricles and basal cisterns, and at the skull unless it is touched."""
    margin = 0.2 if case.touching_skull else 2.5 + float(brain.subarachnoid.mean())
    wall = skull.cavity + margin
    wrong = np.maximum(wall, 1.5 - brain.ventricles)
    wrong = np.maximum(wrong, 4 - grid.x * lesion.sign)
    wrong = np.maximum(wrong, 2.5 - np.minimum(np.minimum(brain.cisterns, brain.brainstem), brain.cerebellum))
    return _FORBIDDEN * np.clip(wrong / 4, 0, 1)


def _trimmed(
    field: np.ndarray, axes: tuple[np.ndarray, ...], voxels: float, edge: float
) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    """The part of a field, and of its axes, that holds its lowest ``voxels`` values with some margin."""
    near = field < _level(field, voxels, edge) + 3 * edge
    box = []
    for axis in range(3):
        filled = np.flatnonzero(near.any(axis=tuple(other for other in range(3) if other != axis)))
        box.append(slice(max(int(filled[0]) - 2, 0), int(filled[-1]) + 3))
    return field[tuple(box)], tuple(a[s] for a, s in zip(axes, box, strict=True))


def _level(field: np.ndarray, voxels: float, edge: float) -> float:
    """The level at which that many voxels of blood lie under it, partial ones counted by their share."""
    count = int(np.clip(voxels, 1, field.size - 1))
    guess = float(np.partition(field.ravel(), count)[count])
    near = field[field < guess + 4 * edge]
    low, high = guess - 3 * edge, guess + 3 * edge
    for _ in range(18):
        middle = 0.5 * (low + high)
        if float(ramp(middle - near, edge).sum(dtype=np.float64)) < voxels:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def _blood_hu(
    rng: np.random.Generator, case: SimulationParameters, axes: list[np.ndarray], inside: np.ndarray, lesion: Lesion
) -> np.ndarray:
    """HU of blood: densest in the middle, uneven, in some hematomas with a fluid level."""
    confluent = case.hemorrhage_type is HemorrhageType.PH
    core = float(rng.normal(60.5, 6.3) if confluent else rng.normal(58.5, 4.5))
    core = float(np.clip(core, 53, 78) if confluent else np.clip(core, 50, 66))
    depth = np.clip(inside / (5.0 if confluent else 2.0), 0, 1)
    rim = float(rng.uniform(7, 15) if confluent else rng.uniform(4, 9))
    hu = core - rim * (1 - depth)
    hu += float(rng.uniform(2.0, 4.0)) * smooth_noise(rng, axes, 5.0)
    hu += float(rng.uniform(1.0, 2.2)) * smooth_noise(rng, axes, 2.0)
    fluid_level = rng.random() < _FLUID_LEVEL_SHARE and confluent and lesion.radius_mm > _FLUID_LEVEL_RADIUS_MM
    if fluid_level:
        y = axes[1] - float(axes[1].mean()) - float(rng.uniform(-0.2, 0.2)) * lesion.radius_mm
        hu += 14 * (ramp(y, 3.0)[None, :, None] - 0.6)
    return hu.astype(np.float32)
