"""The registry: every segmentation method by its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from HTSegmentationLib.errors import UsageError

if TYPE_CHECKING:
    from HTSegmentationLib.segmenter import Segmenter


@dataclass(frozen=True)
class Method:
    """One method of the registry.

    Args:
        name: The name on the command line and in records.
        title: The name that users read.
        needs_roi: Whether it works only inside an ROI.
        make: Makes the segmenter; takes the path of a parameter file, or None for the published parameters.
    """

    name: str
    title: str
    needs_roi: bool
    make: Callable[[str | Path | None], Segmenter]


METHOD_NAMES = ("adaptive", "global")
"""All methods, in the order in which they are offered; known without importing any of them."""

DEFAULT_METHOD = "adaptive"
"""The method of whoever does not choose."""


def method(name: str) -> Method:
    """The method of that name.

    Raises:
        UsageError: There is none.

    Example:
        >>> method("adaptive").title
        'Adaptive threshold'
    """
    if name not in METHOD_NAMES:
        raise UsageError(f"there is no method {name!r}; known are {', '.join(METHOD_NAMES)}")
    return {"adaptive": _adaptive, "global": _global}[name]()


def _adaptive() -> Method:
    from HTSegmentationLib.threshold.adaptive import AdaptiveThreshold
    from HTSegmentationLib.threshold.parameter_files import load_parameters
    from HTSegmentationLib.threshold.parameters import AdaptiveParameters

    def make(file: str | Path | None) -> Segmenter:
        return AdaptiveThreshold(None if file is None else load_parameters(file, AdaptiveParameters))

    return Method(AdaptiveThreshold.name, AdaptiveThreshold.title, needs_roi=True, make=make)


def _global() -> Method:
    from HTSegmentationLib.threshold.global_threshold import GlobalThreshold
    from HTSegmentationLib.threshold.parameter_files import load_parameters
    from HTSegmentationLib.threshold.parameters import GlobalParameters

    def make(file: str | Path | None) -> Segmenter:
        return GlobalThreshold(None if file is None else load_parameters(file, GlobalParameters))

    return Method(GlobalThreshold.name, GlobalThreshold.title, needs_roi=True, make=make)
