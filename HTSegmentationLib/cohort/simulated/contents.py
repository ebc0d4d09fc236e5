"""What a simulated case holds, measured once and told in its record and in the manifest."""

from __future__ import annotations

from typing import Any

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.ct.geometry import voxels_to_ml
from HTSegmentationLib.simulate.case import PHE, SimulatedCase

_DECIMALS = 6
"""Decimals of a cell, as in every table of results."""

COLUMNS = (
    *("phe_ml", "ivh_ml", "staining_ml", "calcification_ml", "streaks", "motion"),
    *("slice_mm", "noise_hu", "roi_margin_mm", "background", "infarct_mask"),
)
"""Columns of the manifest that say what is in a case."""


def contents_of(case: SimulatedCase) -> dict[str, Any]:
    """The cells of :data:`COLUMNS` that a case fills.

    Args:
        case: The simulated case.

    Returns:
        Volumes of edema, blood in the ventricles, stained tissue and calcium in mL; strength of streaks and motion (0 to 1);
        slice thickness, noise (HU) and the ROI's margin in mm (None: by the hand).
    """
    asked, grid = case.parameters, case.scan.image
    volumes = {
        "phe_ml": _ml(case.labels, PHE),
        "staining_ml": _ml(case.staining),
        "calcification_ml": _ml(case.calcification),
    }
    return {
        **volumes,
        "ivh_ml": round(case.intraventricular_ml, _DECIMALS),
        "streaks": asked.streaks,
        "motion": asked.motion,
        "slice_mm": round(grid.GetSpacing()[2], _DECIMALS),
        "noise_hu": round(case.noise_sd_hu, _DECIMALS),
        "roi_margin_mm": asked.roi_margin_mm,
    }


def _ml(mask: sitk.Image, value: int = 1) -> float:
    return round(voxels_to_ml(int(np.count_nonzero(sitk.GetArrayViewFromImage(mask) == value)), mask), _DECIMALS)
