"""The robust adaptive threshold as a segmenter."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.ct.geometry import array_to_image, empty_like, voxels_to_ml
from HTSegmentationLib.ct.scan import CTScan
from HTSegmentationLib.measure.grid_uncertainty import grid_uncertainty_ml
from HTSegmentationLib.progress import Progress, StageClock, silent
from HTSegmentationLib.roi import Roi
from HTSegmentationLib.segmenter import HEMORRHAGE, PreparedScan, SegmentationResult, Segmenter
from HTSegmentationLib.threshold.prepare import modelled, prepare
from HTSegmentationLib.threshold.robust.bound import START_CONTRAST_HU, choose_bound
from HTSegmentationLib.threshold.robust.confidence import confidence_of
from HTSegmentationLib.threshold.robust.contrast import LocalContrast, local_contrast
from HTSegmentationLib.threshold.robust.details import RobustDetails
from HTSegmentationLib.threshold.robust.parameters import RobustParameters
from HTSegmentationLib.threshold.robust.parts import judge_parts
from HTSegmentationLib.threshold.robust.remarks import robust_remarks
from HTSegmentationLib.threshold.robust.signs import Signs, read_signs
from HTSegmentationLib.threshold.robust.staining import likely_blood
from HTSegmentationLib.threshold.robust.uncertainty import robust_uncertainty_ml

_LEAST_DENSE_CONTRAST_HU = 20.0
"""The dense tenth of a bleed stands out this much; on simulated scans all bleeds above 0.3 mL do, and noise does not."""

_LEAST_COMPACT_CONTRAST_HU, _COMPACT_MM = 15.0, 8.0
"""A bleed with a disc of 8 mm inside may be as faint as this: neither noise nor vessels nor cortex are that thick."""

_HUGGING_SHARE, _HUGGING_EDGE_HU_PER_MM = 0.5, 5.0
"""What lies with half of itself within 3 mm of the skull and fades like this is bone's blur or a sinus. Simulated bleeds at
the skull have at most half of themselves there and steeper borders; seen on a real scan without hemorrhage."""

_LEAST_ML = 0.05
"""Less than this in all is noise: the smallest bleed of the published cohort has 0.08 mL."""


class RobustThreshold(Segmenter):
    """Thresholding on the contrast to the tissue around instead of on HU.

    Each voxel is compared with the brain tissue around it, which is infarct beside a bleed in an infarct and healthy brain
    elsewhere. Connected parts denser than a bound are judged one by one; bone's rim, falx, calcium and what lies away from
    the bleed drop out. The bound follows from the bleed's own density. Deterministic; nothing was trained.

    Args:
        parameters: Fitted values, unless given.

    Example:
        >>> result = RobustThreshold().run(scan, roi)          # doctest: +SKIP
        >>> result.volume_ml(), result.confidence.reason       # doctest: +SKIP
    """

    name = "robust"
    title = "Robust threshold"

    def __init__(self, parameters: RobustParameters | None = None) -> None:
        self.parameters = parameters or RobustParameters()

    def prepare(self, scan: CTScan, progress: Progress = silent) -> PreparedScan:
        """Finds the brain; the same for every threshold method."""
        return prepare(scan, progress)

    def segment(self, prepared: PreparedScan, roi: Roi | None = None, progress: Progress = silent) -> SegmentationResult:
        """Segments the bleed in the ROI; the mask is empty where nothing in it stands out like blood.

        Raises:
            ROIError: The ROI is missing, on another grid, or holds no voxel inside the skull.
        """
        clock, given = StageClock(progress), self.parameters
        with clock.stage("tissue", 0.0):
            known = modelled(prepared)
            model, midplane = known.tissue, known.midplane
            field = local_contrast(prepared, roi, model, given)
        with clock.stage("parts", 0.5):
            judged = judge_parts(field, START_CONTRAST_HU, model, midplane, given.part_gap_mm)
            bound = None
            if judged.mask.any():
                bound = choose_bound(field, judged.mask, given)
                judged = judge_parts(field, bound.contrast_hu, model, midplane, given.part_gap_mm)
        with clock.stage("confidence", 0.8):
            signs = read_signs(field, judged, bound) if bound is not None and judged.bleed else None
            signs = signs if signs is not None and _is_bleed(signs) else None
            blood = judged.mask if signs is None else likely_blood(field, judged.mask, bound, signs)
            stained = int(np.count_nonzero(judged.mask) - np.count_nonzero(blood))
            if stained > 0:
                judged = replace(judged, mask=blood)
                signs = read_signs(field, judged, bound, voxels_to_ml(stained, field.image))
            confidence = confidence_of(signs, judged)
        with clock.stage("remarks", 0.9):
            part = array_to_image(judged.mask & (signs is not None), field.image)
            uncertainty_ml = robust_uncertainty_ml(signs, judged, confidence, grid_uncertainty_ml(part))
            remarks = (*prepared.remarks, *roi.remarks, *robust_remarks(field, part, judged, signs))
            whole = empty_like(prepared.scan.image)
            mask = sitk.Paste(whole, part, part.GetSize(), destinationIndex=field.index)
        progress("done", 1.0)
        return SegmentationResult(
            method=self.name,
            mask=mask,
            labels=(HEMORRHAGE,),
            parameters=given.as_dict(),
            brain_volume_ml=prepared.brain_volume_ml,
            remarks=remarks,
            stage_seconds={**prepared.stage_seconds, **clock.seconds},
            details=RobustDetails(
                tissue=model,
                background_hu=_background_hu(field, judged.mask),
                bound=bound,
                densest_hu=given.densest_hu,
                parts=judged.parts,
                signs=signs,
                confidence=confidence,
            ),
            confidence=confidence,
            uncertainty_ml=uncertainty_ml,
        )


def _is_bleed(signs: Signs) -> bool:
    """Whether what was found is more than noise, cortex, a vessel or bone's blur."""
    hugging = signs.skull_share > _HUGGING_SHARE and signs.edge_hu_per_mm < _HUGGING_EDGE_HU_PER_MM
    if hugging or signs.volume_ml < _LEAST_ML:
        return False
    compact = signs.thickness_mm >= _COMPACT_MM and signs.dense_contrast_hu >= _LEAST_COMPACT_CONTRAST_HU
    return compact or signs.dense_contrast_hu >= _LEAST_DENSE_CONTRAST_HU


def _background_hu(field: LocalContrast, bleed: np.ndarray) -> float:
    """HU of the tissue around the bleed, or of the ROI where there is none."""
    return float(np.median(field.background[bleed if bleed.any() else field.inside]))
