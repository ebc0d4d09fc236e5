"""Everything that a mask's comparison with a reference tells, as one row of a table."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import SimpleITK as sitk

from HTSegmentationLib.ct.geometry import array_to_image
from HTSegmentationLib.measure.agreement import Agreement, agreement_of
from HTSegmentationLib.measure.diameters import measure_diameters
from HTSegmentationLib.measure.domain import require_domain
from HTSegmentationLib.measure.lesions import lesions_of
from HTSegmentationLib.measure.mask import require_same_grid
from HTSegmentationLib.measure.overlap import overlap_of
from HTSegmentationLib.measure.pair import MaskPair
from HTSegmentationLib.measure.surface import surfaces_of
from HTSegmentationLib.roi import Roi


@dataclass(frozen=True)
class MaskComparison:
    """A mask compared with a reference; the names are those of a table's columns, and what is not defined is None.

    Args:
        dice: 2 x both / (mask + reference); both empty: 1, one empty: 0.
        iou: both / either (Jaccard); both empty: 1, one empty: 0.
        precision: Share of the mask that lies in the reference; None for an empty mask.
        volume_ml: Volume of the mask in mL.
        reference_volume_ml: Volume of the reference in mL.
        volume_difference_ml: Mask less reference in mL.
        sensitivity_roi: Share of the reference's voxels in the ROI that the mask holds; None without an ROI.
        specificity_roi: Share of the ROI's other voxels that the mask leaves out.
        auc_roi: Area under the ROC curve in the ROI, of the mask or of the probability map if one is given.
        sensitivity_brain: The same in the brain; None without a brain mask.
        specificity_brain: Likewise.
        auc_brain: Likewise.
        sensitivity_image: The same in the whole image.
        specificity_image: Likewise.
        auc_image: Likewise.
        hd95_mm: 95th percentile of the Hausdorff distance in mm; both empty: 0, one empty: None.
        mean_surface_distance_mm: Mean distance of the surfaces in mm, of both directions; likewise.
        reference_lesions: Separate parts of the reference.
        lesions_found: How many of them share a voxel with the mask.
        lesion_sensitivity: The share of them; None without a lesion.
        false_positive_lesions: Separate parts of the mask that share no voxel with the reference.
        abc2_ml: ABC/2 of the mask in mL; None if it is empty.
        reference_abc2_ml: ABC/2 of the reference in mL; None if it is empty.
    """

    dice: float
    iou: float
    precision: float | None
    volume_ml: float
    reference_volume_ml: float
    volume_difference_ml: float
    sensitivity_roi: float | None
    specificity_roi: float | None
    auc_roi: float | None
    sensitivity_brain: float | None
    specificity_brain: float | None
    auc_brain: float | None
    sensitivity_image: float | None
    specificity_image: float | None
    auc_image: float | None
    hd95_mm: float | None
    mean_surface_distance_mm: float | None
    reference_lesions: int
    lesions_found: int
    lesion_sensitivity: float | None
    false_positive_lesions: int
    abc2_ml: float | None
    reference_abc2_ml: float | None

    def as_dict(self) -> dict[str, float | int | None]:
        """The measurements as plain values, in the order of a table's columns."""
        return asdict(self)


def compare_masks(
    mask: sitk.Image,
    reference: sitk.Image,
    *,
    label: int = 1,
    reference_label: int | None = None,
    roi: Roi | None = None,
    brain: sitk.Image | None = None,
    probability: sitk.Image | None = None,
) -> MaskComparison:
    """Compares one label of a mask with a reference in every way that this library has.

    Each measurement is that of :func:`measure_overlap`, :func:`measure_agreement`, :func:`measure_surfaces`,
    :func:`detect_lesions` and :func:`measure_diameters`. The scan is looked at once; the rest is done in the smallest box
    that holds both masks.

    Args:
        mask: Label values, (x, y, z), on the scan's grid.
        reference: The truth, on the same grid.
        label: The value to compare.
        reference_label: Its value in the reference; the same if None.
        roi: The region of interest on this grid.
        brain: Above zero inside the skull, on the same grid.
        probability: Probability of the label on the same grid; AUC are taken from it instead of from the mask.

    Raises:
        UsageError: The images lie on different grids, or the probability is not a number somewhere.
        ROIError: The ROI was made for another grid.

    Example:
        >>> mask, reference = sitk.Image(8, 8, 1, sitk.sitkUInt8), sitk.Image(8, 8, 1, sitk.sitkUInt8)
        >>> mask[0:4, 0:4, 0:1] = 1
        >>> reference[2:6, 0:4, 0:1] = 1
        >>> found = compare_masks(mask, reference)
        >>> found.dice, found.hd95_mm, found.lesions_found
        (0.5, 2.0, 1)
    """
    pair = MaskPair.of(mask, reference, label, reference_label)
    for domain in (roi, brain):
        require_domain(mask, domain)
    if probability is not None:
        require_same_grid(probability, mask, "probability", "mask")
    overlap, surfaces, lesions = overlap_of(pair), surfaces_of(pair), lesions_of(pair)
    in_roi = Agreement("ROI") if roi is None else agreement_of(pair, roi, probability)
    in_brain = Agreement("brain") if brain is None else agreement_of(pair, brain, probability)
    in_image = agreement_of(pair, None, probability)
    of_mask, of_reference = (
        measure_diameters(array_to_image(inside, pair.grid)).abc2_ml if inside.any() else None
        for inside in (pair.found, pair.true)
    )
    return MaskComparison(
        dice=overlap.dice,
        iou=overlap.iou,
        precision=overlap.precision,
        volume_ml=overlap.mask_volume_ml,
        reference_volume_ml=overlap.reference_volume_ml,
        volume_difference_ml=overlap.volume_difference_ml,
        sensitivity_roi=in_roi.sensitivity,
        specificity_roi=in_roi.specificity,
        auc_roi=in_roi.auc,
        sensitivity_brain=in_brain.sensitivity,
        specificity_brain=in_brain.specificity,
        auc_brain=in_brain.auc,
        sensitivity_image=in_image.sensitivity,
        specificity_image=in_image.specificity,
        auc_image=in_image.auc,
        hd95_mm=surfaces.hd95_mm,
        mean_surface_distance_mm=surfaces.mean_mm,
        reference_lesions=lesions.reference_lesions,
        lesions_found=lesions.lesions_found,
        lesion_sensitivity=lesions.lesion_sensitivity,
        false_positive_lesions=lesions.false_positive_lesions,
        abc2_ml=of_mask,
        reference_abc2_ml=of_reference,
    )
