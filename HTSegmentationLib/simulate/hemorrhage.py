"""The hemorrhage: a field whose level is chosen so that the blood has the wanted volume."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from HTSegmentationLib.simulate.anatomy import Anatomy
from HTSegmentationLib.simulate.blood import Blood, even_box, level_of, voxel_ml
from HTSegmentationLib.simulate.fields import ellipsoid, ramp, separable, smooth_min, smooth_noise, tube
from HTSegmentationLib.simulate.grid import HeadGrid, Pose, cubic_matrix
from HTSegmentationLib.simulate.infarct import INFARCTED, Lesion
from HTSegmentationLib.simulate.parameters import HemorrhageType, SimulationParameters

_FLUID_LEVEL_SHARE = 0.2
"""Share of larger hematomas in which blood has settled under plasma."""

_FLUID_LEVEL_RADIUS_MM = 13.0
"""Hematomas below 9 mL show no fluid level."""

_CHANNEL_MM = 3.5
"""Largest radius of the channel by which blood breaks into a ventricle."""

_OUTSIDE = 20.0
"""Turns what lacks to an infarct (a share) into a distance from it: its soft border is some 5 mm wide."""

_FORBIDDEN = 60.0
"""Added to the field where blood must not be."""


@dataclass(frozen=True)
class Surroundings:
    """What the blood finds where it spreads: fields on a rectilinear grid in scan coordinates.

    Args:
        pose: How the head lies in the scanner.
        axes: The grid's coordinates (z, y, x) in mm.
        cortex: Distance in mm from the nearest sulcus.
        forbidden: 0 where blood may be, high where it must not.
    """

    pose: Pose
    axes: tuple[np.ndarray, np.ndarray, np.ndarray]
    cortex: np.ndarray
    forbidden: np.ndarray


def surroundings_of(
    case: SimulationParameters,
    grid: HeadGrid,
    anatomy: Anatomy,
    *,
    lesion: Lesion,
    infarct: np.ndarray,
    within: bool = False,
) -> Surroundings:
    """What blood finds in a head.

    It keeps off the other hemisphere, ventricles and basal cisterns, and the skull unless that is touched; scattered
    petechiae stay within the infarct.

    Args:
        case: What is wanted.
        grid: The modelling grid.
        anatomy: The head.
        lesion: Where the hemorrhage lies.
        infarct: Share of infarcted tissue.
        within: Whether blood of any type stays within the infarct.
    """
    margin = 0.2 if case.touching_skull else 2.5 + anatomy.fluid_mm
    ventricle_margin = 1.5 if lesion.channel is None else 0.0
    wrong = np.maximum(anatomy.cavity + margin, ventricle_margin - anatomy.ventricles)
    wrong = np.maximum(wrong, 4 - grid.x * lesion.sign)
    wrong = np.maximum(wrong, 2.5 - np.minimum(np.minimum(anatomy.cisterns, anatomy.brainstem), anatomy.cerebellum))
    if within or case.hemorrhage_type is HemorrhageType.HI1:
        wrong = np.maximum(wrong, _OUTSIDE * (INFARCTED - infarct))
    return Surroundings(grid.pose, grid.axes, anatomy.cortex, _FORBIDDEN * np.clip(wrong / 4, 0, 1))


def make_blood(
    rng: np.random.Generator,
    case: SimulationParameters,
    surroundings: Surroundings,
    *,
    lesion: Lesion,
    axes: Sequence[np.ndarray],
) -> Blood:
    """Draws the hemorrhage.

    Args:
        rng: Source of randomness.
        case: What is wanted.
        surroundings: What the blood finds.
        lesion: Where the hemorrhage lies.
        axes: Scan coordinates (z, y, x) in mm of the fine voxels that can hold head.
    """
    kind = case.kind
    half = lesion.radius_mm * kind.reach + 7.0
    center = surroundings.pose.to_scan(lesion.center)[::-1]
    step = float(np.clip(lesion.radius_mm / 6, 0.5, 1.2))
    local = tuple(np.arange(c - half, c + half + step, step, dtype=np.float32) for c in center)
    points = np.meshgrid(*local, indexing="ij", sparse=True)
    head = surroundings.pose.to_head(points[2], points[1], points[0])
    draw = _hematoma if kind.is_hematoma else _spots if case.hemorrhage_type is HemorrhageType.HI1 else _petechiae
    onto = [cubic_matrix(a, g) for a, g in zip(local, surroundings.axes, strict=True)]
    voxels = 1000 * float(case.volume_ml) / step**3
    field = draw(rng, local, head, lesion, separable(surroundings.cortex, onto))
    if lesion.channel is not None:
        field = _with_channel(field, head, lesion, lesion.channel, level_of(field, voxels, kind.edge_mm))
    field = field + separable(surroundings.forbidden, onto)
    field, local = _trimmed(field, local, voxels, kind.edge_mm)

    picks = even_box(axes, [(a[0], a[-1]) for a in local])
    fine = [a[p] for a, p in zip(axes, picks, strict=True)]
    fine_field = separable(field, [cubic_matrix(f, a) for f, a in zip(fine, local, strict=True)])
    level = level_of(fine_field, float(case.volume_ml) / voxel_ml(axes), kind.edge_mm)
    fraction = ramp(level - fine_field, kind.edge_mm)
    hu = _blood_hu(rng, case, fine, level - fine_field, lesion)
    start = tuple(p.start for p in picks)
    return Blood(start, fraction, hu, float(fraction.sum(dtype=np.float64)) * voxel_ml(axes))


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


def _with_channel(
    field: np.ndarray, head: tuple[np.ndarray, ...], lesion: Lesion, channel: tuple[float, float, float], level: float
) -> np.ndarray:
    """The field with a channel from the hematoma's middle to a ventricle, as wide at the hematoma's own level."""
    width = min(0.4 * lesion.radius_mm, _CHANNEL_MM)
    return smooth_min(field, tube(head, [lesion.center, channel], [1.3 * width, width]) + level, 2.0)


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


def _spots(
    rng: np.random.Generator, axes: tuple[np.ndarray, ...], head: tuple[np.ndarray, ...], lesion: Lesion, cortex: np.ndarray
) -> np.ndarray:
    """Single spots of some millimetres along the cortex, far apart: the peaks of a noise in a wide region."""
    radius = lesion.radius_mm
    region = ellipsoid(head, lesion.center, 3.0 * radius * np.exp(rng.normal(0, 0.1, 3)))
    # High enough to fill half of a thick slice.
    grain = 1.5 * smooth_noise(rng, axes, 3.0, 5.5) + 0.5 * smooth_noise(rng, axes, 1.7, 3.5)
    hold = 0.9 * np.exp(-((radius / 3.0) ** 2))
    return 0.6 * np.maximum(region, 0) + hold * region + grain + 0.25 * np.clip(cortex, 0, 6)


def _trimmed(
    field: np.ndarray, axes: tuple[np.ndarray, ...], voxels: float, edge: float
) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    """The part of a field, and of its axes, that holds its lowest ``voxels`` values with some margin."""
    near = field < level_of(field, voxels, edge) + 3 * edge
    box = []
    for axis in range(3):
        filled = np.flatnonzero(near.any(axis=tuple(other for other in range(3) if other != axis)))
        box.append(slice(max(int(filled[0]) - 2, 0), int(filled[-1]) + 3))
    return field[tuple(box)], tuple(a[s] for a, s in zip(axes, box, strict=True))


def _blood_hu(
    rng: np.random.Generator, case: SimulationParameters, axes: list[np.ndarray], inside: np.ndarray, lesion: Lesion
) -> np.ndarray:
    """HU of blood: densest in the middle, uneven, in some hematomas with a fluid level."""
    kind = case.kind
    mean, deviation, low, high = kind.core_hu
    core = float(np.clip(float(rng.normal(mean, deviation)), low, high))
    depth = np.clip(inside / kind.rim_mm, 0, 1)
    hu = core - float(rng.uniform(*kind.rim_hu)) * (1 - depth)
    hu += float(rng.uniform(2.0, 4.0)) * smooth_noise(rng, axes, 5.0)
    hu += float(rng.uniform(1.0, 2.2)) * smooth_noise(rng, axes, 2.0)
    fluid_level = rng.random() < _FLUID_LEVEL_SHARE and kind.is_hematoma and lesion.radius_mm > _FLUID_LEVEL_RADIUS_MM
    if fluid_level:
        y = axes[1] - float(axes[1].mean()) - float(rng.uniform(-0.2, 0.2)) * lesion.radius_mm
        hu += 14 * (ramp(y, 3.0)[None, :, None] - 0.6)
    return hu.astype(np.float32)
