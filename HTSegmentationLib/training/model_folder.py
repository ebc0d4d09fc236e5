"""From trained weights to a model folder, which is a method from then on."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from HTSegmentationLib.errors import OutputError, UsageError
from HTSegmentationLib.files import write_json, write_text
from HTSegmentationLib.inference.models.description import (
    NAME_PATTERN,
    NAME_RULE,
    TAKEN_NAMES,
    Architecture,
    ModelDescription,
    WeightsFile,
)
from HTSegmentationLib.inference.models.folder import MODEL_FILE, Model, read_model, verify_model
from HTSegmentationLib.inference.models.weights import sha256_of
from HTSegmentationLib.networks.registry import checked_arguments
from HTSegmentationLib.training.settings import TrainingSettings

CARD_FILE = "card.md"
"""The model's card."""

_VERSION = "1"
"""Of a model that was just trained; whoever trains anew under the same name counts on."""


@dataclass(frozen=True)
class ModelContent:
    """What a model folder holds.

    Args:
        name: The model's name.
        settings: How it was trained; says what it reads and how it is run.
        weights: Files of weights, those of a first stage before those of a second one.
        first_stage: How many of them are of the first stage of a cascade; None without a cascade.
        texts: Title, licence, citation, intended use and warning.
        training: What is told of its training.
        metrics: What it reaches.
        card: Its card.
    """

    name: str
    settings: TrainingSettings
    weights: Sequence[Path]
    first_stage: int | None
    texts: Mapping[str, str]
    training: Mapping[str, Any]
    metrics: Mapping[str, Any]
    card: str


def require_name(name: str) -> None:
    """Checks a model's name before hours are spent on the model.

    Raises:
        UsageError: No model can be called so.
    """
    if not re.fullmatch(NAME_PATTERN, name) or name in TAKEN_NAMES:
        raise UsageError(f"the model's name would be {name!r}; allowed are {NAME_RULE}")


def write_model_folder(models: Path, content: ModelContent) -> Model:
    """Writes a model folder, whole or not at all, and checks it to the last tensor.

    Args:
        models: The folder in which it is made; it is there. A model of the same name is replaced.
        content: What it holds.

    Raises:
        OutputError: It cannot be written.
    """
    target, making = models / content.name, models / f".making-{content.name}"
    try:
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir()
        entries = [_copied(path, making, content, number) for number, path in enumerate(content.weights)]
        write_json(making / MODEL_FILE, _described(content, entries).as_dict())
        write_text(making / CARD_FILE, content.card)
        verify_model(read_model(making))
        shutil.rmtree(target, ignore_errors=True)
        os.replace(making, target)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise OutputError(target, reason, "free space; the same command writes it from the fold's weights") from error
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return read_model(target)


def _copied(path: Path, folder: Path, content: ModelContent, number: int) -> WeightsFile:
    """Copies weights; several are told apart by their stage and their place."""
    name = "weights"
    if content.first_stage is not None:
        second = number >= content.first_stage
        name, number = f"stage{1 + second}", number - content.first_stage * second
    several = len(content.weights) > (1 if content.first_stage is None else 2)
    file = folder / f"{name}{f'-{number}' if several else ''}.safetensors"
    shutil.copyfile(path, file)
    return WeightsFile(file.name, sha256_of(file), _parameters(content.settings))


def _parameters(settings: TrainingSettings) -> int:
    import torch

    from HTSegmentationLib.networks.registry import build_network

    with torch.device("meta"):
        network = build_network(settings.architecture, settings.network_arguments())
    return sum(parameter.numel() for parameter in network.parameters())


def _described(content: ModelContent, entries: Sequence[WeightsFile]) -> ModelDescription:
    settings = content.settings
    inference = settings.inference
    if content.first_stage is not None:
        cascade = dataclasses.replace(inference.cascade, stage2=content.first_stage)
        inference = dataclasses.replace(inference, cascade=cascade)
    # All arguments, the published ones as well: what is published may be read otherwise one day, weights may not.
    arguments = checked_arguments(settings.architecture, settings.network_arguments())
    description = ModelDescription(
        name=content.name,
        labels=settings.labels,
        weights=tuple(entries),
        version=_VERSION,
        architecture=Architecture(settings.architecture, arguments),
        input=settings.input,
        inference=inference,
        training=dict(content.training),
        metrics=dict(content.metrics),
        **content.texts,
    )
    # As JSON gives it back, and checked as a model of anybody else.
    return ModelDescription.from_dict(json.loads(json.dumps(description.as_dict())))
