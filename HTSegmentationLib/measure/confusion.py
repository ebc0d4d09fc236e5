"""The four counts of two masks in a domain: voxels in both, in one alone, in neither."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.measure.domain import Domain, domain_voxels, inside_box, only_domain
from HTSegmentationLib.measure.pair import MaskPair
from HTSegmentationLib.roi import Roi


@dataclass(frozen=True)
class Confusion:
    """The 2 x 2 table of a mask and a reference.

    Args:
        both: Voxels in both (true positives).
        mask_only: Voxels in the mask alone (false positives).
        reference_only: Voxels in the reference alone (false negatives).
        neither: Voxels of the domain in neither (true negatives).
    """

    both: int
    mask_only: int
    reference_only: int
    neither: int

    def as_dict(self) -> dict[str, int]:
        """The counts as plain values, for JSON and tables."""
        return asdict(self)

    @property
    def sensitivity(self) -> float | None:
        """Share of the reference that the mask holds; None if the reference has no voxel in the domain."""
        return _share(self.both, self.reference_only)

    @property
    def specificity(self) -> float | None:
        """Share of the rest of the domain that the mask leaves out; None if the reference fills the domain."""
        return _share(self.neither, self.mask_only)


def count_confusion(
    mask: sitk.Image,
    reference: sitk.Image,
    *,
    label: int = 1,
    reference_label: int | None = None,
    roi: Roi | None = None,
    brain: sitk.Image | None = None,
) -> Confusion:
    """Counts the voxels of two masks in an ROI, in the brain or in the whole image.

    Args:
        mask: Label values, (x, y, z), on the scan's grid.
        reference: The truth, on the same grid.
        label: The value to compare.
        reference_label: Its value in the reference; the same if None.
        roi: Counts voxels in the ROI alone.
        brain: Counts voxels in this mask (above zero) alone; at most one of ``roi`` and ``brain`` may be given.

    Raises:
        UsageError: The masks lie on different grids, or both an ROI and a brain mask are given.
        ROIError: The ROI was made for another grid.

    Example:
        >>> mask, reference = sitk.Image(8, 8, 1, sitk.sitkUInt8), sitk.Image(8, 8, 1, sitk.sitkUInt8)
        >>> mask[0:4, 0:4, 0:1] = 1
        >>> reference[2:6, 0:4, 0:1] = 1
        >>> count_confusion(mask, reference)
        Confusion(both=8, mask_only=8, reference_only=8, neither=40)
    """
    domain = only_domain(mask, roi, brain)
    return confusion_of(MaskPair.of(mask, reference, label, reference_label), domain)


def confusion_of(pair: MaskPair, domain: Domain = None) -> Confusion:
    """The counts of a pair in a domain on its grid."""
    inside = inside_box(pair, domain)
    found, true = pair.found & inside, pair.true & inside
    both, of_mask, of_reference = (int(np.count_nonzero(part)) for part in (found & true, found, true))
    rest = domain_voxels(pair, domain) - of_mask - of_reference + both
    return Confusion(both, of_mask - both, of_reference - both, rest)


def _share(part: int, rest: int) -> float | None:
    return part / (part + rest) if part + rest else None
