"""Runs a network without padding over a scan in tiles laid side by side."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from HTSegmentationLib.inference.batch_size import LIVE_MAPS, USED_SHARE, Batches, largest_map_bytes
from HTSegmentationLib.inference.device import Device, import_torch
from HTSegmentationLib.inference.predictor import Predictor
from HTSegmentationLib.progress import Progress, silent

if TYPE_CHECKING:
    from torch import Tensor, nn

    from HTSegmentationLib.inference.sliding import Window

_LONGEST = (45, 75, 75)
"""Longest sides (z, y, x) in voxels. Longer tiles read less about themselves for each voxel that they answer: a column of
30 voxels a side reads 3.6 voxels for one, of 75 voxels 1.8. Flatter ones follow the brain's outline: at 45 voxels they
leave out a fifth of its box. Together these were the fastest on heads of 1 mm."""

_MOST_BYTES = 3 * 2**30
"""What a tile may take at most, so that a scan stays below 6 GB."""


@dataclass(frozen=True)
class Tiling:
    """How tiles of an unpadded network lie.

    Args:
        step: Tiles begin and end at multiples of this many voxels, (z, y, x); only then they give what one large tile gives.
        margin: What the network reads beyond a tile on each side, in voxels (z, y, x).
        side: The longest side of a tile, a multiple of the step, (z, y, x).
    """

    step: tuple[int, ...]
    margin: tuple[int, ...]
    side: tuple[int, ...]


def tiling_for(network: nn.Module, device: Device) -> Tiling:
    """The tiles that suit a network and the memory of a device.

    Args:
        network: Has ``input_size_for(output)`` and ``output_multiple``, as
            :mod:`HTSegmentationLib.networks.deepmedic` has them.
        device: Where it will run.
    """
    step = tuple(network.output_multiple)
    margin = tuple((read - given) // 2 for read, given in zip(network.input_size_for(step), step, strict=True))
    free = device.free_bytes() * USED_SHARE or _MOST_BYTES
    counts = [max(longest // s, 1) for longest, s in zip(_LONGEST, step, strict=True)]
    while max(counts) > 1:
        side = tuple(count * s for count, s in zip(counts, step, strict=True))
        if largest_map_bytes(network, network.input_size_for(side)) * LIVE_MAPS <= min(free, _MOST_BYTES):
            break
        counts[counts.index(max(counts))] -= 1
    return Tiling(step, margin, tuple(count * s for count, s in zip(counts, step, strict=True)))


def tiles_over(needed: np.ndarray, tiling: Tiling) -> list[Window]:
    """Tiles that hold everything needed, and little else.

    The box is cut into slabs, each slab is cut to what is needed in it and into columns, each column likewise: the tiles
    follow the brain's round outline.

    Args:
        needed: Booleans (z, y, x); sides are multiples of the step.
        tiling: How tiles lie.

    Example:
        >>> tiles_over(np.ones((30, 30, 60), bool), Tiling((15,) * 3, (40,) * 3, (30,) * 3))[1][2]
        slice(30, 60, None)
    """
    tiles: list[Window] = [tuple(slice(0, length) for length in needed.shape)]
    for axis in range(3):
        tiles = [part for tile in tiles for part in _cut(needed, tile, axis, tiling)]
    return [_trimmed(needed, tile, tiling) for tile in tiles if needed[tile].any()]


def tile(
    channels: np.ndarray,
    needed: np.ndarray,
    tiling: Tiling,
    predictor: Predictor,
    batches: Batches,
    *,
    progress: Progress = silent,
) -> tuple[np.ndarray, int]:
    """Gives the probabilities of all tiles.

    Args:
        channels: float32 (channels, z, y, x), larger than ``needed`` by the tiling's margin on each side.
        needed: Booleans (z, y, x): the voxels whose answer is wanted; sides are multiples of the step.
        tiling: How tiles lie.
        predictor: Gives probabilities of a batch.
        batches: Tiles at once, which are one, since their sides differ.
        progress: Told each tile; may stop the work.

    Returns:
        Probabilities, float32 (classes, z, y, x), zeros where no tile lies; and how many tiles were run.
    """
    torch = import_torch()
    scan = torch.from_numpy(channels)
    result = np.zeros((predictor.networks[0].classes, *needed.shape), np.float32)
    places = tiles_over(needed, tiling)

    def run(batch: Sequence[Window]) -> Tensor:
        (place,) = batch
        read = [slice(s.start, s.stop + 2 * m) for s, m in zip(place, tiling.margin, strict=True)]
        return predictor(scan[(slice(None), *read)][None])

    progress("network", 0.0)
    for number, ((place,), probabilities) in enumerate(batches.over(places, run), start=1):
        result[(slice(None), *place)] = probabilities[0].cpu().numpy()
        progress("network", number / len(places))
    return result, len(places)


def _cut(needed: np.ndarray, place: Window, axis: int, tiling: Tiling) -> list[Window]:
    """Cuts a tile along an axis to what is needed, and into parts of nearly equal length."""
    if not needed[place].any():
        return []
    step = tiling.step[axis]
    whole = _trimmed(needed, place, tiling)[axis]
    steps = (whole.stop - whole.start) // step
    parts = -(-steps * step // tiling.side[axis])
    borders = [whole.start + (steps * number // parts) * step for number in range(parts + 1)]
    spans = [slice(first, last) for first, last in itertools.pairwise(borders)]
    return [(*place[:axis], span, *place[axis + 1 :]) for span in spans]


def _trimmed(needed: np.ndarray, place: Window, tiling: Tiling) -> Window:
    """The smallest box in a tile, on the lattice of steps, that holds all that is needed in it."""
    inside = needed[place]
    spans = []
    for axis, (span, step) in enumerate(zip(place, tiling.step, strict=True)):
        held = np.flatnonzero(inside.any(axis=tuple(other for other in range(3) if other != axis)))
        spans.append(slice(span.start + held[0] // step * step, span.start + (held[-1] // step + 1) * step))
    return tuple(spans)
