"""One case compared with its reference from files: a row of results.csv."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import SimpleITK as sitk

from HTSegmentationLib.cohort.evaluation.metrics import of_label
from HTSegmentationLib.cohort.evaluation.results import CaseFiles
from HTSegmentationLib.errors import HTSegError
from HTSegmentationLib.measure.comparison import compare_masks
from HTSegmentationLib.measure.mask import measure_mask, require_same_grid
from HTSegmentationLib.remark import Remark, Severity
from HTSegmentationLib.roi import Roi, read_labels, read_roi

_MEASUREMENTS = {
    "mean_hu": "mean_hu",
    "sd_hu": "sd_hu_mask",
    "largest_component_ml": "largest_component_ml",
    "component_count": "component_count",
}
"""Measurements of the mask alone and their columns."""

_DECIMALS = 6
"""Decimals of a cell, as in every table of results."""


@dataclass(frozen=True)
class MaskCase:
    """What one comparison needs; it goes from process to process.

    Args:
        case_id: The case.
        files: Its files; the mask must be there, without a reference only the mask is measured.
        labels: Names and values of the labels; empty to count everything above 0 as one.
        columns: Further cells of the row.
    """

    case_id: str
    files: CaseFiles
    labels: tuple[tuple[str, int], ...] = ()
    columns: tuple[tuple[str, str], ...] = ()


def compare_case(case: MaskCase) -> dict[str, Any]:
    """The row of one case; what goes wrong with its files is its error.

    Returns:
        Cells by column as in results.csv; those that are not defined are None or left out.
    """
    row: dict[str, Any] = {"case_id": case.case_id, "status": "done", "error": "", **dict(case.columns)}
    try:
        return {**row, **{column: _rounded(cell) for column, cell in _measured(case).items()}}
    except HTSegError as error:
        reason = str(error)
    except (MemoryError, RuntimeError, OSError) as error:
        reason = " ".join(f"unexpected {type(error).__name__}: {error}".split())
    return {**row, "status": "failed", "error": _without_folders(reason, case.files)}


def read_binary(path: Path, labels: tuple[tuple[str, int], ...] = ()) -> sitk.Image:
    """The voxels of a mask file that count: those of the first label, or all above 0.

    Raises:
        InputError: The file cannot be read as a mask.
    """
    image, _ = read_labels(path)
    return sitk.Cast(image == labels[0][1] if labels else image > 0, sitk.sitkUInt8)


def _measured(case: MaskCase) -> dict[str, Any]:
    files = case.files
    found, remarks = read_labels(files.mask)
    reference, more = read_labels(files.reference) if files.reference else (None, ())
    if reference is not None:
        require_same_grid(found, reference, "mask", "reference")
    roi = read_roi(files.roi, found) if files.roi else None
    image, doubts = _image(files, found)
    row: dict[str, Any] = {}
    for name, value in case.labels or (("", 0),):
        mask, true = (_voxels(labels, value) for labels in (found, reference))
        further = "" if not row else name
        row |= {of_label(column, further): cell for column, cell in _cells(mask, true, roi, image).items()}
    said = (*remarks, *more, *(roi.remarks if roi else ()), *doubts)
    row |= {"roi_volume_ml": roi.volume_ml if roi else None, "remark_codes": " ".join(dict.fromkeys(r.code for r in said))}
    return {**row, "remarks": _without_folders(" ".join(dict.fromkeys(r.text for r in said)), files)}


def _rounded(cell: Any) -> Any:
    return round(cell, _DECIMALS) if isinstance(cell, float) else cell


def _voxels(labels: sitk.Image | None, value: int) -> sitk.Image | None:
    if labels is None:
        return None
    return sitk.Cast(labels == value if value else labels > 0, sitk.sitkUInt8)


def _cells(mask: sitk.Image, reference: sitk.Image | None, roi: Roi | None, image: sitk.Image | None) -> dict[str, Any]:
    of_mask = measure_mask(mask, image)
    cells: dict[str, Any] = {"volume_ml": of_mask.volume_ml}
    if reference is not None:
        cells |= compare_masks(mask, reference, roi=roi).as_dict()
    return cells | {"abc2_ml": of_mask.abc2_ml} | {column: getattr(of_mask, name) for name, column in _MEASUREMENTS.items()}


def _image(files: CaseFiles, mask: sitk.Image) -> tuple[sitk.Image | None, tuple[Remark, ...]]:
    """The scan on the mask's grid; one that cannot be used leaves out the HU alone, and that is said."""
    if files.image is None:
        return None, ()
    try:
        scan = files.read_image()
        require_same_grid(mask, scan.image, "mask", "scan")
    except HTSegError as error:
        return None, (Remark("image-not-used", f"No HU were measured: {error}.", Severity.CAUTION),)
    return scan.image, ()


def _without_folders(text: str, files: CaseFiles) -> str:
    """The text with the names of files without their folders, which may tell more than a table should."""
    for path in (files.image, files.mask, files.reference, *files.roi):
        if path is not None:
            text = text.replace(str(path), path.name)
    return text
