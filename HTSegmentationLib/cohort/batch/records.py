"""The record of a case: everything that is known of it, and its row in the table of results."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from HTSegmentationLib.cohort.batch.columns import COMPARISON, GROWTH, OF_MASK, label_column
from HTSegmentationLib.cohort.batch.fingerprint import fingerprint
from HTSegmentationLib.cohort.manifest.case import ROI_SEPARATOR
from HTSegmentationLib.export.record import RECORD_FORMAT, remarks_of, result_record, versions
from HTSegmentationLib.remark import Remark

if TYPE_CHECKING:
    from HTSegmentationLib.cohort.batch.job import CaseJob
    from HTSegmentationLib.cohort.batch.segment_case import SegmentedCase

_DECIMALS = 6
"""Finer than one voxel's share of any measurement, and coarser than what adding up in another order changes."""

_OF_MASK = {"mean_hu": "mean_hu", "sd_hu_mask": "sd_hu", "largest_component_ml": "largest_component_ml"} | {
    "component_count": "component_count"
}
"""Columns of the mask alone, and what the measurements call them."""


def done_record(job: CaseJob, found: SegmentedCase, seconds: Mapping[str, float]) -> dict[str, Any]:
    """The record of a case whose mask is written.

    Args:
        job: The case.
        found: What was found.
        seconds: Wall time of each stage in s.
    """
    remarks = tuple(dict.fromkeys((*remarks_of(found.result, found.measurements[0]), *found.remarks)))
    record = result_record(found.scan, found.roi, found.result, found.measurements[0])
    mask = job.place.mask(job.case.case_id)
    labels = {
        label.name: {"value": label.value, "measurements": measured.as_dict(), "comparison": compared and compared.as_dict()}
        for label, measured, compared in zip(found.result.labels, found.measurements, found.comparisons, strict=True)
    }
    first = found.comparisons[0]
    return {
        **record,
        **_frame(job, "done", None, seconds),
        "inputs": dict(found.inputs),
        "mask": fingerprint(mask) | {"path": mask.relative_to(job.folder).as_posix()},
        "labels": labels,
        "comparison": first and first.as_dict(),
        "growth": dict(found.growth) or None,
        "remarks": [remark.as_dict() for remark in remarks],
        "row": _row(job, "done", "", _cells(found, record), remarks),
    }


def failed_record(
    job: CaseJob, reason: str, seconds: Mapping[str, float] | None = None, traced: str | None = None
) -> dict[str, Any]:
    """The record of a case that could not be done.

    Args:
        job: The case.
        reason: Why, in one line, without folders.
        seconds: Wall time of each stage in s, as far as it came.
        traced: Where an error that nobody expected was raised.
    """
    record = {
        "format": RECORD_FORMAT,
        "versions": versions(),
        **_frame(job, "failed", reason, seconds or {}),
        "inputs": _paths(job),
        "comparison": None,
        "row": _row(job, "failed", reason, {}, ()),
    }
    return record if traced is None else record | {"traceback": traced}


def manifest_cells(job: CaseJob) -> dict[str, Any]:
    """The cells of a row that come from the table of cases."""
    return {"ht_type": job.case.ht_type or None, **{name: text or None for name, text in job.extra.items()}}


def case_of(job: CaseJob) -> dict[str, Any]:
    """What the record keeps of the table of cases."""
    return {"case_id": job.case.case_id, "ht_type": job.case.ht_type, "columns": dict(job.case.extra)}


def without_folders(text: str, job: CaseJob) -> str:
    """A text on one line with the files as the table of cases has them, since results hold no absolute paths.

    Args:
        text: An error or a remark.
        job: The case that it is about.
    """
    case = job.case
    written = {
        str(path): _shown(path, text)
        for column, paths in (
            ("image", (case.image,)),
            ("reference", (case.reference,)),
            ("baseline", (case.baseline,)),
            ("roi", case.roi),
            ("baseline_roi", case.baseline_roi),
        )
        for path, text in zip(paths, case.written.get(column, "").split(ROI_SEPARATOR), strict=False)
        if path is not None
    }
    written[f"{Path(job.folder)}{os.sep}"] = ""
    written[str(Path(job.folder))] = "the output folder"
    for path in sorted(written, key=len, reverse=True):
        text = text.replace(path, written[path])
    return " ".join(text.split())


def _shown(path: Path, written: str) -> str:
    return path.name if not written.strip() or Path(written.strip()).is_absolute() else written.strip()


def _frame(job: CaseJob, status: str, error: str | None, seconds: Mapping[str, float]) -> dict[str, Any]:
    return {
        "case": case_of(job),
        "status": status,
        "error": error,
        "settings": dict(job.settings_record),
        "seconds": sum(seconds.values()),
        "stage_seconds": dict(seconds),
    }


def _paths(job: CaseJob) -> dict[str, Any]:
    """The inputs of a case that failed: where they are, since they may be what is wrong."""
    case = job.case
    single = {"image": case.image, "reference": case.reference, "baseline": case.baseline}
    return {
        **{name: None if path is None else {"path": str(path)} for name, path in single.items()},
        "roi": [{"path": str(path)} for path in case.roi],
        "baseline_roi": [{"path": str(path)} for path in case.baseline_roi],
    }


def _row(job: CaseJob, status: str, error: str, cells: Mapping[str, Any], remarks: Iterable[Remark]) -> dict[str, Any]:
    row = {"case_id": job.case.case_id, "status": status, "error": error, **manifest_cells(job)}
    row |= {"method": job.settings_record["method"], **{name: _plain(cell) for name, cell in cells.items()}}
    if status == "done":
        row["mask"] = job.place.mask(job.case.case_id).relative_to(job.folder).as_posix()
        row["remark_codes"] = " ".join(dict.fromkeys(remark.code for remark in remarks))
        row["remarks"] = without_folders(" ".join(remark.text for remark in remarks), job)
    return row


def _cells(found: SegmentedCase, record: Mapping[str, Any]) -> dict[str, Any]:
    cells: dict[str, Any] = {}
    everything = zip(found.result.labels, found.measurements, found.comparisons, strict=True)
    for number, (label, measured, compared) in enumerate(everything):
        of_label = {"volume_ml": measured.volume_ml, "abc2_ml": measured.abc2_ml}
        of_label = dict.fromkeys(COMPARISON) | of_label | (compared.as_dict() if compared else {})
        of_label |= {column: getattr(measured, _OF_MASK[column]) for column in OF_MASK}
        cells |= {column if number == 0 else label_column(column, label.name): cell for column, cell in of_label.items()}
    cells["uncertainty_ml"] = found.result.uncertainty_ml
    if found.result.confidence is not None:
        cells["confidence"] = found.result.confidence.value
        cells["confidence_reason"] = found.result.confidence.reason
    cells["brain_volume_ml"] = found.result.brain_volume_ml
    cells["roi_volume_ml"] = found.roi.volume_ml if found.roi else None
    cells |= _rule(record["details"])
    return cells | {column: found.growth.get(column) for column in GROWTH if found.growth}


def _rule(details: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a threshold's window; a network has none."""
    window = details.get("threshold_hu") or (None, None)
    cells = {"threshold_lower_hu": window[0], "threshold_upper_hu": window[1]}
    if "first_mask_voxels" in details:
        cells |= {"first_mask_voxels": details["first_mask_voxels"], "first_mask_mean_hu": details["mean_hu"]}
        cells |= {"first_mask_sd_hu": details["sd_hu"], "rule_number": details["rule_number"] + 1}
    return cells


def _plain(cell: Any) -> Any:
    """A cell as JSON and CSV have it; fractions rounded, what is no number left empty."""
    if not isinstance(cell, float):
        return cell
    return round(float(cell), _DECIMALS) + 0.0 if math.isfinite(cell) else None
