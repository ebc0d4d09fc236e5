"""One pass of the scanner: all slices with their noise, and which voxels hold what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from HTSegmentationLib.simulate.hemorrhage import Blood
from HTSegmentationLib.simulate.render import Renderer
from HTSegmentationLib.simulate.sampling import Sampling
from HTSegmentationLib.simulate.scanner import (
    AIR_HU,
    HIGHEST_HU,
    HOLDER_HU,
    LOWEST_HU,
    blur,
    holder,
    noise_profile,
    noise_slice,
)

HALF = 0.5
"""A voxel belongs to what fills half of it."""

_INFARCTED = 0.3
"""Tissue counts as infarct from this share on; the share ends softly at its border and is 0.7 to 1 inside."""


@dataclass(frozen=True)
class Acquisition:
    """What the scanner sees, arrays (z, y, x) of the whole scan.

    Args:
        hu: int16 HU.
        brain: Voxels inside the inner table.
        infarct: Infarcted tissue.
        head: Voxels inside the skin.
    """

    hu: np.ndarray
    brain: np.ndarray
    infarct: np.ndarray
    head: np.ndarray


def acquire(
    rng: np.random.Generator, renderer: Renderer, sampling: Sampling, *, noise_sd_hu: float, back_mm: float
) -> Acquisition:
    """Scans the head.

    Args:
        rng: Source of the noise.
        renderer: Draws slices without noise.
        sampling: The scan's voxels.
        noise_sd_hu: Noise in white matter at the level of the ventricles.
        back_mm: Scan coordinate y of the back of the head, which lies in the head holder.
    """
    shape = (sampling.slices, len(sampling.axis), len(sampling.axis))
    hu = np.full(shape, AIR_HU, np.float32)
    brain, infarct, head = (np.zeros(shape, bool) for _ in range(3))
    window = (sampling.rows, sampling.columns)
    shell = holder(sampling.axis, sampling.axis, back_mm)
    for k in range(sampling.slices):
        part = renderer.thick_slice(k)
        hu[k][window] = part.hu
        brain[k][window] = part.brain >= HALF
        infarct[k][window] = part.infarct >= _INFARCTED
        head[k][window] = part.head >= HALF
        free = shell.copy()
        free[window] *= 1 - part.head
        hu[k] += (HOLDER_HU - hu[k]) * free
    hu = blur(hu, sampling.pixel_mm)
    for k, z in enumerate(sampling.middles):
        sd = np.float32(noise_sd_hu * noise_profile(float(z)))
        hu[k] += sd * noise_slice(rng, shape[1], sampling.pixel_mm)
    np.clip(np.rint(hu, out=hu), LOWEST_HU, HIGHEST_HU, out=hu)
    return Acquisition(hu.astype(np.int16), brain, infarct, head)


def blood_per_voxel(blood: Blood, sampling: Sampling) -> np.ndarray:
    """Blood's share of each voxel (z, y, x): the average over the fine slices of each slice."""
    total = np.zeros((sampling.slices, len(sampling.axis), len(sampling.axis)), np.float32)
    _, height, width = blood.fraction.shape
    row, column = sampling.rows.start + blood.start[1], sampling.columns.start + blood.start[2]
    for number, fraction in enumerate(blood.fraction, start=blood.start[0]):
        total[number // sampling.per_slice, row : row + height, column : column + width] += fraction
    return total / np.float32(sampling.per_slice)
