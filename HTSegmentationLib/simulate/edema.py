"""Perihematomal edema: a rim of hypodense tissue about the blood."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from HTSegmentationLib.simulate.anatomy import Anatomy
from HTSegmentationLib.simulate.blood import Blood
from HTSegmentationLib.simulate.fields import ellipsoid, grid_noise, ramp
from HTSegmentationLib.simulate.grid import HeadGrid
from HTSegmentationLib.simulate.infarct import Lesion
from HTSegmentationLib.simulate.parameters import SimulationParameters

_WIDTH_MM = (2.0, 6.0)
"""Edema extension distance, the mean width of the rim, one to three days after the bleed."""

_BORDER_MM = 3.0
"""Width over which edema fades."""

_MOST_SHARE = 0.95
"""Share of edema right beside the blood."""


def edema_share(
    rng: np.random.Generator,
    case: SimulationParameters,
    grid: HeadGrid,
    anatomy: Anatomy,
    *,
    lesion: Lesion,
    blood: Blood,
    axes: Sequence[np.ndarray],
) -> np.ndarray:
    """How far tissue is edematous, 0 to 1, on the modelling grid: about the blood, within the lesion's hemisphere.

    Args:
        rng: Source of randomness.
        case: What is wanted; its ``edema`` is a width in mm, or true.
        grid: The modelling grid.
        anatomy: The head.
        lesion: Where the hemorrhage lies.
        blood: The hemorrhage.
        axes: Scan coordinates (z, y, x) in mm of the fine voxels.
    """
    drawn = float(rng.uniform(*_WIDTH_MM))
    # Petechiae hardly press on the tissue between them.
    width = drawn * (1.0 if case.kind.is_hematoma else 0.5) if case.edema is True else float(case.edema)
    uneven = 0.25 * width * grid_noise(rng, grid, 8.0)
    share = _MOST_SHARE * ramp(width + uneven - _distance(grid, lesion, blood, axes), _BORDER_MM)
    fluid = np.minimum(anatomy.ventricles, anatomy.cisterns)
    allowed = ramp(grid.x * lesion.sign - 3, 3.0) * ramp(-anatomy.cavity - 1, 2.0) * ramp(fluid, 1.0)
    return (share * allowed * ramp(np.minimum(anatomy.cerebellum, anatomy.brainstem), 2.0)).astype(np.float32)


def _distance(grid: HeadGrid, lesion: Lesion, blood: Blood, axes: Sequence[np.ndarray]) -> np.ndarray:
    """Distance in mm from the blood on the modelling grid."""
    nodes, places = [], []
    for axis, fine, part in zip(grid.axes, axes, blood.box, strict=True):
        own = fine[part]
        near = np.flatnonzero((axis >= own[0]) & (axis <= own[-1]))
        nodes.append(near)
        places.append(np.searchsorted(own, axis[near]).clip(0, len(own) - 1))
    filled = np.zeros(grid.shape, bool)
    filled[np.ix_(*nodes)] = blood.fraction[np.ix_(*places)] >= 0.5  # noqa: PLR2004 - half of it is blood
    if not filled.any():
        # Smaller than the grid's cells.
        return ellipsoid((grid.x, grid.y, grid.z), lesion.center, (lesion.radius_mm,) * 3)
    return ndimage.distance_transform_edt(~filled, sampling=grid.spacing).astype(np.float32)
