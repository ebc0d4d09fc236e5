"""Which voxels of a scan a drawn shape holds.

A voxel belongs to a shape when its centre does. Faces and edges are half open: a centre that lies on the face between two
shapes belongs to one of them only, so that shapes side by side share no voxel and lose none. Only the voxels of a shape's
bounding box are looked at.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.ct.geometry import (
    beyond_grid,
    corner_points,
    index_to_point_matrix,
    points_to_index,
    slice_distance_mm,
)
from HTSegmentationLib.errors import ParameterError
from HTSegmentationLib.remark import Remark, Severity
from HTSegmentationLib.roi.parts import GridPart, partly_outside
from HTSegmentationLib.roi.shapes import BoxShape, CurvePlane, CurveShape, Shape

_FACE_SHIFT_MM = 1e-6
"""All faces are moved back by a nanometre: rounding must not decide about voxel centres that lie on a face."""

_VERTEX_DECIMALS = 6
"""Outlines are rounded to a millionth of a voxel, for the same reason."""

_SAMPLES = 24
"""Sample points along each edge of a shape, from which its share outside the scan is told to about 1%."""


def shape_on_grid(shape: Shape, image: sitk.Image, curve_extent_mm: float | None = None, name: str = "the ROI") -> GridPart:
    """The voxels of ``image`` whose centres lie in the shape.

    Args:
        shape: A box or a closed curve.
        image: The scan; only its grid is used.
        curve_extent_mm: How far a curve reaches along its plane's normal, half to each side; None: through the whole scan.
        name: What messages call the shape.

    Returns:
        The voxels; without any, ``problem`` says why.
    """
    if isinstance(shape, BoxShape):
        points, (first, array) = shape.corners(), _box_voxels(shape, image)
        outside, remarks = _share_outside(_points_in_box(shape), image), []
    else:
        points, plane = np.asarray(shape.points, dtype=float), shape.plane()
        axis = _extrusion_axis(plane, image)
        if curve_extent_mm is None and beyond_grid(plane.center[None], image)[0, axis]:
            return GridPart.nothing(f"{name}: {_outside_problem(points, image)}")
        first, array = _curve_voxels(shape, plane, axis, image, curve_extent_mm)
        outside = _share_outside(_points_in_curve(shape, plane), image, axis if curve_extent_mm is None else None)
        remarks = _curve_remarks(plane, image)
    if not array.any():
        if outside == 1.0:
            return GridPart.nothing(f"{name}: {_outside_problem(points, image)}")
        spacing = " x ".join(f"{length:.2f}" for length in image.GetSpacing())
        problem = f"it holds no voxel centre (it measures {shape.describe()}, a voxel {spacing} mm); draw it larger"
        return GridPart.nothing(f"{name}: {problem}")
    if outside > 0:
        remarks.append(partly_outside(outside))
    return GridPart((int(first[0]), int(first[1]), int(first[2])), array, tuple(remarks))


def curves_reach(
    shapes: Sequence[Shape], image: sitk.Image, slice_range: tuple[int, int] | None, curve_extent_mm: float | None
) -> list[Remark]:
    """What the user must be told of how far closed curves reach.

    Raises:
        ParameterError: The extent is not above 0 mm.
    """
    if curve_extent_mm is not None and not 0 < curve_extent_mm < np.inf:
        raise ParameterError(f"curve extent {curve_extent_mm} mm: it must be above 0 mm")
    levels = [shape.plane() for shape in shapes if isinstance(shape, CurveShape)]
    if not levels or curve_extent_mm is not None:
        return []
    heights = [float(plane.normal @ plane.center) for plane in levels]
    if np.ptp(heights) > slice_distance_mm(image) / 2:
        text = (
            f"{len(levels)} closed curves at different levels were each extended along their normal, so that every slice "
            "holds their union; give the extent of the curves if each was drawn for its own slice."
        )
        return [Remark("roi-curves-overlap", text, Severity.CAUTION)]
    if slice_range is not None:
        return []
    text = (
        "The closed curve was extended along its normal through the whole scan; a box, or a limit to some slices, keeps it "
        "to the bleed."
    )
    return [Remark("roi-curve-all-slices", text)]


def winding_fill(outline: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """The cells of a lattice whose points lie in a closed polygon, by its winding number.

    Loops of an outline that crosses itself are filled, too. Cells on edges belong to one side only.

    Args:
        outline: Corners as (row, column) in lattice units, shape (n, 2); cell (r, c) is the point (r, c).
        rows: Number of rows of the lattice.
        columns: Number of columns.

    Returns:
        Booleans, shape (rows, columns).
    """
    start = np.round(outline, _VERTEX_DECIMALS)
    end = np.roll(start, -1, axis=0)
    falls = (start[:, 0] > end[:, 0])[:, None]
    low, high = np.where(falls, end, start), np.where(falls, start, end)
    first = np.clip(np.ceil(low[:, 0]), 0, rows).astype(int)
    counts = np.clip(np.ceil(high[:, 0]), 0, rows).astype(int) - first
    edge = np.repeat(np.arange(len(start)), counts)
    row = np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts, counts) + first[edge]
    slope = (high[edge, 1] - low[edge, 1]) / (high[edge, 0] - low[edge, 0])
    crossing = np.clip(np.ceil(low[edge, 1] + (row - low[edge, 0]) * slope), 0, columns).astype(int)
    turns = np.zeros((rows, columns + 1), dtype=np.int32)
    np.add.at(turns, (row, crossing), np.where(falls[edge, 0], -1, 1))
    return np.cumsum(turns, axis=1)[:, :columns] != 0


def _box_voxels(box: BoxShape, image: sitk.Image) -> tuple[np.ndarray, np.ndarray]:
    first, last = _index_range(points_to_index(box.corners(), image), image)
    inside = np.ones((last - first + 1).clip(0)[::-1], dtype=bool)
    middle = box.directions() @ np.asarray(box.center)
    for direction, center, size in zip(box.directions(), middle, box.size, strict=True):
        inside &= _between(direction, (center - size / 2, center + size / 2), first, last, image)
    return first, inside


def _curve_voxels(
    curve: CurveShape, plane: CurvePlane, axis: int, image: sitk.Image, extent_mm: float | None
) -> tuple[np.ndarray, np.ndarray]:
    """Fills the outline on each layer of the grid across ``axis``, where the outline is a polygon of indices."""
    inner, outer = (other for other in range(3) if other != axis)
    outline = points_to_index(np.asarray(curve.points, dtype=float), image)
    # Going along the normal by one index of the axis moves the outline by this much in the other two.
    along = points_to_index(plane.normal[None] + index_to_point_matrix(image)[:3, 3], image)[0]
    drift = along / along[axis]
    layers = np.arange(image.GetSize()[axis])
    swept = np.concatenate([outline + (layer - outline[:, axis : axis + 1]) * drift for layer in (layers[0], layers[-1])])
    first, last = _index_range(swept, image)
    first[axis], last[axis] = layers[0], layers[-1]
    shape = (last - first + 1).clip(0)
    filled = np.zeros(shape[::-1], dtype=bool)
    stack = np.moveaxis(filled, 2 - axis, 0)
    straight = np.abs(drift[[inner, outer]]).max() * len(layers) < 10**-_VERTEX_DECIMALS
    for layer in layers if filled.size else []:
        if straight and layer > layers[0]:
            stack[layer] = stack[0]
            continue
        here = outline + (layer - outline[:, axis : axis + 1]) * drift - first
        stack[layer] = winding_fill(here[:, [outer, inner]], shape[outer], shape[inner])
    if extent_mm is not None:
        level = float(plane.normal @ plane.center)
        filled &= _between(plane.normal, (level - extent_mm / 2, level + extent_mm / 2), first, last, image)
    return first, filled


def _between(
    direction: np.ndarray, low_high: tuple[float, float], first: np.ndarray, last: np.ndarray, image: sitk.Image
) -> np.ndarray:
    """Which voxels lie from ``low`` up to ``high`` mm along a direction; axes that do not matter keep the length 1."""
    low, high = low_high
    matrix = index_to_point_matrix(image)
    steps = direction @ matrix[:3, :3]
    place = np.full((1, 1, 1), direction @ matrix[:3, 3])
    for axis in range(3):
        if abs(steps[axis]) * image.GetSize()[axis] > _FACE_SHIFT_MM / 10:
            along = np.arange(first[axis], last[axis] + 1) * steps[axis]
            place = place + np.expand_dims(along, [other for other in range(3) if other != 2 - axis])
    return (place >= low - _FACE_SHIFT_MM) & (place < high - _FACE_SHIFT_MM)


def _index_range(indices: np.ndarray, image: sitk.Image) -> tuple[np.ndarray, np.ndarray]:
    """First and last index (x, y, z) of the scan's voxels that points may hold; the last is below the first for none."""
    limit = np.array(image.GetSize())
    first = np.clip(np.floor(indices.min(axis=0)), 0, limit).astype(int)
    last = np.clip(np.ceil(indices.max(axis=0)), -1, limit - 1).astype(int)
    return first, last


def _extrusion_axis(plane: CurvePlane, image: sitk.Image) -> int:
    """The grid's axis nearest to the plane's normal."""
    matrix = index_to_point_matrix(image)[:3, :3]
    return int(np.argmax(np.abs(plane.normal @ (matrix / np.linalg.norm(matrix, axis=0)))))


def _points_in_box(box: BoxShape) -> np.ndarray:
    steps = (np.arange(_SAMPLES) + 0.5) / _SAMPLES - 0.5
    cells = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 3)
    return np.asarray(box.center) + (cells * np.asarray(box.size)) @ box.directions()


def _points_in_curve(curve: CurveShape, plane: CurvePlane) -> np.ndarray:
    flat = plane.flatten(np.asarray(curve.points, dtype=float))
    corner, extent = flat.min(axis=0), np.ptp(flat, axis=0)
    lattice = (flat - corner) / extent * _SAMPLES - 0.5
    cells = np.argwhere(winding_fill(lattice, _SAMPLES, _SAMPLES))
    return plane.center + ((cells + 0.5) / _SAMPLES * extent + corner) @ plane.across


def _share_outside(points: np.ndarray, image: sitk.Image, ignored_axis: int | None = None) -> float:
    """The share of points beyond the scan's outermost voxel borders."""
    outside = beyond_grid(points, image)
    if ignored_axis is not None:
        outside[:, ignored_axis] = False
    return float(outside.any(axis=1).mean()) if len(points) else 0.0


def _curve_remarks(plane: CurvePlane, image: sitk.Image) -> list[Remark]:
    if plane.deviation_mm <= slice_distance_mm(image) / 2:
        return []
    text = (
        f"The closed curve leaves its plane by up to {plane.deviation_mm:.1f} mm; it was flattened onto the plane that fits "
        "its points best. Draw it on one slice."
    )
    return [Remark("roi-curve-not-flat", text, Severity.CAUTION)]


def _outside_problem(points: np.ndarray, image: sitk.Image) -> str:
    return (
        f"it lies outside the scan (it spans {_span(points)}, the scan {_span(corner_points(image))}); draw it on this scan"
    )


def _span(points: np.ndarray) -> str:
    """From where to where, with the letters that viewers show, so that it reads alike in LPS and in RAS."""
    ends = zip(points.min(axis=0), points.max(axis=0), ("RL", "AP", "IS"), strict=True)
    return ", ".join(f"{_place(low, letters)} to {_place(high, letters)}" for low, high, letters in ends) + " mm"


def _place(value: float, letters: str) -> str:
    return f"{letters[int(value > 0)]} {abs(value):.0f}"
