"""A small head with known tissue, in which every voxel's HU is known."""

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.ct.scan import CTScan
from HTSegmentationLib.roi import Roi

SIZE = (140, 160, 16)
SPACING = (1.3, 1.2, 5.0)
BLEED_CENTER_MM = (25.0, 10.0, 5.0)
BLEED_RADIUS_MM = 12.0


def head_array(bleed_hu=62.0, noise_hu=3.0, seed=0):
    """(array z, y, x; bleed as booleans): scalp 45, bone 1000, brain 32 HU, a ball of blood, white noise."""
    x, y, z = (np.arange(n) * s - (n - 1) * s / 2 for n, s in zip(SIZE, SPACING, strict=True))
    zz, yy, xx = np.meshgrid(z, y, x, indexing="ij")
    radius = np.sqrt((xx / 72) ** 2 + (yy / 84) ** 2 + (zz / 62) ** 2)
    array = np.full(xx.shape, -1000.0)
    array[radius < 1.08] = 45.0
    array[radius < 1.02] = 1000.0
    array[radius < 0.93] = 32.0
    distance = np.sqrt(sum((g - c) ** 2 for g, c in zip((xx, yy, zz), BLEED_CENTER_MM, strict=True)))
    bleed = distance < BLEED_RADIUS_MM
    array[bleed] = bleed_hu
    array += np.random.default_rng(seed).normal(0, noise_hu, array.shape)
    return np.rint(array).astype(np.int16), bleed


def as_scan(array):
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(SPACING)
    image.SetOrigin([-(n - 1) * s / 2 for n, s in zip(SIZE, SPACING, strict=True)])
    return CTScan(image)


def box_roi(scan, center_mm=BLEED_CENTER_MM, half_mm=(20.0, 20.0, 17.0)):
    mask = np.zeros(scan.image.GetSize()[::-1], np.uint8)
    low = scan.image.TransformPhysicalPointToIndex([c - h for c, h in zip(center_mm, half_mm, strict=True)])
    high = scan.image.TransformPhysicalPointToIndex([c + h for c, h in zip(center_mm, half_mm, strict=True)])
    mask[tuple(slice(max(a, 0), b + 1) for a, b in zip(low[::-1], high[::-1], strict=True))] = 1
    image = sitk.GetImageFromArray(mask)
    image.CopyInformation(scan.image)
    return Roi.from_mask(image, sources=("box",))
