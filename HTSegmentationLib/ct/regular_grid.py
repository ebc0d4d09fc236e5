"""From slices at any distance and shift to a rectangular grid, in the patient's true geometry.

The rule, for each voxel of the grid: the two slices whose centres lie nearest before and after it along the normal are
each read at the voxel's own place in the patient (linear interpolation in the plane), and mixed by their distances from
it. So an intensity that changes linearly in space is kept exactly. Where a thin and a thick part of a scan overlap, a
thick slab amid thin ones that touch is not used; the other slabs of the overlap are. Before the first and after the last
centre, to the edge of the slab, the nearest slice alone counts. A voxel that one of the two slices does not reach has the
other's value, one that neither reaches is air.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.ct.geometry import nearest_rotation
from HTSegmentationLib.ct.slice_gaps import even_gap_mm, gap_remarks, gaps_in_words, redundant_slices, step_mm
from HTSegmentationLib.ct.slice_stack import SliceStack
from HTSegmentationLib.errors import SegmentationError
from HTSegmentationLib.remark import Remark, Severity

AIR_HU = -1024
"""The value where nothing was measured: the lowest that CT of 12 bits holds."""

_SHIFT_TOLERANCE_PIXELS = 0.2
"""Slices shifted against each other by less than this share of a pixel lie above each other; shifts are then dropped."""

_WHOLE_PIXEL = 1e-3
"""Shifts this near to whole pixels need no interpolation."""

_LARGEST_GRID_VOXELS = 2**30
"""A grid above this size (4 GB) means that a position is wrong, not that a head is large."""


def regular_image(stack: SliceStack) -> tuple[sitk.Image, list[Remark]]:
    """The slices as an image with orthonormal axes, and what was done for that.

    Even, unshifted slices are taken over unchanged (int16 or float32, as they are); all others are resampled (float32).
    The image's axes are the slices' row, column and normal; its grid is the first slice's, enlarged in the plane so that
    it holds all of every slice.

    Args:
        stack: At least two slices.

    Returns:
        The image in LPS, and remarks.

    Raises:
        SegmentationError: The grid would be absurdly large, so that a slice's position must be wrong.
    """
    remarks = gap_remarks(stack)
    gap = even_gap_mm(stack)
    if gap is not None and np.abs(stack.shifts).max() <= _SHIFT_TOLERANCE_PIXELS:
        return _image(stack.pixels, stack, stack.positions[0], gap), remarks
    step = gap if gap is not None else step_mm(stack)
    left_out = redundant_slices(stack)
    used = _without(stack, left_out)
    low, high = _plane_limits(stack)
    depths = _grid_depths(stack, step)
    shape = (len(depths), *(high - low)[::-1])
    if np.prod(shape, dtype=float) > _LARGEST_GRID_VOXELS:
        raise SegmentationError(
            f"the slices are so far apart ({gaps_in_words(stack.gaps)}; shifted by up to {np.abs(stack.shifts).max():.0f} "
            f"pixels) that their grid would have {shape[2]} x {shape[1]} x {shape[0]} voxels; check the slices' positions"
        )
    grid = _resampled(used, depths, low, shape)
    origin = stack.positions[0] + low[0] * stack.spacing[0] * stack.row + low[1] * stack.spacing[1] * stack.column
    image = _image(grid, stack, origin, step)
    return image, remarks + _resampling_remarks(stack, image, gap is not None, int(left_out.sum()))


def _resampled(stack: SliceStack, depths: np.ndarray, low: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The grid's values, slice by slice; each slice of the pile is shifted into the grid's plane once."""
    grid = np.full(shape, AIR_HU, dtype=np.float32)
    shifted = _last_two(lambda index: _shifted(stack, index, low, shape))
    after = np.clip(np.searchsorted(stack.depths, depths), 1, len(stack.depths) - 1)
    for target, (depth, upper) in enumerate(zip(depths, after, strict=True)):
        below, above = stack.depths[upper - 1], stack.depths[upper]
        share = float(np.clip((depth - below) / (above - below), 0.0, 1.0))
        _mix(grid[target], shifted(upper - 1) if share < 1 else None, shifted(upper) if share > 0 else None, share)
    return grid


_Placed = tuple[np.ndarray, int, int]
"""A slice's values on the grid's pixels, and the row and column of the grid where they begin."""


def _mix(out: np.ndarray, first: _Placed | None, second: _Placed | None, share: float) -> None:
    """Writes (1 - share) of the first and share of the second where both reach, and the one that reaches elsewhere."""
    for placed in (first, second):
        if placed is not None:
            _window(out, placed, out.shape)[...] = placed[0]
    if first is None or second is None:
        return
    top, left = max(first[1], second[1]), max(first[2], second[2])
    bottom = min(first[1] + first[0].shape[0], second[1] + second[0].shape[0])
    right = min(first[2] + first[0].shape[1], second[2] + second[0].shape[1])
    if bottom <= top or right <= left:
        return
    a = first[0][top - first[1] : bottom - first[1], left - first[2] : right - first[2]]
    b = second[0][top - second[1] : bottom - second[1], left - second[2] : right - second[2]]
    both = out[top:bottom, left:right]
    np.subtract(b, a, out=both)
    both *= np.float32(share)
    both += a


def _window(out: np.ndarray, placed: _Placed, shape: tuple[int, ...]) -> np.ndarray:
    values, top, left = placed
    return out[top : min(top + values.shape[0], shape[0]), left : min(left + values.shape[1], shape[1])]


def _shifted(stack: SliceStack, index: int, low: np.ndarray, shape: tuple[int, ...]) -> _Placed:
    """One slice on the grid's pixels: whole pixels by its place, the rest by linear interpolation.

    A slice's edge pixels are repeated by one, so that the outermost half pixel it measured is not lost to air.
    """
    offset = stack.shifts[index] - low
    whole = np.floor(offset + _WHOLE_PIXEL).astype(int)
    rest = offset - whole
    values = stack.pixels[index].astype(np.float32)
    for axis, fraction in ((0, rest[1]), (1, rest[0])):
        if abs(fraction) <= _WHOLE_PIXEL:
            continue
        edges = [(0, 0), (0, 0)]
        edges[axis] = (1, 1)
        padded = np.pad(values, edges, mode="edge")
        near = padded[1:] if axis == 0 else padded[:, 1:]
        far = padded[:-1] if axis == 0 else padded[:, :-1]
        values = near + np.float32(fraction) * (far - near)
    top, left = int(whole[1]), int(whole[0])
    return values[: shape[1] - top, : shape[2] - left], top, left


def _last_two(make: Callable[[int], _Placed]) -> Callable[[int], _Placed]:
    """Keeps the two results asked for last: the grid is walked upward, and memory stays at two slices."""
    kept: dict[int, _Placed] = {}

    def get(index: int) -> _Placed:
        if index not in kept:
            for old in [key for key in kept if key < index - 1]:
                del kept[old]
            kept[index] = make(index)
        return kept[index]

    return get


def _plane_limits(stack: SliceStack) -> tuple[np.ndarray, np.ndarray]:
    """First pixel and end (x, y) of the plane that holds every slice, in pixels of the first slice."""
    low = np.floor(stack.shifts.min(axis=0) + _WHOLE_PIXEL).astype(int)
    high = np.ceil(stack.shifts.max(axis=0) - _WHOLE_PIXEL).astype(int)
    return low, high + np.array(stack.pixels.shape[:0:-1])


def _grid_depths(stack: SliceStack, step: float) -> np.ndarray:
    """Depths in mm of the grid's slices: from the first slice's centre on, as long as they lie in the last slab."""
    half_slab = stack.thickness[-1] / 2 if stack.thickness is not None else 0.0
    # A slab cannot be trusted to reach further than to its neighbour's centre: some files give absurd thicknesses.
    reach = stack.depths[-1] + min(half_slab, stack.gaps[-1])
    return step * np.arange(int(np.floor(reach / step + 1e-6)) + 1)


def _without(stack: SliceStack, left_out: np.ndarray) -> SliceStack:
    if not left_out.any():
        return stack
    keep = ~left_out
    # The first and last slice are never left out, so depths and shifts keep their origin.
    return replace(
        stack,
        pixels=stack.pixels[keep],
        positions=stack.positions[keep],
        thickness=None if stack.thickness is None else stack.thickness[keep],
    )


def _image(pixels: np.ndarray, stack: SliceStack, origin: np.ndarray, step: float) -> sitk.Image:
    image = sitk.GetImageFromArray(np.ascontiguousarray(pixels))
    # Axes from files are rounded to six digits or so; the image's are made exactly orthonormal.
    axes = nearest_rotation(np.stack([stack.row, stack.column, stack.normal], axis=1))
    image.SetDirection(axes.ravel().tolist())
    image.SetSpacing([*stack.spacing, step])
    image.SetOrigin([float(value) for value in origin])
    return image


def _resampling_remarks(stack: SliceStack, image: sitk.Image, even: bool, left_out: int) -> list[Remark]:
    size = " x ".join(str(n) for n in image.GetSize())
    voxel = " x ".join(f"{mm:.2f}" for mm in image.GetSpacing())
    grid = f"resampled onto a rectangular grid of {size} voxels of {voxel} mm"
    remarks = []
    if np.abs(stack.shifts).max() > _SHIFT_TOLERANCE_PIXELS:
        if stack.is_linear:
            text = f"The slices are tilted by {stack.tilt_degrees:.1f} degrees against the way the table moved (gantry tilt)"
        else:
            far = np.abs(stack.shifts * stack.spacing).max()
            text = f"The slices are shifted against each other in their plane by up to {far:.1f} mm"
        code = "tilt-resampled" if stack.is_linear else "shear-resampled"
        remarks.append(Remark(code, f"{text}; the scan was {grid}, which holds all of every slice."))
    if not even:
        text = f"The distances between the slices differ: {gaps_in_words(stack.gaps)}; the scan was {grid}"
        text += f", the step between slices being {image.GetSpacing()[2]:.2f} mm"
        if left_out:
            text += f"; thick slices amid thinner ones that touch were not used ({left_out})"
        remarks.append(Remark("gaps-resampled", f"{text}.", Severity.NOTE))
    return remarks
