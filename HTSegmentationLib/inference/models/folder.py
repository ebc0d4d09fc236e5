"""A model folder: read in a moment, or checked to the last tensor."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from HTSegmentationLib.errors import InputError, ParameterError
from HTSegmentationLib.inference.models.description import ModelDescription
from HTSegmentationLib.inference.models.fields import quoted
from HTSegmentationLib.inference.models.weights import require_sha256, tensor_shapes
from HTSegmentationLib.networks.registry import build_network
from HTSegmentationLib.progress import Progress, silent
from HTSegmentationLib.remark import Remark

if TYPE_CHECKING:
    from torch import nn

MODEL_FILE = "model.json"
"""The file that makes a folder a model folder."""

_LARGEST_FILE_BYTES = 10_000_000
"""A description has some thousand bytes; anything this large is another file."""

_AGAIN = "install the model again"
"""What helps a folder that was damaged."""


@dataclass(frozen=True)
class Model:
    """A model folder and what its ``model.json`` says.

    Args:
        folder: The folder.
        description: The content of its ``model.json``.
    """

    folder: Path
    description: ModelDescription

    @property
    def weight_paths(self) -> tuple[Path, ...]:
        """The files of weights, in the order of the description."""
        return tuple(self.folder / entry.file for entry in self.description.weights)


def read_model(folder: str | Path) -> Model:
    """Reads a model folder's description, and checks that its weights are there; they are not opened.

    Raises:
        InputError: There is no ``model.json``, it holds what is not allowed, or weights are missing.

    Example:
        >>> read_model("models/se-unet").description.title   # doctest: +SKIP
        '3D SE U-Net'
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(folder, "there is no such folder", "give the folder that holds model.json")
    file = folder / MODEL_FILE
    try:
        description = ModelDescription.from_dict(read_json(file))
    except ParameterError as error:
        raise InputError(file, str(error), "correct it there; Documentation/model-folder.md explains every key") from error
    model = Model(folder, description)
    for path in model.weight_paths:
        if not path.is_file():
            raise InputError(path, "these weights are named in model.json and are not there", _AGAIN)
    return model


def read_json(file: Path) -> Any:
    """The content of a JSON file.

    Raises:
        InputError: It cannot be read, is too large, or is no JSON.
    """
    try:
        if file.stat().st_size > _LARGEST_FILE_BYTES:
            raise InputError(file, "it is too large for a description", "check that it is the right file")
        return json.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(file, (error.strerror or str(error)).lower(), "check the name and the permissions") from error
    except (ValueError, RecursionError) as error:
        raise InputError(file, f"it is not JSON ({error})", "correct it there") from error


def verify_model(model: Model, progress: Progress = silent) -> tuple[Remark, ...]:
    """Checks a model to the last tensor: SHA-256 of its weights, and names and shapes against the architecture.

    Args:
        model: What :func:`read_model` gave.
        progress: Told of each file of weights.

    Returns:
        What could not be checked here, such as the architecture where torch is not installed.

    Raises:
        InputError: Something is wrong; the message says in which file.
    """
    entries = model.description.weights
    for number, (entry, path) in enumerate(zip(entries, model.weight_paths, strict=True)):
        progress("checking weights", number / len(entries))
        require_sha256(path, entry.sha256)
    if model.description.kind == "nnunet":
        from HTSegmentationLib.inference.models.nnunet_folder import verify_nnunet

        return verify_nnunet(model)
    shapes = [tensor_shapes(path) for path in model.weight_paths]
    if importlib.util.find_spec("torch") is None:
        text = "Whether the weights fit the architecture could not be checked, since torch is not installed."
        return (Remark("architecture-unchecked", text),)
    network = _described_network(model)
    wanted = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    count = sum(parameter.numel() for parameter in network.parameters())
    for entry, path, found in zip(entries, model.weight_paths, shapes, strict=True):
        _require_same_tensors(path, wanted, found)
        if entry.parameters not in (None, count):
            problem = f"weights of {entry.file}: parameters is {entry.parameters}; the architecture has {count}"
            raise InputError(model.folder / MODEL_FILE, problem, "correct it there")
    return ()


def _described_network(model: Model) -> nn.Module:
    """The network of the description, without memory for its weights."""
    import torch

    file, description = model.folder / MODEL_FILE, model.description
    try:
        with torch.device("meta"):
            network = build_network(description.architecture.name, description.architecture.arguments)
    except ParameterError as error:
        raise InputError(file, f"architecture.arguments: {error}", "correct it there") from error
    channels, classes = len(description.input.channels), len(description.labels) + 1
    if network.input_channels != channels:
        problem = f"its architecture takes {network.input_channels} input channels and input.channels lists {channels}"
        raise InputError(file, problem, "make both the same")
    if network.classes != classes:
        problem = f"its architecture has {network.classes} classes; background and labels need {classes}"
        raise InputError(file, problem, "make both the same")
    _require_patch(model, network)
    return network


def _require_patch(model: Model, network: nn.Module) -> None:
    """Checks that the windows are such as the network takes; one without padding chooses its tiles itself."""
    if hasattr(network, "output_size"):
        return
    file, sides = model.folder / MODEL_FILE, model.description.inference.patch or model.description.input.size
    multiples = tuple(getattr(network, "input_multiple", (1, 1, 1)))[::-1]
    if sides is None:
        raise InputError(file, "inference.patch is null and input.size is, too", "name the patch")
    if any(side % multiple for side, multiple in zip(sides, multiples, strict=True)):
        needed = " x ".join(map(str, multiples))
        raise InputError(file, f"inference.patch is {list(sides)}", f"name sides (x, y, z) that are multiples of {needed}")


def _require_same_tensors(path: Path, wanted: Mapping[str, tuple[int, ...]], found: Mapping[str, tuple[int, ...]]) -> None:
    missing = [name for name in wanted if name not in found]
    surplus = [name for name in found if name not in wanted]
    advice = "correct the architecture in model.json or give the weights that belong to it"
    if missing:
        raise InputError(path, f"{len(missing)} tensors of the architecture are not in it, as {quoted(missing[0])}", advice)
    if surplus:
        raise InputError(path, f"{len(surplus)} of its tensors are not in the architecture, as {quoted(surplus[0])}", advice)
    for name, shape in wanted.items():
        if found[name] != shape:
            problem = f"its tensor {quoted(name)} has shape {found[name]}; the architecture has {shape}"
            raise InputError(path, problem, advice)
