"""How much a bleed has grown from one scan to the next, and whether the measurement can tell."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.cohort.growth.alignment import Alignment, align_scans
from HTSegmentationLib.cohort.growth.carry import covered_share, on_baseline
from HTSegmentationLib.ct.geometry import slice_axis, voxels_to_ml
from HTSegmentationLib.ct.scan import CTScan
from HTSegmentationLib.errors import SegmentationError
from HTSegmentationLib.measure.grid_uncertainty import grid_uncertainty_ml
from HTSegmentationLib.measure.mask import require_same_grid
from HTSegmentationLib.measure.overlap import measure_overlap
from HTSegmentationLib.progress import Progress, part_of, silent
from HTSegmentationLib.remark import Remark, Severity

EXPANSION_ML = 6.0
"""Absolute growth of Dowlatshahi's definition: Dowlatshahi et al., Neurology 2011;76:1238-1244."""

EXPANSION_PERCENT = 33.0
"""Relative growth of the same definition, first used by Brott et al., Stroke 1997;28:1-5."""

LARGE_EXPANSION_ML = 12.5
"""Absolute growth of Kazui et al., Stroke 1996;27:1783-1787, and INTERACT, Lancet Neurol 2008;7:391-399."""

_STANDARD_DEVIATIONS = 1.96
"""A growth beyond so many standard deviations is more than what the grids leave open in 19 of 20 cases."""

_DIGITS = 6
"""Decimals of mL and percent that a definition looks at: as many as the tables have."""

_LEAST_COVERED = 0.98
"""A bleed of which the other scan covers less than this share is not seen whole there."""


@dataclass(frozen=True)
class Growth:
    """A bleed in two scans of one patient; each volume is measured on its own scan's grid.

    Args:
        baseline_volume_ml: Volume in the first scan.
        followup_volume_ml: Volume in the second scan.
        growth_ml: Second less first.
        growth_percent: The same in percent of the first; None if there was no bleed at first.
        growth_uncertainty_ml: One standard deviation of the growth that slices and voxels leave open:
            ``hypot(u_baseline, u_followup)``; see :func:`grid_uncertainty_ml`.
        beyond_uncertainty: Whether the change is more than 1.96 of these.
        expansion_6ml_or_33percent: More than 6 mL or more than 33% (of a bleed that was there): Dowlatshahi et al. 2011. It
            was made for spontaneous hemorrhage, not for hemorrhagic transformation.
        expansion_12_5ml: More than 12.5 mL: Kazui et al. 1996, INTERACT.
        dice: Overlap of both masks after alignment, on the baseline's grid; None if it was not aligned.
        remarks: What the user must be told.
        alignment: How the scans were aligned; None if they were not.
    """

    baseline_volume_ml: float
    followup_volume_ml: float
    growth_ml: float
    growth_percent: float | None
    growth_uncertainty_ml: float
    beyond_uncertainty: bool
    expansion_6ml_or_33percent: bool
    expansion_12_5ml: bool
    dice: float | None = None
    remarks: tuple[Remark, ...] = ()
    alignment: Alignment | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON and tables."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__ if name not in ("remarks", "alignment")}
        values["remarks"] = [remark.as_dict() for remark in self.remarks]
        values["alignment"] = None if self.alignment is None else self.alignment.as_dict()
        return values

    @property
    def verdict(self) -> str:
        """The change in one sentence."""
        limit = _STANDARD_DEVIATIONS * self.growth_uncertainty_ml
        percent = "" if self.growth_percent is None else f" ({self.growth_percent:+.0f}%)"
        change = f"{self.growth_ml:+.2f} mL{percent}"
        if not self.beyond_uncertainty:
            return f"{change}, within the measurement's uncertainty of {limit:.2f} mL (slices and voxels only)"
        word = "growth" if self.growth_ml > 0 else "shrinkage"
        return f"{change}, {word} beyond the measurement's uncertainty of {limit:.2f} mL (slices and voxels only)"


def compare_scans(
    baseline: CTScan,
    baseline_mask: sitk.Image,
    followup: CTScan,
    followup_mask: sitk.Image,
    *,
    align: bool = True,
    label: int = 1,
    progress: Progress = silent,
) -> Growth:
    """Compares the bleed in two scans of one patient.

    The volumes need no alignment: each is measured on its own grid. The alignment says whether both scans show the same head
    and the same place. Where a scan cannot be aligned, that is said and the volumes are compared all the same.

    Args:
        baseline: The first scan.
        baseline_mask: Label values on its grid; may be empty.
        followup: The second scan.
        followup_mask: Label values on its grid; may be empty.
        align: Whether to align the scans.
        label: The value to compare.
        progress: Told of the work; may raise :class:`HTSegmentationLib.errors.Cancelled`.

    Raises:
        UsageError: A mask lies on another grid than its scan.

    Example:
        >>> compare_scans(first, first_mask, second, second_mask).growth_ml   # doctest: +SKIP
        4.2
    """
    require_same_grid(baseline_mask, baseline.image, "baseline mask", "baseline scan")
    require_same_grid(followup_mask, followup.image, "follow-up mask", "follow-up scan")
    masks = [sitk.Cast(mask == label, sitk.sitkUInt8) for mask in (baseline_mask, followup_mask)]
    before, after = (voxels_to_ml(int(np.count_nonzero(sitk.GetArrayViewFromImage(mask))), mask) for mask in masks)
    remarks = [*_cut_remarks("baseline", masks[0]), *_cut_remarks("follow-up", masks[1])]
    alignment, dice = None, None
    if align:
        try:
            alignment = align_scans(baseline, followup, part_of(progress, 0.0, 0.9))
        except SegmentationError as error:
            text = f"The scans could not be aligned ({error}): whether both show one head and the same bleed is not known."
            remarks.append(Remark("alignment-failed", text, Severity.WARNING))
    if alignment is not None:
        progress("overlap", 0.9)
        dice = measure_overlap(on_baseline(masks[1], baseline.image, alignment), masks[0]).dice
        remarks += [*alignment.remarks, *_cover_remarks(masks, alignment)]
    progress("done", 1.0)
    return _growth(before, after, masks, dice=dice, remarks=tuple(remarks), alignment=alignment)


def _growth(before: float, after: float, masks: list[sitk.Image], **known: Any) -> Growth:
    change = after - before
    percent = 100 * change / before if before > 0 else None
    # 6 voxels of 1 mL are 6 mL, not a little more.
    whole_change, whole_percent = round(change, _DIGITS), None if percent is None else round(percent, _DIGITS)
    uncertainty = math.hypot(*(grid_uncertainty_ml(mask) for mask in masks))
    return Growth(
        baseline_volume_ml=before,
        followup_volume_ml=after,
        growth_ml=change,
        growth_percent=percent,
        growth_uncertainty_ml=uncertainty,
        beyond_uncertainty=abs(change) > _STANDARD_DEVIATIONS * uncertainty,
        expansion_6ml_or_33percent=whole_change > EXPANSION_ML
        or (whole_percent is not None and whole_percent > EXPANSION_PERCENT),
        expansion_12_5ml=whole_change > LARGE_EXPANSION_ML,
        **known,
    )


def _cut_remarks(name: str, mask: sitk.Image) -> list[Remark]:
    """Whether a bleed reaches the first or the last slice of its scan, beyond which nobody has looked."""
    across = 2 - slice_axis(mask)
    slices = np.moveaxis(sitk.GetArrayViewFromImage(mask), across, 0)
    if not (slices[0].any() or slices[-1].any()):
        return []
    text = f"The bleed reaches the edge of the {name} scan: it may go on beyond it, and the growth with it."
    return [Remark(f"{name.replace('-', '')}-bleed-cut", text, Severity.CAUTION)]


def _cover_remarks(masks: list[sitk.Image], alignment: Alignment) -> list[Remark]:
    """Whether each scan covers the place of the other's bleed."""
    remarks = []
    there, back = alignment.transform, alignment.transform.GetInverse()
    names = (("baseline", "follow-up", masks[0], masks[1], there), ("follow-up", "baseline", masks[1], masks[0], back))
    for whose, other, mask, grid, transform in names:
        share = covered_share(mask, grid, transform)
        if share < _LEAST_COVERED:
            text = f"The {other} scan covers only {share:.0%} of where the {whose} bleed lies: the growth cannot be trusted."
            remarks.append(Remark(f"{other.replace('-', '')}-does-not-cover", text, Severity.WARNING))
    return remarks
