"""Smooth random fields and implicit shapes: what the simulated head is modelled from.

Implicit shapes are signed distances in mm, negative inside; they need only be right near their surface.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from HTSegmentationLib.simulate.grid import HeadGrid

_LATTICE_GAIN = 3.016
"""A cubic B-spline over white noise has a standard deviation of 0.479 ** 1.5 in 3D; this brings it to 1."""


def bspline_matrix(positions: np.ndarray, count: int) -> np.ndarray:
    """Cubic B-spline weights, shape (positions, count), for positions counted in knots from knot 1."""
    base = np.floor(positions).astype(int)
    t = positions - base
    weights = np.zeros((len(positions), count), np.float32)
    rows = np.arange(len(positions))
    taps = ((1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3)
    for offset, tap in enumerate(taps):
        weights[rows, np.clip(base + offset, 0, count - 1)] += tap / 6
    return weights


def separable(lattice: np.ndarray, matrices: Sequence[np.ndarray]) -> np.ndarray:
    """Applies one matrix along each axis (z, y, x) of a lattice."""
    mz, my, mx = matrices
    first = np.tensordot(mz, lattice, axes=(1, 0))
    return np.ascontiguousarray(my @ (first @ mx.T), dtype=np.float32)


def smooth_noise(
    rng: np.random.Generator, axes: Sequence[np.ndarray], scale_mm: float, scale_z_mm: float | None = None
) -> np.ndarray:
    """Smooth Gaussian noise with mean 0 and standard deviation about 1.

    Args:
        rng: Source of randomness; the field depends on it and on the axes' extent only, not on their spacing.
        axes: Coordinates (z, y, x) of a rectilinear grid in mm, rising.
        scale_mm: Distance of the random knots; features are about twice as wide.
        scale_z_mm: The same through-plane, if it differs.

    Returns:
        float32 array (z, y, x).
    """
    matrices, shape = [], []
    for axis, scale in zip(axes, (scale_z_mm or scale_mm, scale_mm, scale_mm), strict=True):
        positions = (axis - axis[0]) / scale
        shape.append(int(np.ceil(positions[-1])) + 4)
        matrices.append(bspline_matrix(positions, shape[-1]))
    return _LATTICE_GAIN * separable(rng.standard_normal(shape, dtype=np.float32), matrices)


def grid_noise(rng: np.random.Generator, grid: HeadGrid, scale_mm: float) -> np.ndarray:
    """:func:`smooth_noise` on the modelling grid."""
    return smooth_noise(rng, (grid.axis_z, grid.axis_y, grid.axis_x), scale_mm)


def ellipsoid(points: Sequence[np.ndarray], center: Sequence[float], semi_axes: Sequence[float]) -> np.ndarray:
    """About the signed distance in mm to an ellipsoid; all triples in (x, y, z)."""
    square = sum(((p - c) / a) ** 2 for p, c, a in zip(points, center, semi_axes, strict=True))
    return ((np.sqrt(square) - 1) * float(min(semi_axes))).astype(np.float32)


def tube(
    points: Sequence[np.ndarray],
    path: Sequence[Sequence[float]],
    radii: Sequence[float],
    squash: Sequence[float] = (1.0, 1.0, 1.0),
) -> np.ndarray:
    """Signed distance in mm to a tube along a polyline whose radius changes linearly from corner to corner.

    Args:
        points: Coordinate arrays x, y, z in mm.
        path: Corners (x, y, z) in mm.
        radii: Radius at each corner in mm.
        squash: Factors on x, y, z distances: above 1, the tube is thinner along that axis.
    """
    best: np.ndarray | None = None
    for start, end, r0, r1 in zip(path[:-1], path[1:], radii[:-1], radii[1:], strict=True):
        axis = [e - s for s, e in zip(start, end, strict=True)]
        length2 = sum(a * a for a in axis)
        offsets = [p - np.float32(s) for p, s in zip(points, start, strict=True)]
        t = np.clip(sum(o * np.float32(a / length2) for o, a in zip(offsets, axis, strict=True)), 0, 1)
        square = sum(((o - t * np.float32(a)) * np.float32(q)) ** 2 for o, a, q in zip(offsets, axis, squash, strict=True))
        distance = np.sqrt(square) - (np.float32(r0) + t * np.float32(r1 - r0))
        best = distance if best is None else np.minimum(best, distance)
    if best is None:
        raise ValueError("a tube's path needs two corners or more")
    return best.astype(np.float32)


def smooth_min(first: np.ndarray, second: np.ndarray, radius_mm: float) -> np.ndarray:
    """Union of two implicit shapes whose seam is rounded over ``radius_mm``."""
    blend = np.clip(0.5 + 0.5 * (second - first) / radius_mm, 0, 1)
    return second + (first - second) * blend - radius_mm * blend * (1 - blend)


def ramp(value: np.ndarray, width: float) -> np.ndarray:
    """0 below ``-width / 2``, 1 above ``width / 2``, linear between: the share of a voxel that lies inside."""
    result = value * np.float32(1 / width)
    result += np.float32(0.5)
    return np.clip(result, 0, 1, out=result)


def bump(points: Sequence[np.ndarray], center: Sequence[float], widths: Sequence[float]) -> np.ndarray:
    """Gaussian of height 1 about ``center`` with standard deviations ``widths``, any number of coordinates."""
    square = sum(((p - c) / w) ** 2 for p, c, w in zip(points, center, widths, strict=True))
    return np.exp(-0.5 * square).astype(np.float32)
