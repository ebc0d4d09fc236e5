"""What the second stage of the cascade sees: the coarse bleed, enlarged, cropped and resized (method D, section 4.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from HTSegmentationLib.errors import ParameterError

PATCH = (16, 320, 320)
"""What each stage is given, (z, y, x)."""

_ENLARGEMENT = 0.25
"""Share of the bleed's length that is added at each of its ends. The paper enlarges it without saying by how much."""

_MOST_MAGNIFICATION = 4.0
"""A bleed of a few voxels would be blown up beyond anything that was trained on; the paper says nothing of it."""


@dataclass(frozen=True)
class Crop:
    """A box of the scan and the patch into which it is resized; all (z, y, x), in voxels.

    Args:
        start: Its first voxel.
        size: Its sides.
        patch: The sides of the patch.
    """

    start: tuple[int, ...]
    size: tuple[int, ...]
    patch: tuple[int, ...]

    @property
    def box(self) -> tuple[slice, ...]:
        """The slices that cut it out of an array (z, y, x)."""
        return tuple(slice(start, start + size) for start, size in zip(self.start, self.size, strict=True))


def plan_crop(
    coarse: np.ndarray,
    *,
    patch: Sequence[int] = PATCH,
    enlargement: float = _ENLARGEMENT,
    most_magnification: float = _MOST_MAGNIFICATION,
) -> Crop | None:
    """The box around everything that the first stage found.

    The box of the coarse bleed, all parts together, grows by a share of its length at each end, and further where it would
    be magnified too much; at the scan's border it is moved inwards, and it is never larger than the scan.

    Args:
        coarse: What the first stage found, (z, y, x); above zero is bleed.
        patch: What the second stage is given.
        enlargement: Share of the bleed's length added at each end, 0 or more.
        most_magnification: How many voxels of the patch one voxel of the scan becomes at most, 1 or more.

    Returns:
        The box; None when the first stage found nothing, so that there is nothing to refine.

    Raises:
        ParameterError: A number is out of its range.

    Example:
        >>> coarse = np.zeros((30, 512, 512), bool)
        >>> coarse[10:14, 200:260, 100:180] = True
        >>> plan_crop(coarse)
        Crop(start=(9, 185, 80), size=(6, 90, 120), patch=(16, 320, 320))
    """
    if not enlargement >= 0:
        raise ParameterError(f"enlargement: {enlargement} must be 0 or more (a share of the bleed's length)")
    if not most_magnification >= 1:
        raise ParameterError(f"most_magnification: {most_magnification} must be 1 or more")
    found = coarse > 0
    if not found.any():
        return None
    starts, sizes = [], []
    for axis, (length, side) in enumerate(zip(found.shape, patch, strict=True)):
        held = np.flatnonzero(found.any(axis=tuple(other for other in range(found.ndim) if other != axis)))
        first, last = int(held[0]), int(held[-1]) + 1
        grown = (last - first) + 2 * int(np.ceil(enlargement * (last - first)))
        size = min(max(grown, int(np.ceil(side / most_magnification))), length)
        starts.append(min(max((first + last - size) // 2, 0), length - size))
        sizes.append(size)
    return Crop(tuple(starts), tuple(sizes), tuple(int(side) for side in patch))


def crop_to_patch(volume: np.ndarray, crop: Crop) -> np.ndarray:
    """The box of a volume, resized to the patch.

    Args:
        volume: Numbers, (..., z, y, x); axes before the last three, as channels, are kept.
        crop: The box.

    Returns:
        float32 (..., z, y, x) of the patch, linear between voxel centres.
    """
    return resized(volume[(..., *crop.box)], crop.patch)


def patch_to_volume(patch: np.ndarray, crop: Crop, volume: np.ndarray) -> np.ndarray:
    """The way back: what the second stage gave, put into what the first one gave.

    Args:
        patch: Probabilities of the second stage, (..., z, y, x) of the patch.
        crop: The box.
        volume: Those of the first stage, (..., z, y, x); it is not changed.

    Returns:
        float32, the shape of ``volume``.
    """
    result = volume.astype(np.float32)
    result[(..., *crop.box)] = resized(patch, crop.size)
    return result


def resized(volume: np.ndarray, size: Sequence[int]) -> np.ndarray:
    """A volume with other sides over the same extent, linear between voxel centres.

    Args:
        volume: Numbers, (..., z, y, x).
        size: The new sides (z, y, x).

    Returns:
        float32 (..., z, y, x).

    Example:
        >>> resized(np.array([[[0.0, 4.0]]]), (1, 1, 4)).tolist()
        [[[0.0, 1.0, 3.0, 4.0]]]
    """
    result = volume.astype(np.float32)
    for axis, count in zip((-3, -2, -1), size, strict=True):
        length = result.shape[axis]
        if count == length:
            continue
        # Half a voxel beyond the outer centres there is nothing to interpolate with: the outer value stays.
        places = np.clip((np.arange(count) + 0.5) * length / count - 0.5, 0, length - 1)
        lower = np.minimum(places.astype(int), max(length - 2, 0))
        upper = np.minimum(lower + 1, length - 1)
        share = (places - lower).astype(np.float32).reshape(-1, *[1] * (-axis - 1))
        low = result.take(lower, axis=axis)
        result = low + share * (result.take(upper, axis=axis) - low)
    return result
