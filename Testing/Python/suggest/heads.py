"""Small heads with dense things at known places."""

from functools import cache

import numpy as np

from HTSegmentationLib.suggest import suggest_regions
from HTSegmentationLib.threshold.prepare import prepare

from ..phantom import BLEED_CENTER_MM, SIZE, SPACING, as_scan, head_array

MIRRORED_CENTER_MM = (-BLEED_CENTER_MM[0], *BLEED_CENTER_MM[1:])


def distance_mm(center_mm):
    """Distance of each voxel to a point, (z, y, x)."""
    axes = [(np.arange(n) - (n - 1) / 2) * s - c for n, s, c in zip(SIZE, SPACING, center_mm, strict=True)]
    x, y, z = np.meshgrid(*axes, indexing="ij")
    return np.sqrt(x**2 + y**2 + z**2).transpose(2, 1, 0)


def head(*balls, bleed_hu=32.0, seed=0):
    """A head as an array; each ball is (centre in mm, radius in mm, HU). Without a ball, it is healthy."""
    array = head_array(bleed_hu=bleed_hu, seed=seed)[0].astype(float)
    noise = np.random.default_rng(seed + 1).normal(0, 3, array.shape)
    for center, radius, hu in balls:
        inside = distance_mm(center) < radius
        array[inside] = hu + noise[inside]
    return np.rint(array).astype(np.int16)


@cache
def prepared_head(*balls):
    """The same, prepared."""
    return prepare(as_scan(head(*balls)))


@cache
def suggested(*balls):
    """What is suggested in that head."""
    return suggest_regions(prepared_head(*balls))


BLEED = (BLEED_CENTER_MM, 12.0, 62.0)
"""7 mL of blood in the left hemisphere."""
