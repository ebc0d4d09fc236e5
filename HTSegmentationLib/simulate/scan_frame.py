"""How a scanned head lies in the head coordinates of the simulation, and arrays of the scan on the modelling grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from HTSegmentationLib.errors import ParameterError
from HTSegmentationLib.simulate.grid import HEAD_CENTER_Y_MM, HeadGrid
from HTSegmentationLib.simulate.sampling import FINE_MM

_HALF_WIDTH_MM, _HALF_LENGTH_MM = 61.5, 79.6
"""Half width and half length of the average head's brain in its largest slice, without the rim that bone's blur hides."""

_MIDDLE_Y_MM, _VERTEX_Z_MM = 15.0, 76.0
"""Its middle, and the middle of the uppermost slice that shows some of it; head coordinates."""

_LARGEST_SLICE_Z_MM = 11.0
"""The largest slice's height in head coordinates, for scans that end below the vertex."""

_VERTEX_SHARE = 0.35
"""At the vertex, a slice holds less brain than this share of the largest slice."""

_EDGE_SHARE = 0.005
"""Share of brain pixels that may lie beyond the extent on each side: vessels and partial volume."""

_PLAUSIBLE_SCALE = (0.75, 1.3)
"""Adult and adolescent skulls; others are no heads, or their spacing is wrong."""


@dataclass(frozen=True)
class ScanFrame:
    """Coordinates of a scan's voxels in scan coordinates (mm), whose axes are the image's own.

    Args:
        axes: Of the voxels along z, y and x.
        scale: The head's size (x, y, z) over the average head's.
        reaches_vertex: Whether the scan goes up to the vertex, so that heights are sure.
    """

    axes: tuple[np.ndarray, np.ndarray, np.ndarray]
    scale: tuple[float, float, float]
    reaches_vertex: bool

    @property
    def per_slice(self) -> int:
        """How many fine slices are averaged to one slice."""
        return max(2, int(np.ceil(abs(self.axes[0][1] - self.axes[0][0]) / FINE_MM)))

    @property
    def fine(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Coordinates (z, y, x) of fine voxels: each slice in ``per_slice`` parts."""
        z, y, x = self.axes
        step, count = float(z[1] - z[0]), self.per_slice
        parts = ((np.arange(count) + 0.5) / count - 0.5) * step
        return (z[:, None] + parts[None]).ravel().astype(np.float32), y, x

    def onto(self, array: np.ndarray, grid: HeadGrid) -> np.ndarray:
        """An array (z, y, x) of the scan on the modelling grid: local means, 0 outside of the scan."""
        matrices = [_means(voxels, nodes) for voxels, nodes in zip(self.axes, grid.axes, strict=True)]
        mz, my, mx = matrices
        rows = my @ (array.astype(np.float32, copy=False) @ mx.T)
        return np.tensordot(mz, rows, axes=(1, 0)).astype(np.float32)


def scan_frame(brain: np.ndarray, spacing: tuple[float, float, float]) -> ScanFrame:
    """Finds the head's place and size by the extent of its brain.

    Args:
        brain: Voxels inside the skull (z, y, x), rising to superior, posterior and left.
        spacing: Voxel size (x, y, z) in mm.

    Raises:
        ParameterError: The extent is not that of a head, or there are fewer than two slices.
    """
    areas = np.count_nonzero(brain, axis=(1, 2))
    if len(areas) < 2:  # noqa: PLR2004 - a distance needs two
        raise ParameterError("the background has one slice; it must have 2 slices or more")
    largest = int(areas.argmax())
    rows, columns = np.nonzero(brain[largest])
    extents = [np.quantile(pixels, (_EDGE_SHARE, 1 - _EDGE_SHARE)) for pixels in (columns, rows)]
    widths = [float(np.ptp(extent)) * step for extent, step in zip(extents, spacing, strict=False)]
    scale_x, scale_y = widths[0] / 2 / _HALF_WIDTH_MM, widths[1] / 2 / _HALF_LENGTH_MM
    low, high = _PLAUSIBLE_SCALE
    if not (low <= scale_x <= high and low <= scale_y <= high):
        raise ParameterError(
            f"the background's brain is {widths[0]:.0f} x {widths[1]:.0f} mm wide and long; a head of "
            f"{2 * low * _HALF_WIDTH_MM:.0f} x {2 * low * _HALF_LENGTH_MM:.0f} to "
            f"{2 * high * _HALF_WIDTH_MM:.0f} x {2 * high * _HALF_LENGTH_MM:.0f} mm is expected"
        )
    scale_z = (scale_x + scale_y) / 2
    top = int(np.flatnonzero(areas > 0.01 * areas[largest])[-1])
    reaches_vertex = bool(areas[top] < _VERTEX_SHARE * areas[largest])
    anchor, height = (top, _VERTEX_Z_MM) if reaches_vertex else (largest, _LARGEST_SLICE_Z_MM)
    middle_x, middle_y = (float(np.mean(extent)) for extent in extents)
    x = (np.arange(brain.shape[2]) - middle_x) * spacing[0]
    y = (np.arange(brain.shape[1]) - middle_y) * spacing[1] + _MIDDLE_Y_MM * scale_y - HEAD_CENTER_Y_MM
    z = (np.arange(brain.shape[0]) - anchor) * spacing[2] + height * scale_z
    axes = tuple(axis.astype(np.float32) for axis in (z, y, x))
    return ScanFrame(axes, (scale_x, scale_y, scale_z), reaches_vertex)


def _means(voxels: np.ndarray, nodes: np.ndarray) -> np.ndarray:
    """Weights (nodes, voxels) of a triangle as wide as the coarser of both spacings; they sum to 1 inside the scan."""
    step = abs(float(voxels[1] - voxels[0]))
    reach = max(step, abs(float(nodes[1] - nodes[0])))
    weights = np.clip(1 - np.abs(nodes[:, None] - voxels[None]) / reach, 0, 1)
    return (weights * step / reach).astype(np.float32)
