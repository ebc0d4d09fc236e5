"""The flags of every command that simulates a case, and the folder that it writes to."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from HTSegmentationLib.simulate.parameters import SimulationParameters

_SLICE_MM = 5.0
"""Slice thickness of who does not choose."""


def add_case_flags(parser: argparse.ArgumentParser, seed_help: str = "another seed is another patient; default: 1") -> None:
    """Adds the flags that say what is simulated."""
    group = parser.add_argument_group("the simulated case")
    types = ("HI1", "HI2", "PH1", "PH2", "PH", "none")
    group.add_argument("--type", choices=types, default="PH", help="kind of hemorrhage; default: %(default)s")
    group.add_argument("--volume", type=float, metavar="ML", help="hemorrhage volume in mL; the type's mean if left out")
    group.add_argument("--seed", type=int, default=1, metavar="N", help=seed_help)
    group.add_argument("--side", choices=("left", "right"), default="left", help="hemisphere; default: %(default)s")
    group.add_argument(
        "--slice-thickness", type=float, metavar="MM", help=f"thickness and distance of slices; default: {_SLICE_MM:g}"
    )
    group.add_argument("--noise", type=float, metavar="HU", help="SD of the noise in white matter")
    group.add_argument("--touching-skull", action="store_true", help="the bleed lies against the skull")
    group = parser.add_argument_group("what makes the case hard", "Strengths go from 0 (without) to 1.")
    group.add_argument(
        "--edema", nargs="?", type=float, const=True, default=False, metavar="MM", help="perihematomal edema, and how wide"
    )
    group.add_argument("--ivh", type=float, default=0.0, metavar="ML", help="blood in the ventricles besides the hemorrhage")
    group.add_argument("--calcification", action="store_true", help="calcium in the basal ganglia and near the lesion")
    group.add_argument(
        "--staining", type=float, default=0.0, metavar="S", help="contrast agent in the infarct, dense as blood"
    )
    group.add_argument("--streaks", type=float, default=0.0, metavar="S", help="streaks of metal and beam hardening")
    group.add_argument("--motion", type=float, default=0.0, metavar="S", help="slices doubled by motion")
    group.add_argument("--roi-margin", type=float, metavar="MM", help="how far off the blood the ROI is drawn; 5 to 10 mm")


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
        slice_thickness_mm=_SLICE_MM if options.slice_thickness is None else options.slice_thickness,
        noise_sd_hu=options.noise,
        touching_skull=options.touching_skull,
        edema=options.edema,
        intraventricular_ml=options.ivh,
        calcification=options.calcification,
        contrast_staining=options.staining,
        streaks=options.streaks,
        motion=options.motion,
        roi_margin_mm=options.roi_margin,
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
