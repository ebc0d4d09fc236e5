"""What every window would give in one case: its Dice and its volume."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.cohort.calibration.windows import candidate_windows
from HTSegmentationLib.ct.geometry import crop, voxels_to_ml
from HTSegmentationLib.ct.read import read_ct
from HTSegmentationLib.ct.scan import CTScan
from HTSegmentationLib.errors import HTSegError
from HTSegmentationLib.measure.mask import require_same_grid
from HTSegmentationLib.roi import Roi, read_mask, read_roi
from HTSegmentationLib.threshold.adaptive import AdaptiveThreshold
from HTSegmentationLib.threshold.closing import closed_in_slices
from HTSegmentationLib.threshold.region import cut_region


@dataclass(frozen=True)
class CaseFiles:
    """Where a case's files are.

    Args:
        case_id: The case's name.
        group: Its type of hemorrhage, or another group that every fold should hold; may be empty.
        image: The CT.
        roi: Files of the region of interest.
        reference: The mask that counts as the truth.
        reading: Keyword arguments of :func:`read_ct`.
    """

    case_id: str
    group: str
    image: Path
    roi: tuple[Path, ...]
    reference: Path
    reading: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class CaseProfile:
    """What every candidate window gives in one case.

    Args:
        case_id: The case's name.
        group: Its type of hemorrhage.
        sd_hu: SD of the first mask in HU, by which the rule table is read.
        dice: Dice of each candidate window against the reference; shape (windows,).
        volumes_ml: Volume that each window gives; shape (windows,).
        reference_ml: The reference's volume.
    """

    case_id: str
    group: str
    sd_hu: float
    dice: np.ndarray
    volumes_ml: np.ndarray
    reference_ml: float


@dataclass(frozen=True)
class FailedCase:
    """A case that was left out.

    Args:
        case_id: The case's name.
        reason: What is wrong with it, in one line.
    """

    case_id: str
    reason: str


def profile_files(case: CaseFiles) -> CaseProfile | FailedCase:
    """Reads and profiles a case; what is wrong with it is told instead of raised, so that the other cases go on."""
    try:
        scan = read_ct(case.image, **case.reading)
        roi = read_roi(case.roi, scan.image)
        reference, _ = read_mask(case.reference)
        return profile_case(scan, roi, reference, case_id=case.case_id, group=case.group)
    except HTSegError as error:
        return FailedCase(case.case_id, str(error))
    except MemoryError:
        return FailedCase(case.case_id, "out of memory; calibrate with fewer --jobs")


def profile_case(scan: CTScan, roi: Roi, reference: sitk.Image, *, case_id: str = "", group: str = "") -> CaseProfile:
    """Tries every candidate window on a case, by the steps of the adaptive method itself.

    Args:
        scan: The CT.
        roi: The region of interest on its grid.
        reference: Above zero in the bleed, on its grid.
        case_id: The case's name.
        group: Its type of hemorrhage.

    Raises:
        UsageError: The reference lies on another grid.
        ROIError: The ROI does, or holds no brain.
        SegmentationError: No brain is found in the scan.

    Example:
        >>> profile = profile_case(scan, roi, reference)   # doctest: +SKIP
        >>> candidate_windows()[profile.dice.argmax()]     # doctest: +SKIP
        array([47., 82.])
    """
    require_same_grid(reference, scan.image, "reference", "scan")
    segmenter = AdaptiveThreshold()
    region = cut_region(segmenter.prepare(scan), roi, segmenter.parameters)
    sd = segmenter.choose(region).sd_hu
    bleed = reference > 0
    inside = crop(bleed, roi.index, roi.mask.GetSize())
    true_count = int(np.count_nonzero(sitk.GetArrayViewFromImage(bleed)))
    true = sitk.GetArrayFromImage(inside) > 0
    closing = segmenter.parameters.closing_diameter_voxels
    counts: list[tuple[int, int]] = []
    within = sitk.GetArrayFromImage(region.enhanced)[sitk.GetArrayFromImage(region.allowed) > 0]
    # Windows that reach beyond the densest voxel are all the same.
    densest = float(within.max())
    known: dict[tuple[float, float], tuple[int, int]] = {}
    for lower, upper in candidate_windows().tolist():
        window = lower, min(upper, densest)
        if window not in known:
            mask = closed_in_slices(region.between(lower, upper), region.allowed, closing)
            array = sitk.GetArrayViewFromImage(mask) > 0
            known[window] = int(np.count_nonzero(array)), int(np.count_nonzero(array & true))
        counts.append(known[window])
    found, both = np.array(counts).T
    total = found + true_count
    # Both empty counts 1, as in measure_overlap.
    dice = np.where(total > 0, 2 * both / np.maximum(total, 1), 1.0)
    volumes = voxels_to_ml(1, scan.image) * found
    return CaseProfile(case_id, group, sd, dice, volumes, voxels_to_ml(true_count, scan.image))
