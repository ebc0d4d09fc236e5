"""A MONAI Bundle as a model folder of ours: its tensors and its plain settings, never its code or expressions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from HTSegmentationLib.errors import InputError, ParameterError
from HTSegmentationLib.files import write_json
from HTSegmentationLib.inference.models.description import Architecture, ModelDescription, WeightsFile
from HTSegmentationLib.inference.models.fields import quoted
from HTSegmentationLib.inference.models.findings import label_of
from HTSegmentationLib.inference.models.folder import MODEL_FILE, read_json
from HTSegmentationLib.inference.models.monai_config import BundleConfig
from HTSegmentationLib.inference.models.pickles import load_pickle
from HTSegmentationLib.inference.models.weights import (
    load_tensors,
    require_tensors,
    save_tensors,
    sha256_of,
    trained_numbers,
)
from HTSegmentationLib.networks.registry import build_network
from HTSegmentationLib.progress import Progress, silent

_METADATA, _CONFIG = "configs/metadata.json", "configs/inference.json"
"""What makes a folder a MONAI Bundle that can be run."""

_WEIGHTS = ("models/model.safetensors", "models/model.pt")
"""Where a bundle keeps its weights, in the order of preference."""

_ADVICE = "convert it by hand into a model folder, as Documentation/model-folder.md explains"
"""What to do with a bundle that says more than we read."""


def bundle_folders(root: Path) -> list[Path]:
    """The MONAI Bundles in a folder: itself, or one level below it, as in an archive."""
    found = [file.parents[1] for pattern in ("", "*/") for file in root.glob(f"{pattern}{_METADATA}")]
    return sorted(folder for folder in found if (folder / _CONFIG).is_file())


def write_bundle(source: Path, target: Path, *, name: str | None = None, progress: Progress = silent) -> None:
    """Makes a model folder of a MONAI Bundle.

    Args:
        source: The bundle's folder.
        target: An empty folder, which becomes the model folder.
        name: The model's name; None for that of the bundle's folder.
        progress: Told of each step.

    Raises:
        InputError: Its network, a step of its preprocessing or its inferer is none that we know, its values are
            expressions, or its weights hold more than tensors.
        MissingPackageError: torch, which reads the weights, is not installed.
    """
    metadata = read_json(source / _METADATA)
    config = BundleConfig(source / _CONFIG, read_json(source / _CONFIG))
    labels, channels = _format(source / _METADATA, metadata)
    architecture = Architecture(*config.network(channels, len(labels) + 1))
    progress("reading weights", 0.0)
    tensors = _tensors(source, architecture)
    save_tensors(target / "weights.safetensors", tensors)
    description = ModelDescription(
        name=name or _model_name(source, metadata),
        title=str(metadata.get("name") or source.name),
        kind="monai-bundle",
        version=str(metadata.get("version") or "1"),
        architecture=architecture,
        labels=labels,
        input=config.input(),
        inference=config.inference(),
        weights=(WeightsFile("weights.safetensors", sha256_of(target / "weights.safetensors"), trained_numbers(tensors)),),
        training={"data": str(metadata.get("data_source") or ""), "task": str(metadata.get("task") or "")},
        licence=str(metadata.get("copyright") or ""),
        citation="; ".join(map(str, metadata.get("references") or [])),
        intended_use=str(metadata.get("intended_use") or ""),
        warning="How well it works on your scans is not known; compare it with masks drawn by hand first.",
    )
    write_json(target / MODEL_FILE, description.as_dict())


def _format(file: Path, metadata: Any) -> tuple[tuple[Any, ...], int]:
    """Labels and number of input channels."""
    try:
        formats = metadata["network_data_format"]
        channels = formats["inputs"]["image"]["num_channels"]
        output = formats["outputs"]["pred"]
        names = {int(number): str(name) for number, name in output["channel_def"].items()}
        count = output["num_channels"]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            file, "network_data_format does not name inputs.image and outputs.pred.channel_def", _ADVICE
        ) from error
    if channels != 1:
        raise InputError(file, f"the network takes {quoted(channels)} input channels; allowed is 1, the CT", _ADVICE)
    if sorted(names) != list(range(count)) or len(names) < 2 or names[0].lower() != "background":  # noqa: PLR2004
        problem = (
            f"outputs.pred.channel_def is {quoted(output['channel_def'])}; allowed is a name for each channel, background 0"
        )
        raise InputError(file, problem, _ADVICE)
    return tuple(label_of(number, names[number]) for number in sorted(names) if number), channels


def _tensors(source: Path, architecture: Architecture) -> dict[str, Any]:
    """The weights, with the names that our own network of this architecture has for them."""
    file = next((source / name for name in _WEIGHTS if (source / name).is_file()), None)
    if file is None:
        script = source / "models" / "model.ts"
        if script.is_file():
            raise InputError(script, "it is TorchScript, a program and not weights", "give models/model.pt or .safetensors")
        raise InputError(source, f"it has none of {' and '.join(_WEIGHTS)}", "give the whole bundle")
    values = load_tensors(file) if file.suffix == ".safetensors" else load_pickle(file)
    for key in ("model", "state_dict", "network"):
        if isinstance(values, Mapping) and isinstance(values.get(key), Mapping):
            values = values[key]
    tensors = require_tensors(values, file)
    import torch

    try:
        with torch.device("meta"):
            wanted = build_network(architecture.name, architecture.arguments).state_dict()
    except ParameterError as error:
        raise InputError(source / _CONFIG, f"network_def: {error}", _ADVICE) from error
    return _renamed(tensors, list(wanted))


def _renamed(tensors: dict[str, Any], wanted: list[str]) -> dict[str, Any]:
    """Our networks may hold MONAI's inside: all its names then begin with the same word."""
    for name in wanted:
        for first in tensors:
            prefix = name.removesuffix(first)
            if prefix != name and {prefix + key for key in tensors} == set(wanted):
                return {prefix + key: value for key, value in tensors.items()}
    return tensors


def _model_name(source: Path, metadata: Mapping[str, Any]) -> str:
    text = source.name if source.name not in ("", "model") else str(metadata.get("name"))
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:64].strip("-") or "bundle"
