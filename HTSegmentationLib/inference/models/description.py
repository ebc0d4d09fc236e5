"""What a model folder says of its model: ``model.json`` as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from HTSegmentationLib.errors import ParameterError
from HTSegmentationLib.inference.models.fields import LONGEST_TEXT, Fields, quoted
from HTSegmentationLib.inference.models.inference_description import InferenceDescription
from HTSegmentationLib.inference.models.input_description import InputDescription
from HTSegmentationLib.inference.models.label_description import MOST_LABELS, label_from_json
from HTSegmentationLib.inference.models.nnunet_description import NnUNetDescription
from HTSegmentationLib.networks.registry import NETWORK_NAMES
from HTSegmentationLib.segmenter import Label

FORMAT = 1
"""Raised when a key of ``model.json`` changes its name or its meaning."""

KINDS = ("network", "nnunet", "monai-bundle")
"""A network of our own; nnU-Net's own folder; a network that came as a MONAI Bundle."""

NAME_PATTERN = r"[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?"
"""Names are methods on the command line and folders on any file system."""

NAME_RULE = "1 to 64 small letters, digits, . _ and -, beginning and ending with a letter or digit"
"""The same in words."""

TAKEN_NAMES = ("adaptive", "global", "robust", "totalsegmentator")
"""Methods that are no models."""

_DEVICE_NAMES = ("con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10)))
"""Names that Windows keeps for devices."""

_MOST_WEIGHTS = 100
"""No ensemble is larger."""


@dataclass(frozen=True)
class Architecture:
    """Which network it is, and with which arguments it is built."""

    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class WeightsFile:
    """One file of weights.

    Args:
        file: Its name in the model folder; of nnU-Net, the path below it with ``/``.
        sha256: Its SHA-256 in hexadecimal.
        parameters: How many numbers were trained; None where it was not counted.
    """

    file: str
    sha256: str
    parameters: int | None = None


@dataclass(frozen=True)
class ModelDescription:
    """What ``model.json`` says; the documentation explains every key (Documentation/model-folder.md).

    Example:
        >>> ModelDescription.from_dict(json.loads(text)).labels[0].name   # doctest: +SKIP
        'Hemorrhage'
    """

    name: str
    title: str
    labels: tuple[Label, ...]
    weights: tuple[WeightsFile, ...]
    kind: str = "network"
    version: str = "1"
    architecture: Architecture | None = None
    input: InputDescription | None = None
    inference: InferenceDescription = field(default_factory=InferenceDescription)
    nnunet: NnUNetDescription | None = None
    training: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    licence: str = ""
    citation: str = ""
    intended_use: str = ""
    warning: str = ""

    @classmethod
    def from_dict(cls, values: Any) -> ModelDescription:
        """Reads and checks the content of a ``model.json``.

        Raises:
            ParameterError: A key is missing, unknown or holds what is not allowed; the message names it.
        """
        fields = Fields(values, "", ("format", *cls.__dataclass_fields__))
        fields.whole("format", low=FORMAT, high=FORMAT)
        kind = fields.choice("kind", KINDS)
        is_nnunet = kind == "nnunet"
        for key in ("architecture", "input") if is_nnunet else ("nnunet",):
            if fields.has(key):
                raise fields.refuse(key, f"nothing, since kind is {kind!r}")
        description = cls(
            name=_name(fields),
            title=fields.text("title"),
            labels=_labels(fields),
            weights=fields.parts("weights", _nnunet_weights if is_nnunet else _weights, most=_MOST_WEIGHTS),
            kind=kind,
            version=fields.text("version"),
            architecture=None if is_nnunet else fields.part("architecture", _architecture),
            input=None if is_nnunet else fields.part("input", InputDescription.from_json),
            inference=fields.part("inference", InferenceDescription.from_json),
            nnunet=fields.part("nnunet", NnUNetDescription.from_json) if is_nnunet else None,
            training=fields.free("training"),
            metrics=fields.free("metrics"),
            **{key: fields.text(key, longest=LONGEST_TEXT, empty=True) for key in _TEXTS},
        )
        _require_one_story(description)
        return description

    def as_dict(self) -> dict[str, Any]:
        """The content of a ``model.json``."""
        values: dict[str, Any] = {"format": FORMAT}
        values |= {key: getattr(self, key) for key in ("kind", "name", "title", "version")}
        if self.architecture is not None:
            values["architecture"] = {"name": self.architecture.name, "arguments": dict(self.architecture.arguments)}
        if self.nnunet is not None:
            values["nnunet"] = self.nnunet.as_dict()
        values["labels"] = [vars(label) | {"color": list(label.color)} for label in self.labels]
        if self.input is not None:
            values["input"] = self.input.as_dict()
        values["inference"] = self.inference.as_dict()
        values["weights"] = [{k: v for k, v in vars(entry).items() if v is not None} for entry in self.weights]
        return values | {key: getattr(self, key) for key in ("training", "metrics", *_TEXTS)}


_TEXTS = ("licence", "citation", "intended_use", "warning")
"""Keys with a text that may be empty."""


def _name(fields: Fields) -> str:
    name = fields.matching("name", NAME_PATTERN, NAME_RULE)
    if name in TAKEN_NAMES or name.split(".")[0] in _DEVICE_NAMES:
        raise fields.refuse("name", f"a name that is not taken, as {', '.join(TAKEN_NAMES)} and Windows' device names are")
    return name


def _architecture(values: Any, place: str) -> Architecture:
    fields = Fields(values, place, ("name", "arguments"))
    return Architecture(fields.choice("name", NETWORK_NAMES), fields.free("arguments"))


def _weights(values: Any, place: str) -> WeightsFile:
    pattern = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\.safetensors"
    return _weights_file(values, place, pattern, "a file name that ends in .safetensors")


def _nnunet_weights(values: Any, place: str) -> WeightsFile:
    pattern = r"nnunet/fold_(all|\d{1,2})/[A-Za-z0-9][A-Za-z0-9._-]{0,99}\.pth"
    return _weights_file(values, place, pattern, "a path as 'nnunet/fold_0/checkpoint_final.pth'")


def _weights_file(values: Any, place: str, pattern: str, allowed: str) -> WeightsFile:
    fields = Fields(values, place, tuple(WeightsFile.__dataclass_fields__))
    parameters = fields.whole("parameters", low=1, high=10**11) if fields.has("parameters") else None
    sha256 = fields.matching("sha256", "[0-9a-f]{64}", "64 hexadecimal digits in small letters")
    return WeightsFile(fields.matching("file", pattern, allowed), sha256, parameters)


def _labels(fields: Fields) -> tuple[Label, ...]:
    labels = fields.parts("labels", label_from_json, most=MOST_LABELS)
    values = [label.value for label in labels]
    if 0 in values:
        raise ParameterError("labels names the value 0; allowed is 1 and more, since 0 is always the background")
    if sorted(values) != list(range(1, len(values) + 1)):
        raise ParameterError(f"labels has the values {values}; allowed are 1 to {len(values)}, each once and without gaps")
    return labels


def _require_one_story(description: ModelDescription) -> None:
    """Checks what holds between keys."""
    files = [entry.file for entry in description.weights]
    if len({file.lower() for file in files}) != len(files):
        raise ParameterError(f"weights names a file twice: {', '.join(files)}; allowed is each once")
    if description.architecture is None or description.input is None:
        return
    arguments, name = description.architecture.arguments, description.architecture.name
    for key, needed, reason in (
        ("input_channels", len(description.input.channels), f"input.channels lists {len(description.input.channels)}"),
        ("classes", len(description.labels) + 1, f"the background and {len(description.labels)} labels need as many"),
    ):
        if key in arguments and arguments[key] != needed:
            found = quoted(arguments[key])
            raise ParameterError(f"architecture.arguments.{key} of {name} is {found}; allowed is {needed}: {reason}")
