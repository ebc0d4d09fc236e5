"""What nnU-Net trained, as a model folder of ours."""

from __future__ import annotations

import importlib.util
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from HTSegmentationLib.errors import InputError, UsageError
from HTSegmentationLib.files import write_json
from HTSegmentationLib.inference.models.description import ModelDescription, WeightsFile
from HTSegmentationLib.inference.models.fields import quoted
from HTSegmentationLib.inference.models.findings import is_hemorrhage, label_of
from HTSegmentationLib.inference.models.folder import MODEL_FILE, Model, read_json
from HTSegmentationLib.inference.models.inference_description import InferenceDescription
from HTSegmentationLib.inference.models.nnunet_description import NNUNET_FOLDER, NnUNetDescription
from HTSegmentationLib.inference.models.pickles import load_pickle
from HTSegmentationLib.inference.models.weights import require_tensors, sha256_of
from HTSegmentationLib.progress import Progress, silent
from HTSegmentationLib.remark import Remark
from HTSegmentationLib.segmenter import Label

_CHECKPOINTS = ("checkpoint_final.pth", "checkpoint_best.pth")
"""nnU-Net's weights; those of the end are taken where there are any."""

_FOLD = r"fold_(all|\d{1,2})"
"""Names of the folders of folds."""

_FILES = ("dataset.json", "plans.json", "dataset_fingerprint.json")
"""What nnU-Net keeps beside the folds; the last one is not needed to predict."""

_ADVICE = "give the folder Dataset.../Trainer__Plans__Configuration that nnU-Net trained, or its exported zip"
"""What to give to ``install``."""


def nnunet_folders(root: Path) -> list[Path]:
    """The folders of trained nnU-Net models in a folder: itself, or two levels below it, as in an exported zip."""
    found = [path.parent for pattern in ("", "*/", "*/*/") for path in root.glob(f"{pattern}plans.json")]
    return sorted(folder for folder in found if (folder / "dataset.json").is_file() and any(folder.glob("fold_*/*.pth")))


def write_nnunet(source: Path, target: Path, *, name: str | None = None, progress: Progress = silent) -> None:
    """Makes a model folder of a folder that nnU-Net trained: its JSON files and one checkpoint of each fold.

    Args:
        source: ``Dataset.../Trainer__Plans__Configuration``.
        target: An empty folder, which becomes the model folder.
        name: The model's name; None for that of the data set and the configuration.
        progress: Told of each fold.

    Raises:
        InputError: A file is missing or damaged, holds more than tensors and plain values, or the model is of a kind that
            cannot be run on one CT.
        MissingPackageError: torch, which reads the checkpoints, is not installed.
    """
    dataset, plans = read_json(source / "dataset.json"), read_json(source / "plans.json")
    channels = dataset.get("channel_names", dataset.get("modality")) if isinstance(dataset, dict) else None
    if not isinstance(channels, dict) or len(channels) != 1:
        raise InputError(source / "dataset.json", f"its channels are {quoted(channels)}", "give a model of one CT channel")
    checkpoint, folds = _folds(source)
    own = target / NNUNET_FOLDER
    own.mkdir()
    for file in _FILES:
        if (source / file).is_file():
            shutil.copyfile(source / file, own / file)
    weights, stories = [], []
    for number, fold in enumerate(folds):
        progress("reading weights", number / len(folds))
        path = own / f"fold_{fold}" / checkpoint
        path.parent.mkdir()
        shutil.copyfile(source / f"fold_{fold}" / checkpoint, path)
        stories.append(_story(path))
        weights.append(WeightsFile(path.relative_to(target).as_posix(), sha256_of(path)))
    if len(set(stories)) != 1:
        raise InputError(source, "its folds are of different trainers or configurations", _ADVICE)
    trainer, configuration = stories[0]
    _require_configuration(source / "plans.json", plans, configuration)
    data_name = str(plans.get("dataset_name") or source.parent.name)
    description = ModelDescription(
        name=name or _model_name(f"{data_name}-{configuration}"),
        title=f"nnU-Net {data_name} {configuration}",
        kind="nnunet",
        labels=nnunet_labels(dataset, source / "dataset.json"),
        nnunet=NnUNetDescription(NNUNET_FOLDER, folds, checkpoint, trainer, _text(plans, "plans_name"), configuration),
        inference=InferenceDescription(mirroring=True),
        weights=tuple(weights),
        training={"cases": dataset.get("numTraining"), "dataset": data_name},
        licence=_text(dataset, "licence"),
        citation=_text(dataset, "reference"),
        warning="How well it works on your scans is not known; compare it with masks drawn by hand first.",
    )
    write_json(target / MODEL_FILE, description.as_dict())


def nnunet_labels(dataset: Mapping[str, Any], file: Path) -> tuple[Label, ...]:
    """The labels of a ``dataset.json`` without background and ignored voxels, the kinds of bleeding first.

    With regions, nnU-Net writes for each region the value that ``regions_class_order`` gives it.

    Raises:
        InputError: The labels are not as nnU-Net writes them.
    """
    named = dataset.get("labels")
    advice = "correct labels as in nnU-Net's documentation: names with their values, background 0"
    if not isinstance(named, dict) or named.get("background") != 0:
        raise InputError(file, f"its labels are {quoted(named)}", advice)
    rest = {name: value for name, value in named.items() if name not in ("background", "ignore")}
    if any(isinstance(value, list) for value in rest.values()):
        order = dataset.get("regions_class_order")
        if not isinstance(order, list) or len(order) != len(rest):
            raise InputError(
                file, f"regions_class_order is {quoted(order)}", f"give one value for each of {len(rest)} regions"
            )
        rest = dict(zip(rest, order, strict=True))
    if sorted(map(str, rest.values())) != sorted(map(str, range(1, len(rest) + 1))) or not rest:
        raise InputError(file, f"its labels have the values {quoted(list(rest.values()))}", advice)
    labels = [label_of(int(value), name) for name, value in rest.items()]
    return tuple(sorted(labels, key=lambda label: (not is_hemorrhage(label), label.value)))


def verify_nnunet(model: Model) -> tuple[Remark, ...]:
    """Checks an nnU-Net model whose files are those that were installed: are all its parts there, and is it of one piece.

    Raises:
        InputError: Something is wrong.
    """
    description = model.description
    nnunet = description.nnunet
    own = model.folder / nnunet.folder
    wanted = {f"{nnunet.folder}/fold_{fold}/{nnunet.checkpoint}" for fold in nnunet.folds}
    if wanted != {entry.file for entry in description.weights}:
        problem = f"weights does not name the checkpoints of the folds {', '.join(map(str, nnunet.folds))}"
        raise InputError(model.folder / MODEL_FILE, problem, "install the model again")
    labels = nnunet_labels(read_json(own / "dataset.json"), own / "dataset.json")
    if {label.value for label in labels} != {label.value for label in description.labels}:
        raise InputError(model.folder / MODEL_FILE, "its labels are not those of dataset.json", "make both the same")
    _require_configuration(own / "plans.json", read_json(own / "plans.json"), nnunet.configuration)
    if importlib.util.find_spec("torch") is None:
        text = "Whether the checkpoints hold nothing but weights could not be checked, since torch is not installed."
        return (Remark("architecture-unchecked", text),)
    for path in model.weight_paths:
        if _story(path) != (nnunet.trainer, nnunet.configuration):
            raise InputError(path, f"it is not of {nnunet.trainer}, {nnunet.configuration}", "install the model again")
    return ()


def load_nnunet_checkpoint(path: str | Path) -> dict[str, Any]:
    """Reads a checkpoint of nnU-Net's without running anything that is in it.

    Raises:
        InputError: It holds more than tensors and plain values, or is no checkpoint of nnU-Net's.
    """
    checkpoint = load_pickle(path, numpy_scalars=True)
    if not isinstance(checkpoint, dict) or not {"network_weights", "trainer_name", "init_args"} <= set(checkpoint):
        raise InputError(path, "it is no checkpoint of nnU-Net's version 2", _ADVICE)
    require_tensors(checkpoint["network_weights"], path)
    return checkpoint


def _story(path: Path) -> tuple[str, str]:
    """Trainer and configuration of a checkpoint."""
    checkpoint = load_nnunet_checkpoint(path)
    arguments = checkpoint["init_args"]
    return str(checkpoint["trainer_name"]), str(arguments.get("configuration") if isinstance(arguments, dict) else "")


def _folds(source: Path) -> tuple[str, tuple[int | str, ...]]:
    """The checkpoint's name and the folds that have it; a model trained on all data counts only where it is alone."""
    for checkpoint in _CHECKPOINTS:
        found = [re.fullmatch(_FOLD, path.parent.name) for path in source.glob(f"fold_*/{checkpoint}")]
        names = [match[1] for match in found if match]
        numbers = sorted(int(name) for name in names if name != "all")
        if names:
            return checkpoint, tuple(numbers) or ("all",)
    raise InputError(source, f"it has no fold with {' or '.join(_CHECKPOINTS)}", _ADVICE)


def _require_configuration(file: Path, plans: Any, name: str) -> None:
    """Checks that the plans hold a configuration that needs no other model's masks."""
    configurations = plans.get("configurations") if isinstance(plans, dict) else None
    own = configurations.get(name) if isinstance(configurations, dict) else None
    if not isinstance(own, dict):
        raise InputError(file, f"it has no configuration {quoted(name)}", _ADVICE)
    if own.get("previous_stage"):
        problem = f"{name} is the second stage of a cascade, which needs the masks of the first"
        raise InputError(file, problem, "give a model of 2d, 3d_fullres or 3d_lowres")


def _text(values: Mapping[str, Any], key: str) -> str:
    value = values.get(key, "")
    return value if isinstance(value, str) else ""


def _model_name(text: str) -> str:
    name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:64].strip("-")
    if not name:
        raise UsageError(f"no name can be made of {text!r}; give one by --name")
    return name
