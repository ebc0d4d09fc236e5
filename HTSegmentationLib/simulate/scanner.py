"""What the scanner adds: point spread, noise, shading between the petrous bones, head holder."""

from __future__ import annotations

import functools

import numpy as np
from scipy import fft, ndimage

from HTSegmentationLib.simulate.fields import bump, ramp
from HTSegmentationLib.simulate.grid import HeadGrid
from HTSegmentationLib.simulate.skull import Skull

AIR_HU = -1000.0
"""Air."""

LOWEST_HU, HIGHEST_HU = -1024, 3071
"""Range of 12 bit scanners."""

_POINT_SPREAD_MM = 0.8
"""Full width at half maximum of the in-plane point spread: a standard head kernel at 230 mm field of view."""

_NOISE_CUTOFF_PER_MM = 0.40
"""Where the noise power falls off; set so that neighbouring pixels of 0.49 mm correlate by 0.76, the next by 0.30; a real
scan with a standard kernel measures 0.74 and 0.33."""

_NOISE_OFFSET_PER_MM = 0.12
"""Reconstruction's ramp does not fall to zero: some noise is coarse."""

_MORE_SHADING = 2.0
"""By how much full beam hardening exceeds what every scan has between its petrous bones: some 20 HU in all."""

HOLDER_HU = 120.0
"""A carbon fibre head holder with its lining."""


def blur(section: np.ndarray, pixel_mm: float) -> np.ndarray:
    """Applies the in-plane point spread to a slice."""
    return ndimage.gaussian_filter(section, _POINT_SPREAD_MM / 2.355 / pixel_mm, truncate=3.0, output=np.float32)


def noise_slice(rng: np.random.Generator, size: int, pixel_mm: float) -> np.ndarray:
    """One slice of CT noise with mean 0 and standard deviation 1: ramp-filtered, then smoothed by the kernel."""
    white = rng.standard_normal((size, size), dtype=np.float32)
    noise = fft.irfft2(fft.rfft2(white) * _noise_response(size, pixel_mm), s=(size, size))
    return noise / noise.std()


@functools.lru_cache(maxsize=2)
def _noise_response(size: int, pixel_mm: float) -> np.ndarray:
    """What reconstruction and kernel leave of white noise at each frequency; the same in all slices of a scan."""
    frequency = np.hypot(*np.meshgrid(fft.fftfreq(size, pixel_mm), fft.rfftfreq(size, pixel_mm), indexing="ij"))
    response = np.sqrt(frequency + _NOISE_OFFSET_PER_MM) * np.exp(-((frequency / _NOISE_CUTOFF_PER_MM) ** 2))
    return response.astype(np.float32)


def noise_profile(head_z: float) -> float:
    """The noise at a height in head coordinates over that at the ventricles: bone at the base starves the detectors."""
    base = 0.45 / (1 + np.exp((head_z + 22) / 6))
    return float(1 + base - 0.2 * np.clip((head_z - 40) / 45, 0, 1))


def shading(grid: HeadGrid, skull: Skull, streaks: float = 0.0) -> np.ndarray:
    """HU that beam hardening adds inside the skull: a bright rim, and a dark band between the petrous bones.

    Args:
        grid: The modelling grid.
        skull: The skull.
        streaks: How much stronger the band is than in most scans, 0 to 1.
    """
    rim = 3.0 * np.exp(np.minimum(skull.cavity, 0) / 7.0)
    band = bump((grid.y, grid.z), (24, -31), (6.0, 6.0)) * ramp(42 - np.abs(grid.x), 24.0)
    waves = 2.2 * np.sin(grid.y / 2.6) * bump((grid.y, grid.z), (22, -33), (18, 10))
    more = 1 + _MORE_SHADING * streaks
    return (rim - 7.0 * more * band + more * waves - 0.8).astype(np.float32)


def holder(y: np.ndarray, x: np.ndarray, back_mm: float) -> np.ndarray:
    """Share of each pixel that the head holder's shell fills, the same in all slices.

    Args:
        y: Pixel rows' scan coordinates in mm.
        x: Pixel columns' scan coordinates in mm.
        back_mm: Scan coordinate y of the back of the head.
    """
    yy, xx = np.meshgrid(y, x, indexing="ij")
    bowl = (np.hypot(xx / 104, (yy - (back_mm - 92)) / 100) - 1) * 100
    shell = np.minimum(bowl + 1.6, 1.6 - bowl)
    arms = np.minimum(yy - (back_mm - 105), 200)
    return ramp(np.minimum(shell, arms), 0.8).astype(np.float32)
