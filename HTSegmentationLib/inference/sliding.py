"""Runs a network with padded convolutions over a scan in overlapping windows."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from HTSegmentationLib.inference.batch_size import Batches
from HTSegmentationLib.inference.device import import_torch
from HTSegmentationLib.inference.predictor import Predictor
from HTSegmentationLib.progress import Progress, silent

if TYPE_CHECKING:
    from torch import Tensor

Window = tuple[slice, ...]
"""A box of voxels (z, y, x)."""

_SIGMA_SHARE = 0.125
"""Sigma of the Gaussian weight as a share of the window's side: an eighth, as in nnU-Net (Isensee et al. 2021)."""

_LEAST_WEIGHT = 1e-3
"""A window's corners count at least this much beside its middle, so that a voxel that no other window holds is safe."""


def windows_over(needed: np.ndarray, window: Sequence[int], overlap: float) -> list[Window]:
    """The windows over a box that hold anything needed.

    They lie on a lattice over the whole box whose steps are ``(1 - overlap)`` of the window, rounded down; the last of each
    row ends with the box. So what is needed decides which windows are run, and never where they lie.

    Args:
        needed: Booleans (z, y, x), at least as large as a window.
        window: Sides (z, y, x) in voxels.
        overlap: Share of a window that the next one covers again, 0 to below 1.

    Example:
        >>> [w[2] for w in windows_over(np.ones((1, 1, 10), bool), (1, 1, 4), 0.5)]
        [slice(0, 4, None), slice(2, 6, None), slice(4, 8, None), slice(6, 10, None)]
    """
    rows = []
    for length, side in zip(needed.shape, window, strict=True):
        step = max(int(side * (1 - overlap)), 1)
        starts = dict.fromkeys([*range(0, length - side, step), length - side])
        rows.append([slice(start, start + side) for start in starts])
    return [place for place in itertools.product(*rows) if needed[place].any()]


def slide(
    channels: np.ndarray,
    needed: np.ndarray,
    window: Sequence[int],
    predictor: Predictor,
    batches: Batches,
    *,
    overlap: float = 0.5,
    blending: str = "gaussian",
    progress: Progress = silent,
) -> tuple[np.ndarray, int]:
    """Averages the probabilities of overlapping windows.

    As published (Abramova et al. 2021, section 2.2.3: overlap above 50%): each window's probabilities are added with the
    window's weight, and the sum divided by the sum of weights. Windows in which nothing is needed are not run.

    Args:
        channels: float32 (channels, z, y, x), at least as large as a window.
        needed: Booleans (z, y, x): the voxels whose answer is wanted.
        window: Sides (z, y, x) in voxels.
        predictor: Gives probabilities of a batch.
        batches: How many windows run at once.
        overlap: Share of a window that the next one covers again.
        blending: ``"gaussian"``: the middle of a window counts more; ``"uniform"``: all of it the same.
        progress: Told each batch; may stop the work.

    Returns:
        Probabilities, float32 (classes, z, y, x), zeros where no window lies; and how many windows were run.
    """
    torch = import_torch()
    places = windows_over(needed, window, overlap)
    device = predictor.device.torch_device
    scan = torch.from_numpy(channels).to(device)
    weight = _weight(tuple(window), blending).to(device)
    total: Tensor | None = None
    weights = torch.zeros(needed.shape, device=device)

    def run(batch: Sequence[Window]) -> Tensor:
        return predictor(torch.stack([scan[(slice(None), *place)] for place in batch]))

    done = 0
    progress("network", 0.0)
    for batch, probabilities in batches.over(places, run):
        if total is None:
            total = torch.zeros((probabilities.shape[1], *needed.shape), device=device)
        with torch.inference_mode():
            probabilities.mul_(weight)
            for place, part in zip(batch, probabilities, strict=True):
                total[(slice(None), *place)] += part
                weights[place] += weight
        done += len(batch)
        progress("network", done / len(places))
    if total is None:
        return np.zeros((predictor.networks[0].classes, *needed.shape), np.float32), 0
    with torch.inference_mode():
        total /= weights.clamp_min_(torch.finfo(weights.dtype).tiny)
    return total.cpu().numpy(), done


def _weight(window: tuple[int, ...], blending: str) -> Tensor:
    """How much each voxel of a window counts."""
    torch = import_torch()
    if blending == "uniform":
        return torch.ones(window)
    lines = [torch.exp(-0.5 * ((torch.arange(side) - (side - 1) / 2) / (_SIGMA_SHARE * side)) ** 2) for side in window]
    product = functools.reduce(lambda whole, line: whole[..., None] * line, lines)
    return product.clamp_min(_LEAST_WEIGHT)
