"""The voxels around which patches may be taken, by the place where they lie (Abramova et al. 2021, section 2.2.1)."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from scipy import ndimage

from HTSegmentationLib.ct.geometry import voxels_to_ml
from HTSegmentationLib.inference.network_grid import NetworkGrid

LESION = "lesion"
"""Begins the names of the lesion's candidates, one list for each class: ``lesion-1``."""

_BORDER_MM = 8.0
"""How far the box around a part of the lesion reaches beyond it; the paper calls it "a cubic volume around the hematoma
borders" without its size. This is half a patch of 32 voxels of 0.5 mm: its patches hold the border."""

_CENTRE_SHARE = 1 / 3
"""Share of the brain's extent along each axis that the box about its centre has; the paper names none."""

_BLOOD_HU = 50.0
"""As dense as blood: the lower end of adaptive thresholding's first mask. The paper found its threshold "empirically"."""

_LEAST_HYPERINTENSE_ML = 0.3
"""Smaller hyperdense spots are falx, vessels and noise: "IVH has a bigger volume"."""

_PLANE = np.array([[[0, 1, 0], [1, 1, 1], [0, 1, 0]]], dtype=bool)
_TOUCHING = np.ones((3, 3, 3), dtype=bool)


def candidates(
    target: np.ndarray, brain: np.ndarray, tissue: np.ndarray, hu: np.ndarray, grid: NetworkGrid
) -> Mapping[str, np.ndarray]:
    """Lists the voxels of each place.

    Args:
        target: Classes (z, y, x) on the network's grid, 0 is background.
        brain: Booleans (z, y, x): inside the skull.
        tissue: The same without the rim that bone's blur makes dense.
        hu: HU (z, y, x).
        grid: The grid of all of them.

    Returns:
        Flat indices, int32 or int64, rising, by place: ``lesion-1`` and so on for each class; of the background ``brain``
        (all of it inside the skull), ``border`` (boxes around the lesion's parts), ``centre`` (the box about the brain's
        centre) and ``hyperintense`` (as dense as blood).

    Example:
        >>> len(candidates(target, brain, tissue, hu, grid)["border"])   # doctest: +SKIP
        20412
    """
    lesion = target > 0
    background = brain & ~lesion
    places = {f"{LESION}-{value}": target == value for value in range(1, int(target.max(initial=0)) + 1)}
    places |= {
        "brain": background,
        "border": background & _boxes(lesion, grid),
        "centre": background & _centre(brain),
        "hyperintense": background & _hyperintense(hu, tissue & ~lesion, grid),
    }
    kind = np.int32 if target.size <= np.iinfo(np.int32).max else np.int64
    return {name: np.flatnonzero(mask).astype(kind) for name, mask in places.items()}


def _boxes(lesion: np.ndarray, grid: NetworkGrid) -> np.ndarray:
    """The boxes around the lesion's parts, grown on all sides."""
    margin = [math.ceil(_BORDER_MM / spacing) for spacing in grid.spacing[::-1]]
    result = np.zeros_like(lesion)
    parts, _ = ndimage.label(lesion, _TOUCHING)
    for box in ndimage.find_objects(parts):
        result[tuple(slice(max(side.start - more, 0), side.stop + more) for side, more in zip(box, margin, strict=True))] = (
            True
        )
    return result


def _centre(brain: np.ndarray) -> np.ndarray:
    """The box about the middle of the brain's first and last slice along each axis."""
    result = np.zeros_like(brain)
    box = []
    for axis in range(3):
        held = np.flatnonzero(brain.any(axis=tuple(other for other in range(3) if other != axis)))
        if held.size == 0:
            return result
        half = _CENTRE_SHARE * (held[-1] - held[0] + 1) / 2
        middle = (held[0] + held[-1]) / 2
        box.append(slice(math.ceil(middle - half), math.floor(middle + half) + 1))
    result[tuple(box)] = True
    return result


def _hyperintense(hu: np.ndarray, tissue: np.ndarray, grid: NetworkGrid) -> np.ndarray:
    """What is as dense as blood and no thin or small thing."""
    dense = ndimage.binary_opening((hu >= _BLOOD_HU) & tissue, _PLANE)
    parts, count = ndimage.label(dense, _TOUCHING)
    voxel_ml = voxels_to_ml(1, grid.image(np.zeros((1, 1, 1), np.uint8)))
    large = np.bincount(parts.ravel(), minlength=count + 1) * voxel_ml >= _LEAST_HYPERINTENSE_ML
    large[0] = False
    return large[parts]
