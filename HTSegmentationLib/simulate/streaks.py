"""Streaks of metal: an aneurysm clip or coil, or an electrode on the scalp."""

# The coordinates in mm are the drawing itself; naming each would hide it.
# ruff: noqa: PLR2004

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from HTSegmentationLib.simulate.grid import HeadGrid
from HTSegmentationLib.simulate.infarct import Lesion

_METAL_HU = 3071.0
"""Metal exceeds the range of 12 bit."""

_RAYS = 240
"""Directions that streaks are drawn from: 1.5 degrees, 1 mm wide at 40 mm."""

_STRENGTH_HU = 75.0
"""Full streaks beside the metal; at 50 mm they are about a third of it."""

_FADING_MM = 45.0
"""Over this distance streaks fall to a third."""

_CLIP_SHARE = 0.6
"""Share of clips and coils in the head; the others are electrodes on the scalp."""


@dataclass(frozen=True)
class Streaks:
    """Metal and its streaks.

    Args:
        strength: 0 to 1.
        place: Scan coordinates (x, y, z) of the metal in mm.
        radius_mm: Its radius.
        profiles: Strength of the rays in each slice, (slice, ray), mean 0.
        reach: How much each slice shows of them, 0 to 1.
        metal: How much of its thickness the metal takes up in each slice, 0 to 1.
    """

    strength: float
    place: tuple[float, float, float]
    radius_mm: float
    profiles: np.ndarray
    reach: np.ndarray
    metal: np.ndarray

    def onto(self, index: int, hu: np.ndarray, head: np.ndarray, *, y: np.ndarray, x: np.ndarray) -> None:
        """Adds streaks and metal to a slice, in place.

        Args:
            index: The slice.
            hu: Its HU (rows, columns).
            head: Share of each pixel inside the skin.
            y: Scan coordinates of the rows in mm.
            x: Scan coordinates of the columns in mm.
        """
        if self.reach[index] <= 0:
            return
        dy, dx = y[:, None] - np.float32(self.place[1]), x[None] - np.float32(self.place[0])
        distance = np.hypot(dx, dy)
        angle = np.arctan2(dy, dx) * np.float32(_RAYS / (2 * np.pi))
        profile = self.profiles[index]
        rays = np.interp(angle, np.arange(-_RAYS // 2, _RAYS // 2 + 1), np.append(profile, profile[0]))
        fading = np.exp(-distance / np.float32(_FADING_MM)) * np.minimum(distance / 4, 1)
        hu += np.float32(self.strength * _STRENGTH_HU * self.reach[index]) * rays.astype(np.float32) * fading * head
        share = np.clip(self.radius_mm + 0.5 - distance, 0, 1) * np.float32(self.metal[index])
        hu += (np.float32(_METAL_HU) - hu) * share


def make_streaks(
    rng: np.random.Generator,
    strength: float,
    grid: HeadGrid,
    scale: tuple[float, float, float],
    *,
    heights: np.ndarray,
    lesion: Lesion | None,
) -> Streaks:
    """Places metal in or at the head.

    Args:
        rng: Source of randomness.
        strength: 0 to 1.
        grid: The modelling grid.
        scale: This head's size (x, y, z) over the average head's.
        heights: Scan coordinates z of the slices' middles in mm, evenly spaced.
        lesion: Where the lesion lies; streaks that miss it would confound nobody. None without one.
    """
    height = float(rng.uniform(-4, 30)) if lesion is None else lesion.center[2]
    sign = (1 if rng.random() < 0.5 else -1) if lesion is None else lesion.sign
    jitter = rng.normal(0, 1, 3) * (2, 4, 4)
    if rng.random() < _CLIP_SHARE:
        # At the carotid's end or the bifurcation of the middle cerebral artery.
        point = np.array((sign * rng.uniform(6, 38), -6, max(-9.0, height - 16))) + jitter
    else:
        turn = float(rng.uniform(-0.9, 0.9))
        reach = 79 * np.sqrt(max(1 - ((height - 12) / 86) ** 2, 0.1))
        point = np.array((sign * reach * np.cos(turn), 15 + 1.2 * reach * np.sin(turn), height)) + 0.3 * jitter
    place = tuple(float(value) for value in grid.pose.to_scan(tuple(point * scale)))
    radius = float(rng.uniform(1.2, 2.5))
    rays = rng.standard_normal((len(heights), _RAYS), dtype=np.float32)
    broad = np.repeat(rng.standard_normal((len(heights), _RAYS // 8), dtype=np.float32), 8, axis=1)
    profiles = rays + 2.4 * ndimage.uniform_filter1d(broad, 8, axis=1, mode="wrap")
    profiles *= np.abs(profiles)
    profiles -= profiles.mean(axis=1, keepdims=True)
    profiles /= profiles.std(axis=1, keepdims=True)
    thickness = abs(float(heights[-1] - heights[0])) / max(len(heights) - 1, 1) or 1.0
    away = np.abs(heights - place[2]) - radius
    reach = np.exp(-((np.maximum(away, 0) / (0.6 * thickness + 3)) ** 2))
    metal = np.clip(0.5 - away / thickness, 0, 1)
    return Streaks(strength, place, radius, profiles, np.where(reach > 0.02, reach, 0.0), metal)
