"""How well a mask agrees with a reference in an ROI, the brain or the image, and the word that readers use for a Dice.

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
from HTSegmentationLib.errors import UsageError
from HTSegmentationLib.measure.confusion import confusion_of
from HTSegmentationLib.measure.domain import Domain, domain_name, inside_box, only_domain, values_inside
from HTSegmentationLib.measure.mask import require_same_grid
from HTSegmentationLib.measure.pair import MaskPair
from HTSegmentationLib.measure.roc import area_under_curve
from HTSegmentationLib.roi import Roi

_WORDS = ((0.8, "almost perfect"), (0.6, "substantial"), (0.4, "moderate"), (0.2, "fair"), (0.0, "slight"))
"""Landis and Koch, Biometrics 1977;33:159-174: the word for values above each border."""


@dataclass(frozen=True)
class Agreement:
    """The agreement of a mask and a reference, of which only the voxels of a domain count.

    Args:
        domain: What was counted: ``"ROI"``, ``"brain"`` or ``"image"``.
        sensitivity: Share of the reference that the mask holds; None if the reference has no voxel in the domain.
        specificity: Share of the rest of the domain that the mask leaves out; None if the reference fills the domain.
        auc: Area under the ROC curve; of a mask (sensitivity + specificity) / 2. None if one of them is.
    """

    domain: str
    sensitivity: float | None = None
    specificity: float | None = None
    auc: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """The measurements as plain values, for JSON and tables."""
        return asdict(self)


def measure_agreement(
    mask: sitk.Image,
    reference: sitk.Image,
    roi: Roi | None = None,
    label: int = 1,
    *,
    reference_label: int | None = None,
    brain: sitk.Image | None = None,
    probability: sitk.Image | None = None,
) -> Agreement:
    """Compares one label of two masks inside an ROI, inside the brain, or in the whole image when neither is given.

    Args:
        mask: Label values, (x, y, z), on the scan's grid.
        reference: The truth, on the same grid.
        roi: The region of interest for this grid, the domain of the published values.
        label: The value to compare.
        reference_label: Its value in the reference; the same if None.
        brain: Above zero inside the skull, on the same grid; at most one of ``roi`` and ``brain`` may be given.
        probability: Probability of the label on the same grid (any number that rises with it will do); the AUC is taken from
            it instead of from the mask. See :func:`area_under_curve`.

    Raises:
        UsageError: The images lie on different grids, ROI and brain are both given, or a probability is not a number.
        ROIError: The ROI was made for another grid.

    Example:
        >>> mask, reference, domain = (sitk.Image(8, 8, 1, sitk.sitkUInt8) for _ in range(3))
        >>> mask[0:4, 0:4, 0:1] = 1
        >>> reference[2:6, 0:4, 0:1] = 1
        >>> domain[0:8, 0:4, 0:1] = 1
        >>> measure_agreement(mask, reference, Roi.from_mask(domain)).auc
        0.5
    """
    pair = MaskPair.of(mask, reference, label, reference_label)
    domain = only_domain(mask, roi, brain)
    if probability is not None:
        require_same_grid(probability, mask, "probability", "mask")
    return agreement_of(pair, domain, probability)


def agreement_of(pair: MaskPair, domain: Domain = None, probability: sitk.Image | None = None) -> Agreement:
    """The agreement of a pair in a domain on its grid; see :func:`measure_agreement`.

    Raises:
        UsageError: A probability in the domain is not a number.
    """
    counts = confusion_of(pair, domain)
    sensitivity, specificity = counts.sensitivity, counts.specificity
    auc = None
    if sensitivity is not None and specificity is not None:
        auc = (sensitivity + specificity) / 2 if probability is None else _auc_of(pair, domain, probability)
    return Agreement(domain_name(domain), sensitivity, specificity, auc)


def agreement_word(dice: float) -> str:
    """The word of Landis and Koch for a Dice coefficient.

    Example:
        >>> agreement_word(0.73), agreement_word(0.0)
        ('substantial', 'none')
    """
    return next((word for border, word in _WORDS if dice > border), "none")


def _auc_of(pair: MaskPair, domain: Domain, probability: sitk.Image) -> float | None:
    values = values_inside(probability, domain)
    if not np.isfinite(values).all():
        raise UsageError("the probability holds values that are not finite numbers; write it anew without NaN and infinity")
    here = sitk.GetArrayFromImage(crop(probability, pair.index, pair.grid.GetSize()))
    return area_under_curve(here[pair.true & inside_box(pair, domain)], values)
