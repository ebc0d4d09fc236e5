"""The class that trained a model, which knows how its network is built."""

from __future__ import annotations

import importlib
import os
import re
from pathlib import Path
from typing import Any

from HTSegmentationLib.errors import InputError

OWN_LOSSES = ("DiceCE", "Focal", "Tversky", "FocalTversky", "DiceTopK")
"""The losses of this project's trainers, which are parts of their names."""

_OWN_TRAINER = re.compile(rf"nnUNetTrainer({'|'.join(OWN_LOSSES)})(_[1-9]\d{{0,4}}epochs)?")
"""They differ from nnU-Net's trainer in the loss and the number of epochs alone; the network is the one that it builds."""


def find_trainer(name: str, folder: Path) -> Any:
    """The trainer of that name: nnU-Net's own, one in the folders of ``nnUNet_extTrainer``, or one of this project's.

    nnU-Net's own search imports all of its trainers, some of which need packages that are not there or do not fit the
    installed PyTorch; this one looks into the files and imports the one that defines the class. Nothing of the model's own
    folder is imported.

    Args:
        name: The class's name.
        folder: The trained model's folder, for messages.

    Raises:
        InputError: There is no such trainer.
    """
    import nnunetv2.training.nnUNetTrainer as trainers
    from nnunetv2.paths import nnUNet_extTrainer
    from nnunetv2.utilities.find_class_by_name import recursive_find_python_class

    for root in map(Path, trainers.__path__):
        file = _defining_file(root, name)
        if file is not None:
            dotted = ".".join((trainers.__name__, *file.relative_to(root).with_suffix("").parts))
            return getattr(importlib.import_module(dotted), name)
    for place in (nnUNet_extTrainer.get() or "").split(os.pathsep):
        if place.strip() and _defining_file(Path(place), name) is not None:
            return recursive_find_python_class(place, name, None, base_folder=place, cleanup_imports_from_base_folder=True)
    if _OWN_TRAINER.fullmatch(name):
        return importlib.import_module(f"{trainers.__name__}.nnUNetTrainer").nnUNetTrainer
    advice = "name the folder that holds it in the environment variable nnUNet_extTrainer"
    raise InputError(folder, f"it was trained by {name}, which nnU-Net does not have", advice)


def _defining_file(root: Path, name: str) -> Path | None:
    defines = re.compile(rf"^class {re.escape(name)}\b", re.MULTILINE)
    for file in sorted(root.rglob("*.py")):
        if defines.search(file.read_text(encoding="utf-8", errors="replace")):
            return file
    return None
