"""A made-up site: small heads with a bleed that fades to its rim, outlined as the published table finds them."""

import functools

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.export import write_image, write_mask
from HTSegmentationLib.threshold.adaptive import AdaptiveThreshold

from ..phantom import BLEED_CENTER_MM, BLEED_RADIUS_MM, SIZE, SPACING, as_scan, box_roi, head_array

COUNT = 10
BRAIN_HU = 41.0


@functools.cache
def case(number):
    """(scan, ROI, reference); the reference is exactly what the published table finds."""
    plain, bleed = head_array(bleed_hu=200, noise_hu=0)
    array = np.where(plain == 32, BRAIN_HU, plain)
    axes = [np.arange(n) * s - (n - 1) * s / 2 for n, s in zip(SIZE, SPACING, strict=True)]
    x, y, z = (axis - middle for axis, middle in zip(axes, BLEED_CENTER_MM, strict=True))
    depth = 1 - np.sqrt(z[:, None, None] ** 2 + y[:, None] ** 2 + x**2) / BLEED_RADIUS_MM
    array[bleed] = (46.0 + (24 + number) * depth)[bleed]
    array += np.random.default_rng(number).normal(0, 2.0, array.shape)
    scan = as_scan(np.rint(array).astype(np.int16))
    roi = box_roi(scan)
    return scan, roi, AdaptiveThreshold().run(scan, roi).mask


def written(folder):
    """The manifest of the site's cases, written as files."""
    lines = ["case_id,image,roi,reference,ht_type"]
    for number in range(COUNT):
        scan, roi, reference = case(number)
        name = f"case-{number:02d}"
        (folder / name).mkdir()
        write_image(folder / name / "ct.nii.gz", scan.image)
        write_image(folder / name / "roi.nii.gz", roi.on_grid(scan.image))
        write_mask(folder / name / "reference.nii.gz", sitk.Cast(reference, sitk.sitkUInt8))
        lines.append(f"{name},{name}/ct.nii.gz,{name}/roi.nii.gz,{name}/reference.nii.gz,{('HI2', 'PH')[number % 2]}")
    manifest = folder / "cohort.csv"
    manifest.write_text("\n".join(lines) + "\n")
    return manifest
