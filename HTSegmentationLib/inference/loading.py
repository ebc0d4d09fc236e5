"""The networks of a model folder, built, filled with their weights and put on a device."""

from __future__ import annotations

from typing import TYPE_CHECKING

from HTSegmentationLib.errors import InputError, ParameterError
from HTSegmentationLib.inference.device import Device, import_torch
from HTSegmentationLib.inference.models.folder import MODEL_FILE, Model
from HTSegmentationLib.inference.models.weights import load_tensors
from HTSegmentationLib.networks.registry import build_network
from HTSegmentationLib.progress import Progress, silent

if TYPE_CHECKING:
    from torch import nn

_SLICES = 2
"""Spatial dimensions of a network that works slice by slice."""


def load_networks(model: Model, device: Device, progress: Progress = silent) -> list[nn.Module]:
    """Builds one network for each file of weights.

    Args:
        model: What :func:`HTSegmentationLib.inference.models.folder.read_model` gave.
        device: Where they will run.
        progress: Told of each file.

    Returns:
        The networks in evaluation mode, without gradients, in the order of the description.

    Raises:
        InputError: A file is not the one that the description names, or does not fit the architecture.
        MissingPackageError: torch, safetensors, or a library of the architecture is not installed.
    """
    import_torch()
    description = model.description
    networks = []
    for number, (entry, path) in enumerate(zip(description.weights, model.weight_paths, strict=True)):
        progress("loading the model", number / len(description.weights))
        tensors = load_tensors(path, entry.sha256)
        try:
            network = build_network(description.architecture.name, description.architecture.arguments)
        except ParameterError as error:
            raise InputError(model.folder / MODEL_FILE, f"architecture.arguments: {error}", "correct it there") from error
        try:
            network.load_state_dict(tensors, strict=True)
        except RuntimeError as error:
            problem = f"its tensors are not those of the architecture {description.architecture.name}"
            raise InputError(path, problem, "verify the model (htseg models verify) or install it again") from error
        networks.append(_placed(network, device))
    return networks


def _placed(network: nn.Module, device: Device) -> nn.Module:
    torch = import_torch()
    network = network.eval().requires_grad_(requires_grad=False).to(device.torch_device)
    if device.name != "cpu":
        return network
    # With channels last, the processor's convolutions take half the time.
    return network.to(memory_format=torch.channels_last if network.spatial_dims == _SLICES else torch.channels_last_3d)
