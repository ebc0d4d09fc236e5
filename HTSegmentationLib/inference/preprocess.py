"""From a prepared scan to what a network reads: its grid, its values, its channels, cut to the brain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.ct.geometry import bounding_box, crop
from HTSegmentationLib.ct.regular_grid import AIR_HU
from HTSegmentationLib.inference.intensity import intensity
from HTSegmentationLib.inference.network_grid import NetworkGrid, network_grid
from HTSegmentationLib.segmenter import PreparedScan

if TYPE_CHECKING:
    from HTSegmentationLib.inference.models.description import InputDescription

SYMMETRIC = "symmetric"
"""The channel that shows the brain mirrored."""

_HALF = 0.5
"""A voxel of the network's grid belongs to the brain when at least half of it does."""


@dataclass(frozen=True)
class Extent:
    """How large a box a network needs about the brain, in voxels (z, y, x).

    Args:
        smallest: The least size.
        multiple: The size is a multiple of this.
        margin: What the network reads beyond the box on each side, as convolutions without padding do.
    """

    smallest: tuple[int, ...] = (1, 1, 1)
    multiple: tuple[int, ...] = (1, 1, 1)
    margin: tuple[int, ...] = (0, 0, 0)


@dataclass(frozen=True)
class NetworkInput:
    """What a network reads of one scan.

    Args:
        channels: float32 (channels, z, y, x); larger than the grid by the margin on each side.
        grid: The grid of the answer: the brain's box.
        margin: What the channels hold beyond the grid on each side, in voxels (z, y, x).
    """

    channels: np.ndarray
    grid: NetworkGrid
    margin: tuple[int, ...]


def network_input(
    prepared: PreparedScan,
    description: InputDescription,
    extent: Extent | None = None,
    *,
    mirror: sitk.Transform | None = None,
    focus: sitk.Image | None = None,
) -> NetworkInput:
    """Makes a network's input, cut to the brain's bounding box.

    In this order: the scan is put on the network's grid (linear interpolation), clipped to the HU window and
    normalised; what lies beyond the scan gets ``outside_value`` and, where the model wants the brain alone, everything else
    as well. A model that wants the whole head resized gets it uncut.

    Args:
        prepared: The scan and its brain mask.
        description: What the model says of its input.
        extent: What the network needs about the brain's box; None for nothing.
        mirror: What :func:`HTSegmentationLib.inference.symmetric.mirror_transform` found; for the channel ``"symmetric"``.
        focus: A mask on the scan's grid whose bounding box is cut out; None for the brain mask.

    Example:
        >>> network_input(prepared, model.description.input).channels.shape   # doctest: +SKIP
        (1, 28, 340, 301)
    """
    extent = extent or Extent()
    image, brain = prepared.scan.image, prepared.brain_mask
    whole = network_grid(image, description.orientation, description.spacing_mm, description.size)
    index, size = (0, 0, 0), whole.size
    if description.size is None:
        held = brain if focus is None else focus
        index, size = whole.box_of(crop(held, *bounding_box(held)))
    index, size = _grown(index, size, whole.size, extent)
    margin = extent.margin[::-1]
    start = [first - more for first, more in zip(index, margin, strict=True)]
    larger = whole.cut(start, [count + 2 * more for count, more in zip(size, margin, strict=True)])
    values = intensity(image, brain, description)
    channels = np.empty((len(description.channels), *larger.size[::-1]), dtype=np.float32)
    for channel, name in zip(channels, description.channels, strict=True):
        transform = mirror if name == SYMMETRIC else None
        placed = larger.resample(image, np.nan, transform)
        beyond = np.isnan(placed)
        channel[...] = values.apply(np.where(beyond, np.float32(AIR_HU), placed))
        # Nobody knows what lies beyond the scan: networks learned it as their padding, not as air.
        channel[beyond] = description.outside_value
        if description.brain_only:
            channel[larger.resample(brain, 0, transform) < _HALF] = description.outside_value
    return NetworkInput(channels, whole.cut(index, size), extent.margin)


def _grown(
    index: Sequence[int], size: Sequence[int], limit: Sequence[int], extent: Extent
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The box (x, y, z) grown to the extent about its middle, on the scan as far as it can be."""
    grown_index, grown_size = [], []
    for axis in range(3):
        least, multiple = extent.smallest[2 - axis], extent.multiple[2 - axis]
        wanted = -(-max(size[axis], least) // multiple) * multiple
        first = index[axis] - (wanted - size[axis]) // 2
        if wanted <= limit[axis]:
            first = min(max(first, 0), limit[axis] - wanted)
        grown_index.append(first)
        grown_size.append(wanted)
    return tuple(grown_index), tuple(grown_size)
