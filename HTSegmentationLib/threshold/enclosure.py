"""Which voxels are enclosed by bone, seen from inside their slice."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

_TURNS = 4
"""Slices are looked through at 0, 22.5, 45 and 67.5 degrees, each along four directions: 16 directions in all."""


def enclosed_share(bone: np.ndarray) -> np.ndarray:
    """Share of 16 in-plane directions in which bone lies between a voxel and the edge of its slice.

    It is 1 inside a closed skull, falls slowly beside holes (orbital fissures, a craniectomy), and stays near one half
    in scalp and neck. Unlike filling holes, one gap in the skull does not open the whole slice.

    Args:
        bone: Bone as booleans, (z, y, x), y and x in the slices.

    Returns:
        Shares from 0 to 1, ``float32``, of the same shape.
    """
    votes = np.zeros(bone.shape, np.uint8)
    for turn in range(_TURNS):
        angle = 90.0 * turn / _TURNS
        turned = bone.view(np.uint8) if turn == 0 else _rotated(bone.view(np.uint8), angle, reshape=True)
        seen = _seen_along_axes(turned)
        votes += seen if turn == 0 else _middle(_rotated(seen, -angle, reshape=False), bone.shape)
    return votes.astype(np.float32) / (4 * _TURNS)


def _seen_along_axes(bone: np.ndarray) -> np.ndarray:
    """In how many of the four directions along the slice's axes bone is met."""
    behind = np.maximum.accumulate
    return (
        behind(bone, axis=1)
        + behind(bone[:, ::-1], axis=1)[:, ::-1]
        + behind(bone, axis=2)
        + behind(bone[:, :, ::-1], axis=2)[:, :, ::-1]
    )


def _rotated(slices: np.ndarray, angle: float, *, reshape: bool) -> np.ndarray:
    return ndimage.rotate(slices, angle, axes=(1, 2), reshape=reshape, order=0)


def _middle(slices: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    first_row, first_column = ((slices.shape[axis] - shape[axis]) // 2 for axis in (1, 2))
    return slices[:, first_row : first_row + shape[1], first_column : first_column + shape[2]]
