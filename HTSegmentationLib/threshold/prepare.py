"""Prepares a scan once, so that any number of ROIs and parameters are segmented from it fast."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.ct.geometry import voxels_to_ml
from HTSegmentationLib.ct.scan import CTScan
from HTSegmentationLib.progress import Progress, StageClock, silent
from HTSegmentationLib.remark import Remark, Severity
from HTSegmentationLib.segmenter import PreparedScan
from HTSegmentationLib.threshold.midplane import Midplane, find_midplane
from HTSegmentationLib.threshold.skull_strip import strip_skull
from HTSegmentationLib.threshold.tissue_model import TissueModel, tissue_model

_USUAL_INTRACRANIAL_ML = (900.0, 2000.0)
"""Adults' intracranial volume lies between these; less is a scan of a part of the head, more a mask that leaked."""

_OPEN_SKULL_SHARE = 0.1
"""The natural openings of the skull base leave less than a tenth of the brain half open to a side."""


@dataclass(frozen=True)
class ModelledScan(PreparedScan):
    """A prepared scan with what its brain measures.

    Args:
        tissue: Grey matter, white matter and noise; None: not measured yet.
        midplane: The plane between the hemispheres; None: not known.
    """

    tissue: TissueModel | None = None
    midplane: Midplane | None = None


def modelled(prepared: PreparedScan) -> ModelledScan:
    """The prepared scan with what its brain measures; as it is when that is known already."""
    if isinstance(prepared, ModelledScan) and prepared.tissue is not None:
        return prepared
    own = {field.name: getattr(prepared, field.name) for field in dataclasses.fields(PreparedScan)}
    tissue = tissue_model(prepared.scan.image, prepared.tissue_mask)
    return ModelledScan(**own, tissue=tissue, midplane=find_midplane(prepared.brain_mask))


def prepare(scan: CTScan, progress: Progress = silent) -> ModelledScan:
    """Finds the brain, and measures it.

    Raises:
        SegmentationError: No soft tissue is enclosed by bone.

    Example:
        >>> prepared = prepare(read_ct("head.nii.gz"))   # doctest: +SKIP
    """
    clock = StageClock()
    with clock.stage("skull strip", 0.0):
        brain = strip_skull(scan.image, progress)
    volume = voxels_to_ml(int(np.count_nonzero(sitk.GetArrayViewFromImage(brain.image))), brain.image)
    remarks = scan.remarks + _volume_remarks(volume) + _gap_remarks(brain.beside_gap_share)
    with clock.stage("brain tissue", 0.99):
        tissue, midplane = tissue_model(scan.image, brain.tissue), find_midplane(brain.image)
    return ModelledScan(scan, brain.image, brain.tissue, volume, remarks, clock.seconds, tissue=tissue, midplane=midplane)


def _volume_remarks(brain_volume_ml: float) -> tuple[Remark, ...]:
    lowest, highest = _USUAL_INTRACRANIAL_ML
    if lowest <= brain_volume_ml <= highest:
        return ()
    meaning = "the scan may hold a part of the head only" if brain_volume_ml < lowest else "look whether it left the skull"
    text = f"The skull strip kept {brain_volume_ml:.0f} mL (adults: {lowest:.0f} to {highest:.0f} mL): {meaning}."
    return (Remark("brain-volume-unusual", text, Severity.CAUTION),)


def _gap_remarks(beside_gap_share: float) -> tuple[Remark, ...]:
    if beside_gap_share < _OPEN_SKULL_SHARE:
        return ()
    text = (
        f"The skull is open (craniectomy, or the scan's edge): {beside_gap_share:.0%} of the brain faces the gap. "
        "There the brain's border is an estimate; keep the ROI off the scalp."
    )
    return (Remark("skull-open", text, Severity.CAUTION),)
