"""The files that a simulated case becomes."""

from __future__ import annotations

from pathlib import Path

from HTSegmentationLib.export.image_files import write_image
from HTSegmentationLib.export.mask_files import write_mask
from HTSegmentationLib.segmenter import HEMORRHAGE
from HTSegmentationLib.simulate.case import SimulatedCase


def write_case(case: SimulatedCase, folder: Path) -> dict[str, str]:
    """Writes scan, truth, infarct and ROI as NIfTI.

    Args:
        case: The simulated case.
        folder: A folder that is there.

    Returns:
        What each file is (ct, truth, infarct and, with a hemorrhage, roi), and its path.

    Raises:
        OutputError: A file cannot be written.

    Example:
        >>> write_case(simulate_head(SimulationParameters(seed=1)), Path("case"))["ct"]   # doctest: +SKIP
        'case/ct.nii.gz'
    """
    files = {"ct": folder / "ct.nii.gz", "truth": folder / "truth.nii.gz", "infarct": folder / "infarct.nii.gz"}
    write_image(files["ct"], case.scan.image)
    write_mask(files["truth"], case.hemorrhage, (HEMORRHAGE,))
    write_image(files["infarct"], case.infarct)
    if case.roi is not None:
        files["roi"] = folder / "roi.nii.gz"
        write_image(files["roi"], case.roi.on_grid(case.scan.image))
    return {name: str(path) for name, path in files.items()}
