"""Blood in the ventricles: it settles in their dependent, posterior parts, with a level to the CSF over it."""

# The coordinates in mm are the drawing itself; naming each would hide it.
# ruff: noqa: PLR2004

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from HTSegmentationLib.errors import ParameterError
from HTSegmentationLib.simulate.anatomy import Anatomy
from HTSegmentationLib.simulate.blood import Blood, even_box, level_of, voxel_ml
from HTSegmentationLib.simulate.fields import grid_noise, ramp, separable, smooth_noise
from HTSegmentationLib.simulate.grid import HeadGrid, cubic_matrix
from HTSegmentationLib.simulate.infarct import Lesion
from HTSegmentationLib.simulate.parameters import SimulationParameters

MOST_DISTENSION_MM = 6.0
"""Blood widens the ventricles by this much at most; then it does not fit."""

_DISTENSION_STEP_MM = 0.5

_FREE_SHARE = 1.25
"""Ventricles hold this many times the blood's volume, so that some CSF stays over it."""

_LEVEL_MM = 1.6
"""Width of the border between blood and CSF: clots are no fluid."""

_OTHER_SIDE_MM = 55.0
"""Blood reaches the other lateral ventricle only when its own is filled that far up."""

_CHANNEL_SHARE = 0.6
"""Share of hematomas near a ventricle that are seen to break into it when there is blood in the ventricles."""

_HU = (56.0, 5.0, 48.0, 70.0)
"""Mean, standard deviation, lowest and highest HU of settled blood; CSF dilutes it a little."""


def distended(anatomy: Anatomy, case: SimulationParameters, grid: HeadGrid, most_mm: float = MOST_DISTENSION_MM) -> Anatomy:
    """The head with ventricles wide enough for the blood that is wanted in them.

    Args:
        anatomy: The head.
        case: What is wanted.
        grid: The modelling grid.
        most_mm: How much wider they may become.

    Raises:
        ParameterError: Even widened ventricles cannot hold it.
    """
    wanted = float(case.intraventricular_ml)
    lateral = anatomy.ventricles + 30.0 * _midline_share(grid)
    for wider in np.arange(0, most_mm + _DISTENSION_STEP_MM / 2, _DISTENSION_STEP_MM):
        room = float(ramp(float(wider) - lateral, 2.0).sum(dtype=np.float64)) * grid.voxel_ml
        if room >= _FREE_SHARE * wanted:
            return replace(anatomy, ventricles=anatomy.ventricles - np.float32(wider))
    raise ParameterError(
        f"intraventricular_ml is {wanted:g} mL; this head's ventricles hold {room / _FREE_SHARE:.1f} mL at most"
    )


def broken_through(
    rng: np.random.Generator, case: SimulationParameters, grid: HeadGrid, anatomy: Anatomy, lesion: Lesion
) -> Lesion:
    """The lesion with a channel into the nearest ventricle, if it is a hematoma and one is near; by chance it keeps off.

    Args:
        rng: Source of randomness.
        case: What is wanted.
        grid: The modelling grid.
        anatomy: The head.
        lesion: Where the hemorrhage lies.
    """
    breaks = rng.random() < _CHANNEL_SHARE
    inside = np.nonzero((anatomy.ventricles < -1) & (grid.x * lesion.sign > 4) & (grid.z > -12))
    if not (breaks and case.kind.ventricular and inside[0].size):
        return lesion
    points = np.stack([axis[inside] for axis in (grid.x, grid.y, grid.z)], axis=1)
    distance = np.linalg.norm(points - np.array(lesion.center, np.float32), axis=1)
    nearest = int(distance.argmin())
    # Further off, blood would have to dissect a long way, and the box that it is drawn in ends.
    if distance[nearest] > lesion.radius_mm * case.kind.reach:
        return lesion
    return replace(lesion, channel=tuple(float(value) for value in points[nearest]))


def make_ventricular_blood(
    rng: np.random.Generator,
    case: SimulationParameters,
    grid: HeadGrid,
    anatomy: Anatomy,
    *,
    lesion: Lesion,
    axes: Sequence[np.ndarray],
    hemorrhage: Blood,
) -> Blood:
    """Lets blood settle in the lateral ventricle of the lesion's side, and in the other one when that is full.

    Args:
        rng: Source of randomness.
        case: What is wanted.
        grid: The modelling grid.
        anatomy: The head, its ventricles wide enough.
        lesion: Where the hemorrhage lies.
        axes: Scan coordinates (z, y, x) in mm of the fine voxels that can hold head.
        hemorrhage: The blood in the brain, which keeps its place.
    """
    # The patient lies on the back: down is posterior in the scan.
    height = -np.broadcast_to(grid.axis_y[None, :, None], grid.shape) + 2.2 * grid_noise(rng, grid, 5.0)
    height = height + _OTHER_SIDE_MM * np.clip((3 - grid.x * lesion.sign) / 3, 0, 1)
    lateral = anatomy.ventricles + 30.0 * _midline_share(grid)
    wanted = float(case.intraventricular_ml)
    coarse = level_of(height, wanted / grid.voxel_ml, _LEVEL_MM, ramp(-lateral, 2.0))
    picks = _box_of((lateral < 1.5) & (height < coarse + 4))
    parts = [axis[pick] for axis, pick in zip(grid.axes, picks, strict=True)]
    box = even_box(axes, [(part[0], part[-1]) for part in parts])
    fine = [axis[part] for axis, part in zip(axes, box, strict=True)]
    onto = [cubic_matrix(f, a) for f, a in zip(fine, parts, strict=True)]
    room = ramp(-separable(lateral[picks], onto), 1.0) * (1 - hemorrhage.over(box))
    surface = separable(height[picks].astype(np.float32), onto)
    level = level_of(surface, wanted / voxel_ml(axes), _LEVEL_MM, room)
    fraction = ramp(level - surface, _LEVEL_MM) * room
    mean, deviation, low, high = _HU
    # Cells settle: the deepest blood is the densest.
    hu = float(np.clip(rng.normal(mean, deviation), low, high)) + np.clip((level - surface - 6) / 4, -2, 2)
    hu += 2.0 * smooth_noise(rng, fine, 4.0)
    start = tuple(part.start for part in box)
    return Blood(start, fraction, hu.astype(np.float32), float(fraction.sum(dtype=np.float64)) * voxel_ml(axes))


def _midline_share(grid: HeadGrid) -> np.ndarray:
    """1 in the third and fourth ventricle and the aqueduct, 0 in the lateral ventricles."""
    below = np.clip((6 - grid.z) / 4, 0, 1) * np.clip((9 - np.abs(grid.x)) / 3, 0, 1)
    return np.maximum(below, np.clip((-24 - grid.z) / 3, 0, 1)).astype(np.float32)


def _box_of(mask: np.ndarray) -> tuple[slice, slice, slice]:
    """The nodes that hold the mask, two more on each side."""
    box = []
    for axis in range(3):
        filled = np.flatnonzero(mask.any(axis=tuple(other for other in range(3) if other != axis)))
        box.append(slice(max(int(filled[0]) - 2, 0), int(filled[-1]) + 3))
    return tuple(box)
