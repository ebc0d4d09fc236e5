"""The published adaptive-threshold method as a segmenter."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.threshold.details import AdaptiveDetails
from HTSegmentationLib.threshold.parameters import AdaptiveParameters, SdImage
from HTSegmentationLib.threshold.region import Region
from HTSegmentationLib.threshold.rules import rule_number
from HTSegmentationLib.threshold.threshold_segmenter import ThresholdSegmenter


class AdaptiveThreshold(ThresholdSegmenter):
    """Adaptive thresholding of hemorrhagic transformation.

    A first threshold of 50 to 80 HU in the ROI gives a first mask; the SD of its HU chooses the second threshold from a
    table; holes are closed within slices.

    Args:
        parameters: The paper's values, unless given.

    Example:
        >>> result = AdaptiveThreshold().run(scan, roi)   # doctest: +SKIP
        >>> result.details.sd_hu, result.volume_ml()      # doctest: +SKIP

    Source: the adaptive-threshold paper, section 2.2 and Table 1.
    """

    name = "adaptive"
    title = "Adaptive threshold"
    parameters: AdaptiveParameters

    def __init__(self, parameters: AdaptiveParameters | None = None) -> None:
        super().__init__(parameters or AdaptiveParameters())

    def choose(self, region: Region) -> AdaptiveDetails:
        """First threshold, its mean and SD, and the window that follows, unless one is set by hand."""
        given = self.parameters
        first = given.first_lower_hu, given.first_upper_hu
        values = _hu_in_first_mask(region, first, given.sd_image)
        sd = float(values.std(ddof=1)) if values.size > 1 else 0.0
        number = rule_number(given.rules, sd)
        window = given.rules[number].lower_hu, given.rules[number].upper_hu
        manual = given.manual_lower_hu is not None and given.manual_upper_hu is not None
        if manual:
            window = given.manual_lower_hu, given.manual_upper_hu
        return AdaptiveDetails(
            first_threshold_hu=first,
            first_mask_voxels=int(values.size),
            mean_hu=float(values.mean()) if values.size else None,
            sd_hu=sd,
            sd_image=given.sd_image.value,
            rules=given.rules,
            rule_number=number,
            threshold_hu=window,
            manual=manual,
        )


def _hu_in_first_mask(region: Region, window: tuple[float, float], sd_image: SdImage) -> np.ndarray:
    first = sitk.GetArrayFromImage(region.between(*window)) > 0
    measured = region.image if sd_image is SdImage.ORIGINAL else region.enhanced
    return sitk.GetArrayViewFromImage(measured)[first].astype(np.float64)
