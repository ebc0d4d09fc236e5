"""A region of interest as somebody draws it: a wide polygon on one slice, kept over all slices with blood."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from HTSegmentationLib.ct.geometry import array_to_image
from HTSegmentationLib.roi import Roi

_CORNERS = 14
"""Clicks that a polygon around a bleed takes."""


def hand_drawn_roi(rng: np.random.Generator, hemorrhage: np.ndarray, head: np.ndarray, grid: sitk.Image) -> Roi:
    """Draws one polygon around the hemorrhage as seen from above and keeps it over the slices that hold blood.

    Args:
        rng: Source of randomness: the hand's.
        hemorrhage: Truth (z, y, x), not empty.
        head: Everything inside the skin (z, y, x); the drawing is clipped to it.
        grid: The scan's grid.
    """
    pixel = grid.GetSpacing()[0]
    flat = hemorrhage.any(axis=0)
    rows, columns = np.nonzero(flat)
    middle = np.array((0.5 * (rows.min() + rows.max()), 0.5 * (columns.min() + columns.max())))
    offsets = np.stack((rows, columns), 1) - middle
    angles = np.linspace(-np.pi, np.pi, _CORNERS, endpoint=False) + rng.uniform(-0.1, 0.1, _CORNERS)
    # The hull's reach along each corner's direction, so that no blood lies outside of the polygon.
    reach = np.array([(offsets @ (np.sin(a), np.cos(a))).max() for a in angles])
    margin = rng.uniform(5.0, 10.0) + rng.normal(0, 1.2, _CORNERS)
    radius = reach / np.cos(np.pi / _CORNERS) + np.maximum(margin, 3.0) / pixel
    corners = middle + radius[:, None] * np.stack((np.sin(angles), np.cos(angles)), 1)
    drawn = _inside_polygon(corners, flat.shape)
    slices = np.flatnonzero(hemorrhage.any(axis=(1, 2)))
    roi = np.zeros(hemorrhage.shape, bool)
    roi[slices[0] : slices[-1] + 1] = drawn
    reachable = ndimage.binary_dilation(head.any(axis=0), iterations=max(1, round(2 / pixel)))
    roi &= reachable
    return Roi.from_mask(array_to_image(roi, grid), sources=("simulated hand-drawn ROI",))


def _inside_polygon(corners: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Even-odd rule for pixel centres."""
    rows, columns = np.arange(shape[0])[:, None], np.arange(shape[1])[None]
    inside = np.zeros(shape, bool)
    for (r0, c0), (r1, c1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if r0 == r1:
            continue
        crosses = ((r0 > rows) != (r1 > rows)) & (columns < (c1 - c0) * (rows - r0) / (r1 - r0) + c0)
        inside ^= crosses
    return inside
