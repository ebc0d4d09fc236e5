"""Prepares a scan once, so that any number of ROIs and parameters are segmented from it fast."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.ct.geometry import voxels_to_ml
from HTSegmentationLib.ct.scan import CTScan
from HTSegmentationLib.progress import Progress, StageClock, silent
from HTSegmentationLib.remark import Remark, Severity
from HTSegmentationLib.segmenter import PreparedScan
from HTSegmentationLib.threshold.skull_strip import brain_mask

_USUAL_INTRACRANIAL_ML = (900.0, 2000.0)
"""Adults' intracranial volume lies between these; less is a scan of a part of the head, more a mask that leaked."""


def prepare(scan: CTScan, progress: Progress = silent) -> PreparedScan:
    """Finds the brain.

    Raises:
        SegmentationError: No soft tissue is enclosed by bone.

    Example:
        >>> prepared = prepare(read_ct("head.nii.gz"))   # doctest: +SKIP
    """
    clock = StageClock()
    with clock.stage("skull strip", 0.0):
        mask = brain_mask(scan.image, progress)
    volume = voxels_to_ml(int(np.count_nonzero(sitk.GetArrayViewFromImage(mask))), mask)
    return PreparedScan(scan, mask, volume, scan.remarks + _remarks(volume), clock.seconds)


def _remarks(brain_volume_ml: float) -> tuple[Remark, ...]:
    lowest, highest = _USUAL_INTRACRANIAL_ML
    if lowest <= brain_volume_ml <= highest:
        return ()
    meaning = "the scan may hold a part of the head only" if brain_volume_ml < lowest else "look whether it left the skull"
    text = f"The skull strip kept {brain_volume_ml:.0f} mL (adults: {lowest:.0f} to {highest:.0f} mL): {meaning}."
    return (Remark("brain-volume-unusual", text, Severity.CAUTION),)
