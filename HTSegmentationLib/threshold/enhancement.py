"""Noise reduction and edge enhancement, on the part of a scan that the ROI needs."""

from __future__ import annotations

import math

import SimpleITK as sitk

from HTSegmentationLib.ct.geometry import slice_axis
from HTSegmentationLib.threshold.parameters import EnhancementParameters

STRIPPED_HU = 0.0
"""What stands outside the skull strip: the filters see the brain on black, as in the paper's Figure 1."""

FILTER_REACH_SIGMAS = 4.5
"""Beyond this many sigmas a Gaussian weighs less than 1e-5: a crop with this margin gives what the whole scan would."""

_LEAST_VOXELS = 4
"""SimpleITK's recursive filters need four voxels along each axis; thinner images are padded with their edge."""


def reach_mm(parameters: EnhancementParameters) -> float:
    """How far from a voxel other voxels still count, in mm."""
    smoothing = max(parameters.smoothing_in_plane_mm, parameters.smoothing_through_plane_mm)
    sharpening = parameters.sharpening_mm if parameters.sharpening_amount > 0 else 0.0
    # Two Gaussians one after the other are one whose variances add up.
    return FILTER_REACH_SIGMAS * math.hypot(smoothing, sharpening)


def enhance(image: sitk.Image, brain_mask: sitk.Image, parameters: EnhancementParameters) -> sitk.Image:
    """Strips the skull, smooths by a Gaussian, sharpens by an unsharp mask.

    Args:
        image: HU (x, y, z).
        brain_mask: 0 and 1 on the same grid.
        parameters: Sigmas in mm and the amount.

    Returns:
        HU, ``sitkFloat32``, on the same grid.

    Source: the adaptive-threshold paper, section 2.2 (Gaussian sigma 1, unsharp masking sigma 1).
    """
    stripped = sitk.Mask(sitk.Cast(image, sitk.sitkFloat32), brain_mask, STRIPPED_HU)
    padding = [_LEAST_VOXELS if size < _LEAST_VOXELS else 0 for size in stripped.GetSize()]
    enhanced = _sharpened(_smoothed(sitk.ZeroFluxNeumannPad(stripped, padding, padding), parameters), parameters)
    return sitk.Crop(enhanced, padding, padding)


def _smoothed(image: sitk.Image, parameters: EnhancementParameters) -> sitk.Image:
    across = slice_axis(image)
    for axis in range(3):
        sigma = parameters.smoothing_through_plane_mm if axis == across else parameters.smoothing_in_plane_mm
        if sigma > 0:
            image = sitk.RecursiveGaussian(image, sigma, False, sitk.RecursiveGaussianImageFilter.ZeroOrder, axis)
    return image


def _sharpened(image: sitk.Image, parameters: EnhancementParameters) -> sitk.Image:
    if parameters.sharpening_amount == 0:
        return image
    return sitk.UnsharpMask(image, [parameters.sharpening_mm] * 3, parameters.sharpening_amount, 0.0)
