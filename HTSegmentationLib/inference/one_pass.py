"""One pass of networks over a scan: its input, its windows or tiles, its probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.errors import InputError
from HTSegmentationLib.inference.batch_size import Batches, batch_size_for
from HTSegmentationLib.inference.models.folder import MODEL_FILE, Model
from HTSegmentationLib.inference.network_grid import NetworkGrid
from HTSegmentationLib.inference.predictor import Predictor
from HTSegmentationLib.inference.preprocess import Extent, network_input
from HTSegmentationLib.inference.sliding import slide
from HTSegmentationLib.inference.tiles import tile, tiling_for
from HTSegmentationLib.progress import Progress, part_of, silent
from HTSegmentationLib.remark import Remark
from HTSegmentationLib.segmenter import PreparedScan

if TYPE_CHECKING:
    from torch import nn

_INPUT_SHARE = 0.1
"""About the share of the time that making the input takes."""


@dataclass(frozen=True)
class PassResult:
    """What one pass gave.

    Args:
        probabilities: float32 (classes, z, y, x) on ``grid``; zeros where no window lay.
        needed: Booleans (z, y, x) on ``grid``: the voxels whose answer was wanted.
        channels: What the network read, float32 (channels, z, y, x); larger by the margin for networks without padding.
        grid: The network's grid over the brain's box.
        windows: How many windows or tiles were run.
        window: Sides (x, y, z) of the largest of them, as the network read it.
        batch_size: How many ran at once in the end.
        remarks: What is to be told of it.
    """

    probabilities: np.ndarray
    needed: np.ndarray
    channels: np.ndarray
    grid: NetworkGrid
    windows: int
    window: tuple[int, ...]
    batch_size: int
    remarks: tuple[Remark, ...]


def run_pass(
    prepared: PreparedScan,
    model: Model,
    predictor: Predictor,
    allowed: sitk.Image,
    *,
    batch_size: int | None = None,
    mirror: sitk.Transform | None = None,
    progress: Progress = silent,
) -> PassResult:
    """Runs networks over what is allowed of a scan.

    Networks with padded convolutions run in the overlapping windows of the model's patch, the published way. Larger windows
    would give another answer, since squeeze-and-excitation weighs channels by their means over the window; on a processor
    they took longer, too (Testing/Benchmarks/bench_networks.py measures both). Networks without padding run in tiles, which
    give what the whole scan at once would.

    Args:
        prepared: The scan.
        model: Says what the networks read and how they are run.
        predictor: Has the networks.
        allowed: 1 where the answer is wanted, on the scan's grid; a part of the brain mask.
        batch_size: Windows at once; None chooses from the free memory.
        mirror: For the symmetric channel.
        progress: Told each batch; may stop the work.

    Raises:
        InputError: The model's patch does not suit its network.
        SegmentationError: The memory does not suffice.
    """
    network, settings = predictor.networks[0], model.description.inference
    tiling = tiling_for(network, predictor.device) if hasattr(network, "output_size") else None
    if tiling is None:
        window = window_of(model, network)
        extent = Extent(smallest=window)
        batches = Batches(batch_size or batch_size_for(network, window, predictor.device), predictor.device.title)
    else:
        window = tuple(side + 2 * margin for side, margin in zip(tiling.side, tiling.margin, strict=True))
        extent = Extent(multiple=tiling.step, margin=tiling.margin)
        # Tiles differ in size, and each is large enough to keep a device busy.
        batches = Batches(1, predictor.device.title)
    progress("input", 0.0)
    given = network_input(prepared, model.description.input, extent, mirror=mirror)
    needed = given.grid.needed_for(allowed)
    rest = part_of(progress, _INPUT_SHARE, 1.0)
    if tiling is None:
        blend = {"overlap": settings.overlap, "blending": settings.blending}
        found = slide(given.channels, needed, window, predictor, batches, **blend, progress=rest)
    else:
        found = tile(given.channels, needed, tiling, predictor, batches, progress=rest)
    probabilities, count = found
    return PassResult(probabilities, needed, given.channels, given.grid, count, window[::-1], batches.size, batches.remarks)


def window_of(model: Model, network: nn.Module) -> tuple[int, ...]:
    """A model's patch as (z, y, x).

    Raises:
        InputError: There is none, or its network does not take it.
    """
    file = model.folder / MODEL_FILE
    patch = model.description.inference.patch or model.description.input.size
    if patch is None:
        raise InputError(file, "inference.patch is null and input.size is, too", "name the patch there")
    window = tuple(patch[::-1])
    fault = network.size_fault(window)
    if fault:
        problem = f"inference.patch is {list(patch)}, which its network does not take"
        raise InputError(file, problem, f"correct it there: {fault} (z, y, x)")
    return window
