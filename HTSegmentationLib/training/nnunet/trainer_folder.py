"""The folder of the trainers, as nnU-Net is told of it."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

_VARIABLE = "nnUNet_extTrainer"
"""Where nnU-Net (2.8 and later) looks for trainers that are not its own."""

TRAINERS = {
    "nnUNetTrainerDiceCE": "Dice and cross-entropy, nnU-Net's own loss",
    "nnUNetTrainerFocal": "focal loss",
    "nnUNetTrainerTversky": "Tversky loss",
    "nnUNetTrainerFocalTversky": "focal Tversky loss",
    "nnUNetTrainerDiceTopK": "Dice and cross-entropy of the worst 10% of the voxels",
}
"""The trainers and their losses."""


def trainer_folder() -> Path:
    """The folder that nnU-Net is to look into.

    Example:
        >>> trainer_folder().name
        'trainers'
    """
    return Path(__file__).absolute().parent / "trainers"


def shell_line(*, windows: bool = os.name == "nt") -> str:
    """The line that tells nnU-Net of the trainers, for sh or for PowerShell; folders that are named already are kept."""
    before = os.environ.get(_VARIABLE, "")
    places = list(dict.fromkeys([str(trainer_folder()), *(part for part in before.split(os.pathsep) if part.strip())]))
    text = os.pathsep.join(places)
    if windows:
        quoted = text.replace("'", "''")
        return f"$env:{_VARIABLE} = '{quoted}'"
    return f"export {_VARIABLE}={shlex.quote(text)}"
