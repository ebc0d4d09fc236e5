"""Blood as a share of fine voxels, and the level that gives a field of it the wanted volume."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from HTSegmentationLib.simulate.fields import ramp


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

    @property
    def box(self) -> tuple[slice, slice, slice]:
        """Where it lies among the fine voxels (z, y, x)."""
        return tuple(slice(first, first + size) for first, size in zip(self.start, self.fraction.shape, strict=True))

    def per_voxel(
        self, shape: tuple[int, int, int], per_slice: int, corner: tuple[int, int] = (0, 0), *, times_hu: bool = False
    ) -> np.ndarray:
        """Its share of each voxel of the scan: the average over the fine slices of each slice.

        Args:
            shape: The scan's size (z, y, x).
            per_slice: How many fine slices make one slice.
            corner: Row and column of the scan in which the fine voxels begin.
            times_hu: Give the share times its HU instead.
        """
        total = np.zeros(shape, np.float32)
        _, height, width = self.fraction.shape
        row, column = corner[0] + self.start[1], corner[1] + self.start[2]
        field = self.fraction * self.hu if times_hu else self.fraction
        for number, part in enumerate(field, start=self.start[0]):
            total[number // per_slice, row : row + height, column : column + width] += part
        total /= np.float32(per_slice)
        return total

    def over(self, box: Sequence[slice]) -> np.ndarray:
        """Its share in another box of the fine voxels."""
        result = np.zeros([part.stop - part.start for part in box], np.float32)
        common = [slice(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(self.box, box, strict=True)]
        if all(part.start < part.stop for part in common):
            to, of = (
                tuple(slice(c.start - b.start, c.stop - b.start) for c, b in zip(common, place, strict=True))
                for place in (box, self.box)
            )
            result[to] = self.fraction[of]
        return result


def voxel_ml(axes: Sequence[np.ndarray]) -> float:
    """Volume in mL of a voxel of an evenly spaced grid with these coordinates."""
    return abs(float(np.prod([axis[1] - axis[0] for axis in axes]))) / 1000


def even_box(axes: Sequence[np.ndarray], limits: Sequence[tuple[float, float]]) -> list[slice]:
    """The voxels between the limits of each axis, from an even one on and an even number of them.

    An even box keeps the scan's pixels and the coarser soft tissue pixels in step.
    """
    picks = []
    for axis, (low, high) in zip(axes, limits, strict=True):
        inside = np.flatnonzero((axis >= low) & (axis <= high))
        first, last = (int(inside[0]), int(inside[-1]) + 1) if inside.size else (0, 2)
        picks.append(slice(first - first % 2, min(last + last % 2, len(axis) - len(axis) % 2)))
    return picks


def level_of(field: np.ndarray, voxels: float, edge: float, weight: np.ndarray | None = None) -> float:
    """The level at which that many voxels of blood lie under it, partial ones counted by their share.

    Args:
        field: Low where blood comes first.
        voxels: How many voxels are wanted.
        edge: Width over which blood fades at the level, in the field's measure.
        weight: How much each voxel counts, 0 to 1; None: all count fully.
    """
    if weight is None:
        count = int(np.clip(voxels, 1, field.size - 1))
        guess = float(np.partition(field.ravel(), count)[count])
        near = field[field < guess + 4 * edge]
        low, high = guess - 3 * edge, guess + 3 * edge
    else:
        near, weight = field[weight > 0], weight[weight > 0]
        low, high = float(near.min()) - edge, float(near.max()) + edge
    for _ in range(18 if weight is None else 30):
        middle = 0.5 * (low + high)
        share = ramp(middle - near, edge)
        if float((share if weight is None else share * weight).sum(dtype=np.float64)) < voxels:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)
