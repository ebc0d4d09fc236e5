"""What nnU-Net left in a trained model's folder, read without running anything that is in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from HTSegmentationLib.errors import InputError, ParameterError
from HTSegmentationLib.inference.models.folder import read_json
from HTSegmentationLib.inference.models.nnunet_folder import load_nnunet_checkpoint
from HTSegmentationLib.inference.nnunet.reader import require_reader

if TYPE_CHECKING:
    import torch

    from HTSegmentationLib.inference.models.folder import Model

_NETWORK_PACKAGES = ("dynamic_network_architectures.", "torch.nn.", "monai.networks.")
"""Where nnU-Net's plans may name networks and layers; any other name in them would be imported and called as well."""

_PACKAGES_IN_WORDS = ", ".join(name.rstrip(".") for name in _NETWORK_PACKAGES)
"""The same for messages."""

_DOTTED_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")
"""A name in a package."""

_AGAIN = "install the model again"
"""What helps a folder that was damaged."""


@dataclass(frozen=True)
class TrainedModel:
    """One trained nnU-Net model.

    Args:
        folder: Its folder.
        dataset: Content of ``dataset.json``.
        plans: Content of ``plans.json``.
        trainer: The trainer's class.
        configuration: As ``"3d_fullres"``.
        mirroring_axes: Axes along which the trainer allows mirroring; None for no mirroring.
        weights: The tensors of each fold.
    """

    folder: Path
    dataset: dict[str, Any]
    plans: dict[str, Any]
    trainer: str
    configuration: str
    mirroring_axes: tuple[int, ...] | None
    weights: tuple[Mapping[str, torch.Tensor], ...]

    @property
    def reader(self) -> str:
        """The name of the reader that the images were read with."""
        return str(self.plans.get("image_reader_writer"))


def read_trained(model: Model) -> TrainedModel:
    """Reads a model folder of the kind ``"nnunet"`` with all its folds.

    nnU-Net itself would unpickle the checkpoints whole, which runs whatever code is in them; here only tensors, numbers and
    texts are taken, and the plans may name networks of known packages alone.

    Raises:
        InputError: A file is missing or damaged, or asks for more than a trained model needs.
    """
    described = model.description.nnunet
    folder = model.folder / described.folder
    dataset, plans = (_object(folder / name) for name in ("dataset.json", "plans.json"))
    checkpoints = [load_nnunet_checkpoint(folder / f"fold_{fold}" / described.checkpoint) for fold in described.folds]
    axes = checkpoints[0].get("inference_allowed_mirroring_axes")
    trained = TrainedModel(
        folder=folder,
        dataset=dataset,
        plans=plans,
        trainer=described.trainer,
        configuration=described.configuration,
        mirroring_axes=tuple(int(axis) for axis in axes) if axes else None,
        weights=tuple(checkpoint["network_weights"] for checkpoint in checkpoints),
    )
    try:
        _require_runnable(trained)
    except ParameterError as error:
        raise InputError(folder, str(error), "this version cannot run such a model") from error
    return trained


def _object(file: Path) -> dict[str, Any]:
    content = read_json(file)
    if not isinstance(content, dict):
        raise InputError(file, "it holds no object", _AGAIN)
    return content


def _require_runnable(trained: TrainedModel) -> None:
    require_reader(trained.reader)
    channels = trained.dataset.get("channel_names") or trained.dataset.get("modality")
    if not isinstance(channels, dict) or len(channels) != 1:
        raise ParameterError(f"dataset.json names {len(channels or ())} channels; allowed is one, the CT")
    configuration = _configuration(trained.plans, trained.configuration)
    if configuration.get("previous_stage"):
        raise ParameterError(
            f"{trained.configuration} is the second stage of a cascade, which needs the first one's masks; "
            "allowed are 2d, 3d_fullres and 3d_lowres"
        )
    architecture = configuration.get("architecture", {})
    arguments = architecture.get("arch_kwargs", {})
    layers = [arguments.get(key) for key in architecture.get("_kw_requires_import", ())]
    for name in (architecture.get("network_class_name"), *layers):
        if name is not None and not _is_of_known_package(name):
            raise ParameterError(
                f"plans.json has {name!r} as a part of the network; allowed is what {_PACKAGES_IN_WORDS} hold"
            )


def _is_of_known_package(name: Any) -> bool:
    return isinstance(name, str) and bool(_DOTTED_NAME.fullmatch(name)) and name.startswith(_NETWORK_PACKAGES)


def _configuration(plans: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A configuration of the plans with what it inherits."""
    known = plans.get("configurations", {})
    merged: dict[str, Any] = {}
    seen: list[str] = []
    while name is not None:
        if name not in known or name in seen:
            raise ParameterError(f"plans.json has no configuration {name!r} of its own; it has {', '.join(known)}")
        seen.append(name)
        merged = {**known[name], **merged}
        name = known[name].get("inherits_from")
    return merged
