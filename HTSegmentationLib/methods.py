"""The registry: every segmentation method by its name, the thresholds and the networks that are installed."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from HTSegmentationLib.errors import UsageError

if TYPE_CHECKING:
    from HTSegmentationLib.inference.models.folder import Model
    from HTSegmentationLib.segmenter import Label, Segmenter


class Make(Protocol):
    """Makes a method's segmenter."""

    def __call__(self, parameter_file: str | Path | None = None, *, device: str = "auto") -> Segmenter:
        """The segmenter.

        Args:
            parameter_file: Parameters of a threshold method; None for the published ones.
            device: Where a network runs: auto, cpu, cuda, cuda:N or mps; thresholds do without.
        """
        ...


@dataclass(frozen=True)
class Method:
    """One method of the registry.

    Args:
        name: The name on the command line and in records.
        title: The name that users read.
        needs_roi: Whether it works only inside an ROI.
        labels: The classes of its masks; the first is the hemorrhage that is measured.
        make: Makes the segmenter.
        model: The model of a network; None for what needs none.
    """

    name: str
    title: str
    needs_roi: bool
    labels: tuple[Label, ...]
    make: Make
    model: Model | None = None

    @property
    def is_network(self) -> bool:
        """Whether it needs a deep-learning library, and may need minutes and a GPU."""
        return self.name not in METHOD_NAMES


METHOD_NAMES = ("adaptive", "global", "robust")
"""The methods that always work, in the order in which they are offered; known without importing any of them."""

TOTALSEGMENTATOR = "totalsegmentator"
"""TotalSegmentator's task for intracerebral hemorrhage, where that package is installed."""

DEFAULT_METHOD = "adaptive"
"""The method of whoever does not choose."""

METHOD_HELP = "adaptive, global, robust, totalsegmentator, a model's name (htseg models list) or its folder"
"""What may be named as a method, for the help of commands."""


def installed_methods() -> list[Method]:
    """All methods that can be offered here: thresholds, TotalSegmentator if it is there, and models that are in order."""
    from HTSegmentationLib.inference.models.store import installed_models

    found = [method(name) for name in METHOD_NAMES]
    if importlib.util.find_spec("totalsegmentator") is not None:
        found.append(method(TOTALSEGMENTATOR))
    return found + [_of_model(entry.model) for entry in installed_models() if entry.model is not None]


def method(name: str) -> Method:
    """The method of that name.

    Args:
        name: A threshold method, ``"totalsegmentator"``, an installed model, or the path of a model folder.

    Raises:
        UsageError: There is none.
        InputError: The model folder of that name is damaged.

    Example:
        >>> method("adaptive").title
        'Adaptive threshold'
    """
    made = {"adaptive": _adaptive, "global": _global, "robust": _robust, TOTALSEGMENTATOR: _totalsegmentator}.get(name)
    return made() if made is not None else _of_model(_model(name))


def _model(name: str) -> Model:
    from HTSegmentationLib.inference.models.folder import read_model
    from HTSegmentationLib.inference.models.store import find_model, installed_models

    if "/" in name or "\\" in name or (Path(name) / "model.json").is_file():
        return read_model(Path(name))
    model = find_model(name)
    if model is None:
        known = [*METHOD_NAMES, TOTALSEGMENTATOR, *(entry.name for entry in installed_models())]
        raise UsageError(f"there is no method {name!r}; known are {', '.join(known)}; htseg models install adds a model")
    return model


def _adaptive() -> Method:
    from HTSegmentationLib.segmenter import HEMORRHAGE
    from HTSegmentationLib.threshold.adaptive import AdaptiveThreshold
    from HTSegmentationLib.threshold.parameter_files import load_parameters
    from HTSegmentationLib.threshold.parameters import AdaptiveParameters

    def make(parameter_file: str | Path | None = None, *, device: str = "auto") -> Segmenter:  # noqa: ARG001
        return AdaptiveThreshold(None if parameter_file is None else load_parameters(parameter_file, AdaptiveParameters))

    return Method(AdaptiveThreshold.name, AdaptiveThreshold.title, needs_roi=True, labels=(HEMORRHAGE,), make=make)


def _global() -> Method:
    from HTSegmentationLib.segmenter import HEMORRHAGE
    from HTSegmentationLib.threshold.global_threshold import GlobalThreshold
    from HTSegmentationLib.threshold.parameter_files import load_parameters
    from HTSegmentationLib.threshold.parameters import GlobalParameters

    def make(parameter_file: str | Path | None = None, *, device: str = "auto") -> Segmenter:  # noqa: ARG001
        return GlobalThreshold(None if parameter_file is None else load_parameters(parameter_file, GlobalParameters))

    return Method(GlobalThreshold.name, GlobalThreshold.title, needs_roi=True, labels=(HEMORRHAGE,), make=make)


def _robust() -> Method:
    from HTSegmentationLib.segmenter import HEMORRHAGE
    from HTSegmentationLib.threshold.parameter_files import load_parameters
    from HTSegmentationLib.threshold.robust.parameters import RobustParameters
    from HTSegmentationLib.threshold.robust.robust_threshold import RobustThreshold

    def make(parameter_file: str | Path | None = None, *, device: str = "auto") -> Segmenter:  # noqa: ARG001
        return RobustThreshold(None if parameter_file is None else load_parameters(parameter_file, RobustParameters))

    return Method(RobustThreshold.name, RobustThreshold.title, needs_roi=True, labels=(HEMORRHAGE,), make=make)


def _totalsegmentator() -> Method:
    from HTSegmentationLib.inference.totalsegmentator import TotalSegmentatorSegmenter

    def make(parameter_file: str | Path | None = None, *, device: str = "auto") -> Segmenter:
        _no_parameters(TOTALSEGMENTATOR, parameter_file)
        return TotalSegmentatorSegmenter(device=device)

    kind = TotalSegmentatorSegmenter
    return Method(TOTALSEGMENTATOR, kind.title, needs_roi=False, labels=kind.labels, make=make)


def _of_model(model: Model) -> Method:
    description = model.description

    def make(parameter_file: str | Path | None = None, *, device: str = "auto") -> Segmenter:
        from HTSegmentationLib.inference.make import make_segmenter

        _no_parameters(description.name, parameter_file)
        return make_segmenter(model, device=device)

    needs_roi = description.inference.needs_roi
    return Method(description.name, description.title, needs_roi, description.labels, make, model)


def _no_parameters(name: str, parameter_file: str | Path | None) -> None:
    if parameter_file is not None:
        raise UsageError(f"--parameters goes with adaptive, global and robust; {name} has its settings in its model folder")
