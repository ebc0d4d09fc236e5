"""What a user must be told of the robust threshold's result."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.ct.geometry import voxels_to_ml
from HTSegmentationLib.remark import Remark, Severity
from HTSegmentationLib.threshold.cautions import outside_brain_remarks, thick_slice_remarks
from HTSegmentationLib.threshold.robust.contrast import LocalContrast
from HTSegmentationLib.threshold.robust.parts import Cause, JudgedParts
from HTSegmentationLib.threshold.robust.signs import Signs

_TOLD_ML = 0.1
"""What was left out is told from this volume on; less is noise or a vessel's wall."""

_SKULL_SHARE = 0.2
"""From this share within 3 mm of the skull on, the outer rim of the mask should be looked at."""


def robust_remarks(field: LocalContrast, mask: sitk.Image, judged: JudgedParts, signs: Signs | None) -> list[Remark]:
    """Doubts about the ROI and the mask, and what was left out of it.

    Args:
        field: The ROI's box.
        mask: The mask on that box.
        judged: The dense parts of the ROI.
        signs: What was measured of the mask; None for an empty one.
    """
    remarks = [*outside_brain_remarks(field.roi, field.inside), *_left_out(field, judged)]
    if signs is None:
        text = "Nothing in the ROI stands out from the tissue around it like blood: the mask is empty, the volume 0 mL."
        return [*remarks, Remark("mask-empty", text, Severity.CAUTION)]
    if signs.staining_ml >= _TOLD_ML:
        text = (
            f"Of {signs.volume_ml + signs.staining_ml:.1f} mL that are as dense as blood, {signs.staining_ml:.1f} mL were "
            "left out as likely contrast staining: slender, without a sharp border, or at the cortex. The most solid and "
            "densest part was kept. Which of it is blood cannot be told from this scan alone."
        )
        remarks.append(Remark("staining-left-out", text, Severity.CAUTION))
    if signs.skull_share >= _SKULL_SHARE:
        text = (
            f"{signs.skull_share:.0%} of the mask lies within 3 mm of the skull, where a blurred bone edge has the density "
            "of blood. Look at its outer rim."
        )
        remarks.append(Remark("mask-touches-skull", text, Severity.CAUTION))
    return [*remarks, *thick_slice_remarks(mask)]


def _left_out(field: LocalContrast, judged: JudgedParts) -> list[Remark]:
    """One remark for everything dense that was not taken for blood."""
    found = {cause.value: judged.left_out_ml(cause) for cause in Cause if cause is not Cause.BLEED}
    dense = int(np.count_nonzero(field.roi & field.inside & ~field.tissue))
    found["denser than blood (calcium, contrast or metal)"] = voxels_to_ml(dense, field.image)
    told = [f"{ml:.1f} mL {name}" for name, ml in found.items() if ml >= _TOLD_ML]
    if not told:
        return []
    return [Remark("parts-left-out", f"Dense, and not taken for the bleed: {', '.join(told)}.")]
