"""Connected regions of what speaks for blood."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from HTSegmentationLib.suggest.brain_copy import BrainCopy
from HTSegmentationLib.suggest.evidence import UNLIKENESS_HU, Evidence

_SEED_HU = 5.0
"""A region begins where a voxel is denser by this than normal brain and than its mirror image; below it, the noise of the
copy and the unlikeness of two healthy halves begin regions, above 6 HU faint petechiae are lost."""

_JOINED_MM = 8.0
"""Patches less than this apart are one bleed; petechiae of an infarct lie 2 to 5 mm apart."""

_SOLID = np.ones((3, 3, 3), dtype=bool)
"""Voxels that touch at a face, an edge or a corner hang together."""


def hyperdense_regions(copy: BrainCopy, evidence: Evidence) -> np.ndarray:
    """Numbers the regions that stand out, by hysteresis: seeds are clear, what hangs together with them may be fainter.

    Args:
        copy: The shrunk brain.
        evidence: What speaks for blood in it.

    Returns:
        0, and 1 and more for each region; (z, y, x).
    """
    least = np.minimum(evidence.excess_hu, evidence.asymmetry_hu)
    grown = copy.tissue & (least >= UNLIKENESS_HU)
    seeds = copy.tissue & (least >= _SEED_HU)
    numbers, count = ndimage.label(grown, structure=_SOLID)
    seeded = np.zeros(count + 1, dtype=bool)
    seeded[numbers[seeds]] = True
    found = seeded[numbers]
    if not found.any():
        return np.zeros(found.shape, dtype=np.int32)
    near = ndimage.distance_transform_edt(~found, sampling=copy.spacing_mm) <= _JOINED_MM / 2
    joined, _ = ndimage.label(near, structure=_SOLID)
    return joined * found
