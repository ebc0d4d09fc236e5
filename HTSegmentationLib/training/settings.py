"""Everything that decides what a training gives."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from HTSegmentationLib.errors import ParameterError
from HTSegmentationLib.inference.models.fields import Fields, listed
from HTSegmentationLib.inference.models.inference_description import InferenceDescription
from HTSegmentationLib.inference.models.input_description import InputDescription
from HTSegmentationLib.networks.registry import NETWORK_NAMES, checked_arguments
from HTSegmentationLib.segmenter import HEMORRHAGE, Label
from HTSegmentationLib.training.augmentation import Augmentation
from HTSegmentationLib.training.choices import LOSSES, OPTIMISERS, SCHEDULES, STAGES, VALIDATIONS, require_parameters
from HTSegmentationLib.training.labels import label_map_from_json, labels_from_json
from HTSegmentationLib.training.sampling import Sampling

_TWO_STAGES = ("cascaded-unet",)
"""Architectures whose second stage refines the first one's answer."""

_SUPERVISED = ("cascaded-unet", "cnn-ds")
"""Architectures with outputs at several depths."""

_COUNTS = {"patches_per_case": 10**6, "batch_size": 4096, "epochs": 10**6}
"""Whole numbers from 1 on, and the most of each."""

_LARGEST_SIDE = 2048
"""Voxels along a patch."""

_LARGEST_SEED = 2**32 - 1
_MOST_FOLDS = 100
_LARGEST_RATE = 10.0
_LARGEST_SHARE = 0.5
_AXES = 3


@dataclass(frozen=True)
class TrainingSettings:
    """Everything that decides what a training gives, the cases and the number of processors excepted.

    Args:
        architecture: A network by its name in :mod:`HTSegmentationLib.networks.registry`.
        arguments: Its arguments that differ from the published ones; channels, classes and, of cnn-ds, deep supervision
            follow from the other settings.
        input: What the network reads, in training as at inference.
        inference: How it is run over a scan; ``inference.patch`` is ``patch``.
        patch: Voxels (x, y, z) of a patch; None: the whole head as ``input.size`` has it.
        patches_per_case: Patches of each case in an epoch, before ``augmentation.six_views``; 1 for whole heads.
        sampling: Where they are taken from.
        augmentation: How they are varied.
        loss: One of ``LOSSES``.
        loss_parameters: Its parameters that differ from the usual ones.
        deep_supervision: Whether the losses of several depths are summed.
        optimiser: One of ``OPTIMISERS``.
        optimiser_parameters: Its parameters that differ from the usual ones.
        learning_rate: At the start.
        schedule: One of ``SCHEDULES``.
        schedule_parameters: Its parameters that differ from the usual ones.
        batch_size: Patches in a step, those of all processors together.
        epochs: At most so many.
        patience: Training ends after so many epochs without gain; None: never before the last one.
        validation: What counts as gain: a smaller ``"loss"`` or a larger ``"dice"`` on the validation patches.
        validation_share: Share of a fold's training patients that is set aside to watch for gain; 0 watches the held-out
            cases themselves, whose results are then a little too good.
        folds: Folds of the cross-validation; 0: one split.
        seed: Of weights, folds, patches and augmentation.
        stage: One of ``STAGES``.
        labels: What the network's classes are, without the background.
        label_map: Pairs (value in the references, class; 0 is background), as ``((1, 1), (3, 0))`` where intraventricular
            blood is background as in Abramova et al.; None: the values are the classes, and a single value is class 1.

    Raises:
        ParameterError: A value is not allowed or does not go with another one; the message names the key.

    Example:
        >>> from HTSegmentationLib.training.recipes import published_settings
        >>> published_settings("se-unet").patch
        (32, 32, 16)
    """

    architecture: str
    input: InputDescription
    inference: InferenceDescription
    arguments: Mapping[str, Any] = field(default_factory=dict)
    patch: tuple[int, int, int] | None = None
    patches_per_case: int = 1
    sampling: Sampling = field(default_factory=Sampling)
    augmentation: Augmentation = field(default_factory=Augmentation)
    loss: str = "dice-ce"
    loss_parameters: Mapping[str, float | bool] = field(default_factory=dict)
    deep_supervision: bool = False
    optimiser: str = "adam"
    optimiser_parameters: Mapping[str, float] = field(default_factory=dict)
    learning_rate: float = 1e-3
    schedule: str = "constant"
    schedule_parameters: Mapping[str, float] = field(default_factory=dict)
    batch_size: int = 2
    epochs: int = 100
    patience: int | None = None
    validation: str = "loss"
    validation_share: float = 0.2
    folds: int = 5
    seed: int = 0
    stage: str = "single"
    labels: tuple[Label, ...] = (HEMORRHAGE,)
    label_map: tuple[tuple[int, int], ...] | None = None

    def __post_init__(self) -> None:
        """Checks all values and what holds between them."""
        _require_choice("architecture", self.architecture, NETWORK_NAMES)
        for key, choices in _CHOICES.items():
            _require_choice(key, getattr(self, key), choices)
        for key in ("loss", "optimiser", "schedule"):
            require_parameters(f"{key}_parameters", getattr(self, f"{key}_parameters"), _CHOICES[key][getattr(self, key)])
        for key, most in _COUNTS.items():
            _require_whole(key, getattr(self, key), 1, most)
        _require_whole("folds", self.folds, 0, _MOST_FOLDS)
        _require_whole("seed", self.seed, 0, _LARGEST_SEED)
        if self.folds == 1:
            raise ParameterError("folds is 1; allowed are 2 and more, or 0 for one split into training and held-out cases")
        if self.patience is not None:
            _require_whole("patience", self.patience, 1, _COUNTS["epochs"])
        if not 0 < self.learning_rate <= _LARGEST_RATE:
            raise ParameterError(
                f"learning_rate is {self.learning_rate}; allowed is a number above 0, {_LARGEST_RATE:g} at most"
            )
        if not 0 <= self.validation_share <= _LARGEST_SHARE:
            raise ParameterError(
                f"validation_share is {self.validation_share}; allowed is a number from 0 to {_LARGEST_SHARE:g}"
            )
        checked_arguments(self.architecture, self.network_arguments())
        self._require_one_story()

    def _require_one_story(self) -> None:
        """Checks what holds between keys."""
        if self.deep_supervision and self.architecture not in _SUPERVISED:
            raise ParameterError(f"deep_supervision is true; {self.architecture} has one output, use {listed(_SUPERVISED)}")
        if self.stage == "cascade" and self.architecture not in _TWO_STAGES:
            raise ParameterError(f"stage is 'cascade'; {self.architecture} has one stage, use {listed(_TWO_STAGES)}")
        if [label.value for label in self.labels] != list(range(1, len(self.labels) + 1)):
            raise ParameterError(f"labels must have the values 1 to {len(self.labels)} in this order")
        if self.label_map is not None and {made for _, made in self.label_map} - {0} != {
            label.value for label in self.labels
        }:
            raise ParameterError(f"label_map is {self.label_map}; its classes must be 1 to {len(self.labels)}, all of them")
        if self.patch is None:
            if self.input.size is None:
                raise ParameterError("patch is null and input.size is, too; name one of them")
            if self.patches_per_case != 1:
                raise ParameterError(f"patches_per_case is {self.patches_per_case}; allowed is 1 where whole heads are read")
        elif len(self.patch) != _AXES or not all(1 <= side <= _LARGEST_SIDE for side in self.patch):
            raise ParameterError(
                f"patch is {self.patch}; allowed are three sides (x, y, z) from 1 to {_LARGEST_SIDE} voxels"
            )
        if self.inference.patch != self.patch:
            found = f"inference.patch is {self.inference.patch} and patch is {self.patch}"
            raise ParameterError(f"{found}; allowed is the same: a network is run as it was trained")
        side = self.patch or self.input.size
        if self.augmentation.six_views and side[0] != side[1]:
            raise ParameterError(f"augmentation.six_views turns patches by 90 degrees; {side} (x, y, z) is not square")

    @property
    def window(self) -> tuple[int, int, int]:
        """What the network sees at once, (z, y, x)."""
        side = self.patch or self.input.size
        return (side[2], side[1], side[0])

    @property
    def classes(self) -> int:
        """The network's output channels, the background among them."""
        return len(self.labels) + 1

    def network_arguments(self) -> dict[str, Any]:
        """All that :func:`HTSegmentationLib.networks.registry.build_network` needs beside the name."""
        made = {"input_channels": len(self.input.channels), "classes": self.classes}
        if self.architecture == "cnn-ds":
            made["deep_supervision"] = self.deep_supervision
        return {**self.arguments, **made}

    def with_patch(self, patch: tuple[int, int, int]) -> TrainingSettings:
        """The same with another patch (x, y, z), in training and at inference."""
        return dataclasses.replace(self, patch=patch, inference=dataclasses.replace(self.inference, patch=patch))

    def with_symmetric(self, symmetric: bool) -> TrainingSettings:
        """The same with or without the symmetric modality as a second channel (paper B, Table 4)."""
        channels = ("ct", "symmetric") if symmetric else ("ct",)
        return dataclasses.replace(self, input=dataclasses.replace(self.input, channels=channels))

    @classmethod
    def from_dict(cls, values: Any) -> TrainingSettings:
        """Reads what :meth:`as_dict` gave, or what a user wrote.

        Raises:
            ParameterError: A key is missing, unknown or holds what is not allowed; the message names it.
        """
        fields = Fields(values, "", tuple(cls.__dataclass_fields__))
        whole = {key: fields.whole(key, low=1, high=most) for key, most in _COUNTS.items()}
        return cls(
            architecture=fields.choice("architecture", NETWORK_NAMES),
            input=fields.part("input", InputDescription.from_json),
            inference=fields.part("inference", InferenceDescription.from_json),
            arguments=fields.free("arguments"),
            patch=fields.wholes("patch", 3, low=1, high=_LARGEST_SIDE) if fields.has("patch") else None,
            sampling=fields.part("sampling", Sampling.from_json),
            augmentation=fields.part("augmentation", Augmentation.from_json),
            **{f"{key}_parameters": fields.free(f"{key}_parameters") for key in ("loss", "optimiser", "schedule")},
            **{key: fields.choice(key, tuple(choices)) for key, choices in _CHOICES.items()},
            deep_supervision=fields.flag("deep_supervision"),
            learning_rate=fields.number("learning_rate", low=0, high=_LARGEST_RATE),
            patience=fields.whole("patience", low=1, high=_COUNTS["epochs"]) if fields.has("patience") else None,
            validation_share=fields.number("validation_share", low=0, high=_LARGEST_SHARE),
            folds=fields.whole("folds", low=0, high=_MOST_FOLDS),
            seed=fields.whole("seed", low=0, high=_LARGEST_SEED),
            labels=labels_from_json(fields, "labels"),
            label_map=fields.part("label_map", label_map_from_json),
            **whole,
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; :meth:`from_dict` gives the same settings back."""
        values = {key: getattr(self, key) for key in self.__dataclass_fields__}
        values |= {key: values[key].as_dict() for key in ("input", "inference", "sampling", "augmentation")}
        values["patch"] = None if self.patch is None else list(self.patch)
        values["labels"] = [vars(label) | {"color": list(label.color)} for label in self.labels]
        values["label_map"] = None if self.label_map is None else [list(pair) for pair in self.label_map]
        plain = {key: dict(value) if isinstance(value, Mapping) else value for key, value in values.items()}
        plain["arguments"] = {k: list(v) if isinstance(v, tuple) else v for k, v in plain["arguments"].items()}
        return plain


_CHOICES: Mapping[str, Any] = {
    "loss": LOSSES,
    "optimiser": OPTIMISERS,
    "schedule": SCHEDULES,
    "validation": VALIDATIONS,
    "stage": STAGES,
}
"""Settings that are one of some words."""


def _require_choice(key: str, value: Any, choices: Collection[str]) -> None:
    if value not in choices:
        raise ParameterError(f"{key} is {value!r}; allowed are {listed(choices)}")


def _require_whole(key: str, value: Any, low: int, high: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ParameterError(f"{key} is {value!r}; allowed is a whole number from {low} to {high}")
