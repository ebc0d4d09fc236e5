"""A region of interest as somebody draws it: a wide polygon on one slice, kept over all slices with blood."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from HTSegmentationLib.ct.geometry import array_to_image
from HTSegmentationLib.roi import Roi
from HTSegmentationLib.simulate.case import SimulatedCase

_CORNERS = 14
"""Clicks that a polygon around a bleed takes."""

_SHAM = 2
"""Added to the seed, so that the hand is not the one that draws about blood."""

_SHAM_RADIUS_MM = (8.0, 18.0)
"""Radius of the bleed that somebody expects where there is none: 2 to 24 mL."""

_LEAST_MARGIN_MM = 3.0
"""Nobody comes nearer to the blood who is not asked to."""


def hand_drawn_roi(
    rng: np.random.Generator, hemorrhage: np.ndarray, head: np.ndarray, grid: sitk.Image, margin_mm: float | None = None
) -> Roi:
    """Draws one polygon around the hemorrhage as seen from above and keeps it over the slices that hold blood.

    Args:
        rng: Source of randomness: the hand's.
        hemorrhage: Truth (z, y, x), not empty.
        head: Everything inside the skin (z, y, x); the drawing is clipped to it.
        grid: The scan's grid.
        margin_mm: How far off the blood the hand keeps; None: 5 to 10 mm, by the hand.
    """
    pixel = grid.GetSpacing()[0]
    flat = hemorrhage.any(axis=0)
    rows, columns = np.nonzero(flat)
    middle = np.array((0.5 * (rows.min() + rows.max()), 0.5 * (columns.min() + columns.max())))
    offsets = np.stack((rows, columns), 1) - middle
    angles = np.linspace(-np.pi, np.pi, _CORNERS, endpoint=False) + rng.uniform(-0.1, 0.1, _CORNERS)
    # The hull's reach along each corner's direction, so that no blood lies outside of the polygon.
    reach = np.array([(offsets @ (np.sin(a), np.cos(a))).max() for a in angles])
    drawn, shake = rng.uniform(5.0, 10.0), rng.normal(0, 1.2, _CORNERS)
    if margin_mm is None:
        margin = np.maximum(drawn + shake, _LEAST_MARGIN_MM)
    else:
        # Who draws close, draws with care.
        margin = margin_mm + shake * min(1.0, margin_mm / _LEAST_MARGIN_MM / 2)
    radius = reach / np.cos(np.pi / _CORNERS) + np.maximum(margin, 0.0) / pixel
    corners = middle + radius[:, None] * np.stack((np.sin(angles), np.cos(angles)), 1)
    outline = _inside_polygon(corners, flat.shape)
    slices = np.flatnonzero(hemorrhage.any(axis=(1, 2)))
    roi = np.zeros(hemorrhage.shape, bool)
    roi[slices[0] : slices[-1] + 1] = outline
    reachable = ndimage.binary_dilation(head.any(axis=0), iterations=max(1, round(2 / pixel)))
    roi &= reachable
    return Roi.from_mask(array_to_image(roi, grid), sources=("simulated hand-drawn ROI",))


def roi_of_a_control(case: SimulatedCase) -> Roi:
    """An ROI in a scan without blood: about what is stained, or where a bleed might have been.

    Methods that need an ROI can be run on controls with it; what they find there is all wrong.

    Args:
        case: A case without a hemorrhage.

    Example:
        >>> from HTSegmentationLib.simulate import SimulationParameters, simulate_head
        >>> case = simulate_head(SimulationParameters(hemorrhage_type="none", matrix=64))
        >>> roi_of_a_control(case).volume_ml > 2
        True
    """
    rng = np.random.default_rng((case.parameters.seed, _SHAM))
    grid = case.scan.image
    suspect, brain = (sitk.GetArrayFromImage(mask) > 0 for mask in (case.staining, case.brain))
    if not suspect.any():
        slices, rows, columns = np.nonzero(brain)
        # The middle of a hemisphere, at the level of the ventricles; x rises to the left.
        place = [np.quantile(slices, 0.6), np.median(rows), np.quantile(columns, 0.5 + 0.3 * case.parameters.side.sign)]
        place = np.array(place) + rng.normal(0, 1, 3) * [0.05 * np.ptp(slices), 0.08 * np.ptp(rows), 0.03 * np.ptp(columns)]
        size = float(rng.uniform(*_SHAM_RADIUS_MM)) / np.array(grid.GetSpacing()[::-1])
        axes = [np.arange(count) - middle for count, middle in zip(brain.shape, place, strict=True)]
        ball = sum(
            (axis / reach) ** 2 for axis, reach in zip(np.meshgrid(*axes, indexing="ij", sparse=True), size, strict=True)
        )
        suspect = (ball < 1) & brain
    return hand_drawn_roi(rng, suspect, brain, grid, case.parameters.roi_margin_mm)


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
