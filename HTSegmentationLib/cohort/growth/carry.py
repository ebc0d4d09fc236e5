"""Brings the images of a follow-up scan onto the grid of its baseline."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.cohort.growth.alignment import Alignment
from HTSegmentationLib.ct.geometry import beyond_grid, index_to_point_matrix

_AIR_HU = -1000.0
"""Where the follow-up does not reach."""

_HALF = 0.5
"""A voxel of which a mask fills half or more belongs to it."""


def on_baseline(mask: sitk.Image, baseline: sitk.Image, alignment: Alignment) -> sitk.Image:
    """A mask of the follow-up on the baseline's grid, for looking at and for overlap; never for a volume.

    Args:
        mask: Above zero in the bleed.
        baseline: An image with the baseline's grid.
        alignment: How the two scans lie.

    Returns:
        0 and 1, ``sitkUInt8``.
    """
    share = sitk.Resample(
        sitk.Cast(mask > 0, sitk.sitkFloat32), baseline, alignment.transform, sitk.sitkLinear, 0.0, sitk.sitkFloat32
    )
    return sitk.Cast(share >= _HALF, sitk.sitkUInt8)


def scan_on_baseline(followup: sitk.Image, baseline: sitk.Image, alignment: Alignment) -> sitk.Image:
    """The follow-up's HU on the baseline's grid, interpolated linearly; ``sitkInt16``, air where it does not reach."""
    image = sitk.Resample(followup, baseline, alignment.transform, sitk.sitkLinear, _AIR_HU, sitk.sitkFloat32)
    return sitk.Cast(sitk.Round(image), sitk.sitkInt16)


def covered_share(mask: sitk.Image, other: sitk.Image, transform: sitk.Transform) -> float:
    """Share of a mask's voxels whose middles lie in the other scan; 1 for an empty mask.

    Args:
        mask: Above zero in the bleed.
        other: An image with the other scan's grid.
        transform: From the mask's scan to the other.
    """
    indices = np.argwhere(sitk.GetArrayViewFromImage(mask) > 0)[:, ::-1]
    if not len(indices):
        return 1.0
    matrix = index_to_point_matrix(mask)
    points = indices @ matrix[:3, :3].T + matrix[:3, 3]
    # A rigid transform is known from four of its points; one call for each voxel would take seconds.
    corners = np.vstack([np.zeros(3), np.eye(3)])
    moved = np.array([transform.TransformPoint(corner.tolist()) for corner in corners])
    places = points @ (moved[1:] - moved[0]) + moved[0]
    return float(1 - beyond_grid(places, other).any(axis=1).mean())
