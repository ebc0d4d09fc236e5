"""The files that a simulated case becomes."""

from __future__ import annotations

from pathlib import Path

from HTSegmentationLib.export.image_files import write_image
from HTSegmentationLib.export.mask_files import write_mask
from HTSegmentationLib.roi import Roi
from HTSegmentationLib.segmenter import HEMORRHAGE
from HTSegmentationLib.simulate.case import SimulatedCase

CT, TRUTH, LABELS, INFARCT, ROI = "ct.nii.gz", "truth.nii.gz", "labels.nii.gz", "infarct.nii.gz", "roi.nii.gz"
"""The files' names."""


def write_case(case: SimulatedCase, folder: Path, roi: Roi | None = None) -> dict[str, str]:
    """Writes scan, truth, labels by class, infarct and ROI as NIfTI.

    Args:
        case: The simulated case.
        folder: A folder that is there.
        roi: An ROI for a case that has none.

    Returns:
        What each file is (ct, truth, labels, infarct and, with a hemorrhage, roi), and its path.

    Raises:
        OutputError: A file cannot be written.

    Example:
        >>> write_case(simulate_head(SimulationParameters(seed=1)), Path("case"))["ct"]   # doctest: +SKIP
        'case/ct.nii.gz'
    """
    files = {"ct": folder / CT, "truth": folder / TRUTH, "labels": folder / LABELS, "infarct": folder / INFARCT}
    write_image(files["ct"], case.scan.image)
    write_mask(files["truth"], case.hemorrhage, (HEMORRHAGE,))
    write_image(files["labels"], case.labels)
    write_image(files["infarct"], case.infarct)
    roi = case.roi if case.roi is not None else roi
    if roi is not None:
        files["roi"] = folder / ROI
        write_image(files["roi"], roi.on_grid(case.scan.image))
    return {name: str(path) for name, path in files.items()}
