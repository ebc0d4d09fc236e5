"""How well a mask agrees with a reference inside a region of interest, and the word that readers use for a Dice.

Sensitivity, specificity and AUC depend on how much healthy tissue is counted: on a whole head the specificity of any small
mask is 1. The adaptive-threshold paper's values (Table 2: specificity 0.90 to 0.96) are those inside the ROI, and its AUC is
(sensitivity + specificity) / 2 in every row, which is the area under the ROC curve of a binary mask.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.ct.geometry import crop
from HTSegmentationLib.measure.mask import require_same_grid
from HTSegmentationLib.roi import Roi

_WORDS = ((0.8, "almost perfect"), (0.6, "substantial"), (0.4, "moderate"), (0.2, "fair"), (0.0, "slight"))
"""Landis and Koch, Biometrics 1977;33:159-174: the word for values above each border."""


@dataclass(frozen=True)
class Agreement:
    """The agreement of a mask and a reference, of which only voxels in the ROI count.

    Args:
        domain: What was counted: ``"ROI"``.
        sensitivity: Share of the reference that the mask holds; None if the reference has no voxel in the ROI.
        specificity: Share of the rest of the ROI that the mask leaves out; None if the reference fills the ROI.
        auc: (sensitivity + specificity) / 2; None if one of them is.
    """

    domain: str
    sensitivity: float | None
    specificity: float | None
    auc: float | None

    def as_dict(self) -> dict[str, Any]:
        """The measurements as plain values, for JSON and tables."""
        return asdict(self)


def measure_agreement(mask: sitk.Image, reference: sitk.Image, roi: Roi, label: int = 1) -> Agreement:
    """Compares one label of two masks inside an ROI.

    Args:
        mask: Label values, (x, y, z), on the scan's grid.
        reference: The truth, on the same grid.
        roi: The region of interest for this grid.
        label: The value to compare.

    Raises:
        UsageError: The masks lie on different grids.
        ROIError: The ROI was made for another grid.

    Example:
        >>> mask, reference, domain = (sitk.Image(8, 8, 1, sitk.sitkUInt8) for _ in range(3))
        >>> mask[0:4, 0:4, 0:1] = 1
        >>> reference[2:6, 0:4, 0:1] = 1
        >>> domain[0:8, 0:4, 0:1] = 1
        >>> measure_agreement(mask, reference, Roi.from_mask(domain)).auc
        0.5
    """
    require_same_grid(mask, reference, "mask", "reference")
    roi.require_grid(mask)
    size = roi.mask.GetSize()
    inside = sitk.GetArrayViewFromImage(roi.mask) > 0
    found = sitk.GetArrayFromImage(crop(mask, roi.index, size))[inside] == label
    true = sitk.GetArrayFromImage(crop(reference, roi.index, size))[inside] == label
    sensitivity = _share(found, true)
    specificity = _share(~found, ~true)
    known = sensitivity is not None and specificity is not None
    return Agreement("ROI", sensitivity, specificity, (sensitivity + specificity) / 2 if known else None)


def agreement_word(dice: float) -> str:
    """The word of Landis and Koch for a Dice coefficient.

    Example:
        >>> agreement_word(0.73), agreement_word(0.0)
        ('substantial', 'none')
    """
    return next((word for border, word in _WORDS if dice > border), "none")


def _share(found: np.ndarray, of: np.ndarray) -> float | None:
    count = int(np.count_nonzero(of))
    return int(np.count_nonzero(found & of)) / count if count else None
