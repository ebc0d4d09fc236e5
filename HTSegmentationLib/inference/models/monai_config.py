"""The settings of a MONAI Bundle that we know the meaning of; whatever else it says is refused, never run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from HTSegmentationLib.errors import InputError, ParameterError
from HTSegmentationLib.inference.models.fields import listed, quoted
from HTSegmentationLib.inference.models.inference_description import InferenceDescription
from HTSegmentationLib.inference.models.input_description import InputDescription

_NETWORKS = {"BasicUNet": "basic-unet", "BasicUnet": "basic-unet", "basicunet": "basic-unet"}
"""MONAI's networks and the names that ours of the same architecture have."""

_NETWORK_ARGUMENTS = {
    "BasicUNet": {"spatial_dims": 3, "in_channels": 1, "out_channels": 2, "features": (32, 32, 64, 128, 256, 32)},
}
"""Arguments of MONAI's networks that we read, with MONAI's own defaults."""

_NOTHING_TO_DO = ("LoadImaged", "EnsureChannelFirstd", "EnsureTyped", "ToTensord", "CastToTyped", "CropForegroundd")
"""Steps that we do anyway: reading, and cutting to the head."""

_ADVICE = "convert it by hand into a model folder, as Documentation/model-folder.md explains"
"""What to do with a bundle that says more than we read."""


class BundleConfig:
    """The ``inference.json`` of a bundle.

    Args:
        file: The file, for messages.
        values: Its content.

    Raises:
        InputError: It is no object; so do the methods where they find what they do not know.
    """

    def __init__(self, file: Path, values: Any) -> None:
        self._file = file
        if not isinstance(values, dict):
            raise self._refused("it holds no object")
        self._values = values

    def network(self, channels: int, classes: int) -> tuple[str, dict[str, Any]]:
        """Name and arguments of our network of the same architecture."""
        values = self._plain(self._values.get("network_def"), "network_def")
        known = _target(values)
        if known not in _NETWORKS:
            raise self._refused(f"network_def is {quoted(known)}; allowed are MONAI's {listed(_NETWORK_ARGUMENTS)}")
        defaults = _NETWORK_ARGUMENTS["BasicUNet"]
        given = {key: value for key, value in values.items() if not key.startswith("_")}
        surplus = [key for key in given if key not in defaults]
        if surplus:
            raise self._refused(f"network_def.{surplus[0]} is not known; allowed are {listed(defaults)}")
        merged = defaults | given
        for key, value in (("spatial_dims", 3), ("in_channels", channels), ("out_channels", classes)):
            if merged[key] != value:
                raise self._refused(f"network_def.{key} is {quoted(merged[key])}; allowed is {value}")
        return _NETWORKS[known], {"input_channels": channels, "classes": classes, "features": list(merged["features"])}

    def input(self) -> InputDescription:
        """Grid, HU window and normalisation of the preprocessing."""
        values: dict[str, Any] = {"channels": ["ct"], "spacing_mm": [None, None, None]}
        for number, step in enumerate(self._steps()):
            place = f"preprocessing.transforms[{number}]"
            name = _target(step)
            if name in _NOTHING_TO_DO:
                continue
            if name == "Orientationd":
                values["orientation"] = step.get("axcodes")
            elif (
                name == "Spacingd" and "orientation" in values and step.get("mode", "bilinear") in ("bilinear", ["bilinear"])
            ):
                values["spacing_mm"] = step.get("pixdim")
            elif name == "ScaleIntensityRanged" and step.get("clip") is True:
                values["window_hu"] = [step.get("a_min"), step.get("a_max")]
                values["normalization"] = {"kind": "scale", "low": step.get("b_min"), "high": step.get("b_max")}
            else:
                raise self._refused(f"{place} is {quoted(name)}, which we do not know in this place and with these settings")
        try:
            return InputDescription.from_json(values, "preprocessing")
        except ParameterError as error:
            raise self._refused(str(error)) from error

    def inference(self) -> InferenceDescription:
        """Patch, overlap and blending of the sliding window."""
        inferer = self._plain(self._values.get("inferer"), "inferer")
        if _target(inferer) != "SlidingWindowInferer":
            raise self._refused(f"inferer is {quoted(_target(inferer))}; allowed is SlidingWindowInferer")
        values = {
            "patch": inferer.get("roi_size"),
            "overlap": inferer.get("overlap", 0.25),
            "blending": {"constant": "uniform"}.get(inferer.get("mode", "constant"), inferer.get("mode")),
            "activation": "softmax",
        }
        for step in self._list("postprocessing"):
            if isinstance(step, dict) and step.get("sigmoid"):
                raise self._refused("postprocessing takes a sigmoid; allowed is the softmax")
        try:
            return InferenceDescription.from_json(values, "inferer")
        except ParameterError as error:
            raise self._refused(str(error)) from error

    def _steps(self) -> list[dict[str, Any]]:
        steps = self._list("preprocessing")
        return [self._plain(step, f"preprocessing.transforms[{number}]") for number, step in enumerate(steps)]

    def _list(self, key: str) -> list[Any]:
        """The steps of a ``Compose``; none where it is missing."""
        composed = self._values.get(key, {"transforms": []})
        steps = composed.get("transforms") if isinstance(composed, dict) else None
        if not isinstance(steps, list):
            raise self._refused(f"{key}.transforms is no list")
        return steps

    def _plain(self, values: Any, place: str) -> dict[str, Any]:
        """An object with values of its own, references to other plain values followed once."""
        if not isinstance(values, dict):
            raise self._refused(f"{place} is {quoted(values)}; allowed is an object")
        for key in values:
            # MONAI leaves out steps with _disabled_, and calls others with _mode_ and _requires_.
            if key.startswith("_") and key not in ("_target_", "_desc_"):
                raise self._refused(f"{place}.{key} is not known")
        rest = {key: value for key, value in values.items() if key not in ("_desc_", "device")}
        return {key: self._resolved(value, f"{place}.{key}") for key, value in rest.items()}

    def _resolved(self, value: Any, place: str) -> Any:
        if isinstance(value, str) and value.startswith("@"):
            value = self._values.get(value[1:])
        if isinstance(value, str) and value.startswith(("$", "@", "%")):
            raise self._refused(f"{place} is the expression {quoted(value)}, which would have to be run")
        return value

    def _refused(self, problem: str) -> InputError:
        return InputError(self._file, problem, _ADVICE)


def _target(values: Mapping[str, Any]) -> str:
    """The last word of ``_target_``; a path to somebody's own code keeps all its words."""
    target = str(values.get("_target_", ""))
    return target.rpartition(".")[2] if target.startswith("monai.") else target
