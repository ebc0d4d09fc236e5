"""The shapes that users draw as a region of interest: boxes and closed curves, in patient coordinates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from HTSegmentationLib.errors import ROIError

_RIGHT_ANGLE_TOLERANCE = 1e-3
"""Largest dot product of two unit axes of a box: 0.06 degrees, far more than any writer's rounding."""

LEAST_CURVE_POINTS = 3
"""Fewer points span no area."""

Vector = tuple[float, float, float]
"""Three numbers: a point or direction in LPS, or three lengths; in mm."""


@dataclass(frozen=True)
class BoxShape:
    """A box of any orientation.

    Args:
        center: Its centre, LPS mm.
        axes: Directions (LPS) of its three edges, at right angles to each other; their length does not matter.
        size: Its edge lengths along ``axes`` in mm, not below 0.

    Raises:
        ROIError: A number is not finite, a length is below zero, or the axes are not at right angles.

    Example:
        >>> BoxShape(center=(10, 20, 30), axes=((1, 0, 0), (0, 1, 0), (0, 0, 1)), size=(60, 60, 40)).corners().shape
        (8, 3)
    """

    center: Vector
    axes: tuple[Vector, Vector, Vector]
    size: Vector

    def __post_init__(self) -> None:
        if not all(np.isfinite(values).all() for values in (self.center, self.axes, self.size)):
            raise ROIError("a box has a centre, axis or size that is no finite number; draw it anew")
        if min(self.size) < 0:
            raise ROIError(f"a box has a size of {_by(self.size)} mm; sizes must not be below 0")
        lengths = np.linalg.norm(self.axes, axis=1)
        unit = np.asarray(self.axes) / np.where(lengths > 0, lengths, 1)[:, None]
        if np.abs(unit @ unit.T - np.eye(3)).max() > _RIGHT_ANGLE_TOLERANCE:
            raise ROIError("a box has axes that are not at right angles to each other; draw it anew")

    def directions(self) -> np.ndarray:
        """The axes as unit vectors, one a row, shape (3, 3)."""
        axes = np.asarray(self.axes, dtype=float)
        return axes / np.linalg.norm(axes, axis=1, keepdims=True)

    def corners(self) -> np.ndarray:
        """The eight corners, LPS mm, shape (8, 3)."""
        signs = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
        return np.asarray(self.center) + (signs * np.asarray(self.size) / 2) @ self.directions()

    def describe(self) -> str:
        """Its size in words."""
        return f"{_by(self.size)} mm"


@dataclass(frozen=True)
class CurvePlane:
    """The plane that fits a curve's points best.

    Args:
        center: Mean of the points, LPS mm, shape (3,).
        across: Two unit vectors in the plane, shape (2, 3).
        normal: Unit normal; its largest component is positive, so that parallel curves have the same one.
        deviation_mm: Largest distance of a point from the plane.
    """

    center: np.ndarray
    across: np.ndarray
    normal: np.ndarray
    deviation_mm: float

    def flatten(self, points: np.ndarray) -> np.ndarray:
        """The points seen along the normal: coordinates in mm along ``across``, shape (n, 2)."""
        return (points - self.center) @ self.across.T


@dataclass(frozen=True)
class CurveShape:
    """A closed curve about a region; its outline is the polygon through ``points``, joined at the ends.

    Args:
        points: At least three points, LPS mm, in the order in which they were drawn; splines are given sampled.

    Raises:
        ROIError: There are too few points, one is not finite, or all lie on one line.

    Example:
        >>> CurveShape(((0, 0, 5), (30, 0, 5), (0, 40, 5))).plane().normal.tolist()
        [0.0, 0.0, 1.0]
    """

    points: tuple[Vector, ...]

    def __post_init__(self) -> None:
        if len(self.points) < LEAST_CURVE_POINTS:
            raise ROIError(f"a closed curve has {len(self.points)} points; it needs at least {LEAST_CURVE_POINTS}")
        points = np.asarray(self.points, dtype=float)
        if not np.isfinite(points).all():
            raise ROIError("a closed curve has a point that is no finite number; draw it anew")
        spread = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
        if spread[1] <= 1e-9 * max(spread[0], 1.0):
            raise ROIError("all points of a closed curve lie on one line; draw it about a region")

    def plane(self) -> CurvePlane:
        """The plane that fits the points best, in the sense of least squares."""
        points = np.asarray(self.points, dtype=float)
        center = points.mean(axis=0)
        axes = np.linalg.svd(points - center, full_matrices=True)[2]
        normal = axes[2] * np.sign(axes[2][np.argmax(np.abs(axes[2]))]) + 0.0
        return CurvePlane(center, axes[:2], normal, float(np.abs((points - center) @ normal).max()))

    def describe(self) -> str:
        """Its size in words."""
        extent = np.ptp(self.plane().flatten(np.asarray(self.points, dtype=float)), axis=0)
        return f"{extent[0]:.1f} x {extent[1]:.1f} mm"


Shape = BoxShape | CurveShape
"""What a region of interest may be drawn as."""


def _by(lengths: Vector) -> str:
    return " x ".join(f"{length:.1f}" for length in lengths)
