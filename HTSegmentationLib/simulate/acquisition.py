"""One pass of the scanner: all slices with their noise, and which voxels hold what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from HTSegmentationLib.simulate.motion import Motion
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
from HTSegmentationLib.simulate.streaks import Streaks

HALF = 0.5
"""A voxel belongs to what fills half of it."""


@dataclass(frozen=True)
class Artefacts:
    """What spoils the slices, beside the noise.

    Args:
        streaks: Metal and its streaks; None without.
        motion: How the head moves; None if it lies still.
    """

    streaks: Streaks | None = None
    motion: Motion | None = None


@dataclass(frozen=True)
class Acquisition:
    """What the scanner sees, arrays (z, y, x) of the whole scan.

    Args:
        hu: int16 HU.
        brain: Voxels inside the inner table.
        head: Voxels inside the skin.
        marks: Voxels that hold what the renderer marks, by its names.
    """

    hu: np.ndarray
    brain: np.ndarray
    head: np.ndarray
    marks: dict[str, np.ndarray]


def acquire(
    rng: np.random.Generator,
    renderer: Renderer,
    sampling: Sampling,
    *,
    thresholds: Mapping[str, float],
    noise_sd_hu: float,
    back_mm: float,
    artefacts: Artefacts,
) -> Acquisition:
    """Scans the head.

    Args:
        rng: Source of the noise.
        renderer: Draws slices without noise.
        sampling: The scan's voxels.
        thresholds: From which value on a voxel counts as holding each of the renderer's marks, by their names.
        noise_sd_hu: Noise in white matter at the level of the ventricles.
        back_mm: Scan coordinate y of the back of the head, which lies in the head holder.
        artefacts: What else spoils the slices.
    """
    shape = (sampling.slices, len(sampling.axis), len(sampling.axis))
    hu = np.empty(shape, np.int16)
    brain, head = (np.zeros(shape, bool) for _ in range(2))
    marks = {name: np.zeros(shape, bool) for name in thresholds}
    window = (sampling.rows, sampling.columns)
    shell = holder(sampling.axis, sampling.axis, back_mm)
    for k, z in enumerate(sampling.middles):
        part = renderer.thick_slice(k)
        section = np.full(shape[1:], AIR_HU, np.float32)
        section[window] = part.hu
        brain[k][window] = part.brain >= HALF
        head[k][window] = part.head >= HALF
        for name, least in thresholds.items():
            marks[name][k][window] = part.marks[name] >= least
        if artefacts.motion is not None:
            section = artefacts.motion.of(k, section, sampling.pixel_mm)
        free = shell.copy()
        free[window] *= 1 - part.head
        section += (HOLDER_HU - section) * free
        if artefacts.streaks is not None:
            artefacts.streaks.onto(k, section, head[k], y=sampling.axis, x=sampling.axis)
        section = blur(section, sampling.pixel_mm)
        sd = np.float32(noise_sd_hu * noise_profile(float(z)))
        section += sd * noise_slice(rng, shape[1], sampling.pixel_mm)
        hu[k] = np.clip(np.rint(section, out=section), LOWEST_HU, HIGHEST_HU, out=section)
    return Acquisition(hu, brain, head, marks)
