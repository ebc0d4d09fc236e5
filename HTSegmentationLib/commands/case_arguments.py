"""The flags of every command that simulates a case, and the folder that it writes to."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from HTSegmentationLib.simulate.parameters import SimulationParameters


def add_case_flags(parser: argparse.ArgumentParser, seed_help: str = "another seed is another patient; default: 1") -> None:
    """Adds the flags that say what is simulated."""
    group = parser.add_argument_group("the simulated case")
    group.add_argument(
        "--type", choices=("HI2", "PH", "none"), default="PH", help="kind of hemorrhage; default: %(default)s"
    )
    group.add_argument("--volume", type=float, metavar="ML", help="hemorrhage volume in mL; the published mean if left out")
    group.add_argument("--seed", type=int, default=1, metavar="N", help=seed_help)
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
