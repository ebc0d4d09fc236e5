"""One case read, segmented, measured, and compared with its reference and its baseline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.cohort.batch.fingerprint import fingerprint
from HTSegmentationLib.cohort.batch.settings import BatchSettings
from HTSegmentationLib.cohort.manifest.case import Case
from HTSegmentationLib.ct.read import read_ct
from HTSegmentationLib.ct.scan import CTScan
from HTSegmentationLib.errors import InputError
from HTSegmentationLib.measure.comparison import MaskComparison, compare_masks
from HTSegmentationLib.measure.mask import MaskMeasurements, measure_mask, require_same_grid
from HTSegmentationLib.methods import method
from HTSegmentationLib.progress import StageClock
from HTSegmentationLib.remark import Remark, Severity
from HTSegmentationLib.roi import Roi, read_labels, read_roi
from HTSegmentationLib.segmenter import Label, PreparedScan, SegmentationResult, Segmenter
from HTSegmentationLib.suggest import segment_automatically


@dataclass(frozen=True)
class SegmentedCase:
    """What was found in a case.

    Args:
        scan: Its scan.
        roi: Its region of interest; None where the method did without.
        result: What the method found.
        measurements: Those of each label of the result, in its order.
        reference: What was compared with, label values on the scan's grid; None without a reference.
        comparisons: Those of each label; None where the reference does not hold it.
        growth: Columns of the growth since the baseline; empty without a baseline.
        remarks: What must be said besides the remarks of result and measurements.
        inputs: Fingerprints of all files, by column.
    """

    scan: CTScan
    roi: Roi | None
    result: SegmentationResult
    measurements: tuple[MaskMeasurements, ...]
    reference: sitk.Image | None
    comparisons: tuple[MaskComparison | None, ...]
    growth: Mapping[str, Any]
    remarks: tuple[Remark, ...]
    inputs: Mapping[str, Any]

    def caption(self) -> str:
        """The main figures in words, for the picture."""
        text = f"{self.measurements[0].volume_ml:.2f} mL"
        first = self.comparisons[0]
        return text if first is None else f"{text}, reference {first.reference_volume_ml:.2f} mL, Dice {first.dice:.2f}"


def segment_case(case: Case, segmenter: Segmenter, settings: BatchSettings, clock: StageClock) -> SegmentedCase:
    """Reads a case, segments it, and measures and compares all that there is to it.

    Args:
        case: The case.
        segmenter: The method.
        settings: How scans are read.
        clock: Measures the stages.

    Raises:
        HTSegError: A file cannot be used, lies on another grid, or the method cannot work on the scan.
    """
    with clock.stage("fingerprints", 0.0):
        inputs = inputs_of(case)
    earlier = None
    if case.baseline is not None:
        with clock.stage("baseline", 0.05):
            before = replace(case, image=case.baseline, roi=case.baseline_roi, series=None)
            earlier = _segmented(before, segmenter, settings, StageClock())
    scan, roi, prepared, result = _segmented(case, segmenter, settings, clock)
    clock.seconds.update(result.stage_seconds)
    with clock.stage("measuring", 0.8):
        measurements = tuple(measure_mask(result.mask, scan.image, label.value) for label in result.labels)
    remarks: list[Remark] = []
    reference, comparisons = None, (None,) * len(result.labels)
    if case.reference is not None:
        with clock.stage("comparing", 0.85):
            reference, said = _reference(case.reference, scan, result.labels)
            comparisons = _compared(result, reference, _domain(case, roi, scan, settings), prepared)
            remarks += [*said, *_apart(comparisons[0])]
    growth: Mapping[str, Any] = {}
    if earlier is not None:
        with clock.stage("growth", 0.87):
            from HTSegmentationLib.cohort.growth import compare_scans

            found = compare_scans(earlier[0], earlier[3].mask, scan, result.mask, label=result.labels[0].value)
            growth = found.as_dict()
            remarks += found.remarks
    return SegmentedCase(
        scan, roi, result, measurements, reference, comparisons, growth, tuple(dict.fromkeys(remarks)), inputs
    )


def inputs_of(case: Case) -> dict[str, Any]:
    """Fingerprints of a case's files, by column.

    Raises:
        InputError: One cannot be read.
    """
    return {
        "image": fingerprint(case.image),
        "series": case.series,
        "roi": [fingerprint(path) for path in case.roi],
        "reference": None if case.reference is None else fingerprint(case.reference),
        "baseline": None if case.baseline is None else fingerprint(case.baseline),
        "baseline_roi": [fingerprint(path) for path in case.baseline_roi],
    }


def _segmented(
    case: Case, segmenter: Segmenter, settings: BatchSettings, clock: StageClock
) -> tuple[CTScan, Roi | None, PreparedScan, SegmentationResult]:
    with clock.stage("reading", 0.1):
        scan = read_ct(case.image, series=case.series, assume_hu=settings.assume_hu, hu_offset=settings.hu_offset)
        roi = read_roi(case.roi, scan.image) if case.roi and not settings.automatic_roi else None
    prepared = segmenter.prepare(scan)
    if settings.automatic_roi:
        found = segment_automatically(segmenter, prepared, labels=method(settings.method).labels)
        return scan, found.roi, prepared, found.result
    return scan, roi, prepared, segmenter.segment(prepared, roi)


def _domain(case: Case, roi: Roi | None, scan: CTScan, settings: BatchSettings) -> Roi | None:
    """Where sensitivity and specificity are counted: a region that was found by the program would be judged by itself."""
    if not settings.automatic_roi:
        return roi
    return read_roi(case.roi, scan.image) if case.roi else None


def _reference(path: Path, scan: CTScan, labels: tuple[Label, ...]) -> tuple[sitk.Image, tuple[Remark, ...]]:
    """The reference with the values of the method's labels; a single value that is none of them is the first label's."""
    image, remarks = read_labels(path)
    require_same_grid(image, scan.image, "reference", "scan")
    found = set(np.flatnonzero(np.bincount(sitk.GetArrayViewFromImage(image).ravel())).tolist()) - {0}
    known = {label.value for label in labels}
    stray = len(found) == 1 and not found <= known
    if stray and len(labels) > 1:
        text = f"The reference's one value, {min(found)}, is no label of the method; taken for {labels[0].name}."
        remarks = (*remarks, Remark("reference-one-value", text))
    if stray or len(labels) == 1:
        return sitk.Cast(image > 0, sitk.sitkUInt8) * labels[0].value, remarks
    if found - known:
        named = ", ".join(f"{label.value} {label.name}" for label in labels)
        values = ", ".join(map(str, sorted(found - known)))
        raise InputError(path, f"it holds the values {values}, which are no labels of the method", f"use {named}")
    return image, remarks


def _compared(
    result: SegmentationResult, reference: sitk.Image, roi: Roi | None, prepared: PreparedScan
) -> tuple[MaskComparison | None, ...]:
    """The comparison of each label; of further labels only if the reference holds any of them."""
    view = sitk.GetArrayViewFromImage(reference)
    first, *further = result.labels
    wanted = [first, *(further if np.isin(view, [label.value for label in further]).any() else [])]
    return tuple(
        compare_masks(
            result.mask,
            reference,
            label=label.value,
            roi=roi,
            brain=prepared.brain_mask,
            probability=result.probability if label is first else None,
        )
        if label in wanted
        else None
        for label in result.labels
    )


def _apart(comparison: MaskComparison | None) -> list[Remark]:
    if comparison is None or comparison.dice > 0 or not (comparison.volume_ml and comparison.reference_volume_ml):
        return []
    text = (
        "Mask and reference do not touch anywhere: the reference may be another patient's, the ROI may lie elsewhere, or "
        "the bleed was missed."
    )
    return [Remark("reference-apart", text, Severity.WARNING)]
