"""The flags of every command that simulates a case, and the files that a case becomes."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from HTSegmentationLib.simulate.case import SimulatedCase
    from HTSegmentationLib.simulate.parameters import SimulationParameters


def add_case_flags(parser: argparse.ArgumentParser) -> None:
    """Adds the flags that say what is simulated."""
    group = parser.add_argument_group("the simulated case")
    group.add_argument(
        "--type", choices=("HI2", "PH", "none"), default="PH", help="kind of hemorrhage; default: %(default)s"
    )
    group.add_argument("--volume", type=float, metavar="ML", help="hemorrhage volume in mL; the published mean if left out")
    group.add_argument(
        "--seed", type=int, default=1, metavar="N", help="another seed is another patient; default: %(default)s"
    )
    group.add_argument("--side", choices=("left", "right"), default="left", help="hemisphere; default: %(default)s")
    group.add_argument(
        "--slice-thickness", type=float, default=5.0, metavar="MM", help="thickness and distance of slices; default: 5"
    )
    group.add_argument("--noise", type=float, metavar="HU", help="SD of the noise in white matter")
    group.add_argument("--touching-skull", action="store_true", help="the bleed lies against the skull")


def case_parameters(options: argparse.Namespace) -> SimulationParameters:
    """What the flags ask for.

    Raises:
        ParameterError: A value is out of its range.
    """
    from HTSegmentationLib.simulate.parameters import HemorrhageType, Side, SimulationParameters

    return SimulationParameters(
        seed=options.seed,
        hemorrhage_type=HemorrhageType(options.type),
        volume_ml=options.volume,
        side=Side(options.side),
        slice_thickness_mm=options.slice_thickness,
        noise_sd_hu=options.noise,
        touching_skull=options.touching_skull,
    )


def made_folder(name: str) -> Path:
    """The folder, made if it is not there.

    Raises:
        OutputError: It cannot be made, or is a file.
    """
    from HTSegmentationLib.errors import OutputError

    folder = Path(name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(folder, (error.strerror or str(error)).lower(), "choose another folder") from error
    return folder


def write_case(case: SimulatedCase, folder: Path) -> dict[str, str]:
    """Writes scan, truth, infarct and ROI as NIfTI.

    Returns:
        What each file is, and its path.
    """
    from HTSegmentationLib.export.image_files import write_image
    from HTSegmentationLib.export.mask_files import write_mask
    from HTSegmentationLib.segmenter import HEMORRHAGE

    files = {"ct": folder / "ct.nii.gz", "truth": folder / "truth.nii.gz", "infarct": folder / "infarct.nii.gz"}
    write_image(files["ct"], case.scan.image)
    write_mask(files["truth"], case.hemorrhage, (HEMORRHAGE,))
    write_image(files["infarct"], case.infarct)
    if case.roi is not None:
        files["roi"] = folder / "roi.nii.gz"
        write_image(files["roi"], case.roi.on_grid(case.scan.image))
    return {name: str(path) for name, path in files.items()}
