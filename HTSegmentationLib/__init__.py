"""HTSegmentation: hemorrhagic transformation on non-contrast head CT, segmented and measured.

The names below are imported when they are first used, so that importing the package costs nothing.

Example:
    >>> from HTSegmentationLib import AdaptiveThreshold, SimulationParameters, simulate_head
    >>> case = simulate_head(SimulationParameters(seed=1))                # doctest: +SKIP
    >>> AdaptiveThreshold().run(case.scan, case.roi).volume_ml()          # doctest: +SKIP
"""

from __future__ import annotations

import importlib
from typing import Any

from HTSegmentationLib.version import __version__

_HOMES = {
    "AdaptiveParameters": "threshold.parameters",
    "AdaptiveThreshold": "threshold.adaptive",
    "CTScan": "ct.scan",
    "GlobalParameters": "threshold.parameters",
    "GlobalThreshold": "threshold.global_threshold",
    "HTSegError": "errors",
    "RobustParameters": "threshold.robust.parameters",
    "RobustThreshold": "threshold.robust.robust_threshold",
    "Roi": "roi",
    "SegmentationResult": "segmenter",
    "Segmenter": "segmenter",
    "SimulationParameters": "simulate.parameters",
    "compare_masks": "measure.comparison",
    "load_parameters": "threshold.parameter_files",
    "measure_mask": "measure.mask",
    "measure_overlap": "measure.overlap",
    "method": "methods",
    "read_ct": "ct.read",
    "read_roi": "roi",
    "roi_from_box": "roi",
    "save_parameters": "threshold.parameter_files",
    "simulate_head": "simulate.head",
    "suggest_regions": "suggest",
    "write_mask": "export.mask_files",
    "write_preview": "export.preview",
}
"""Where each public name lives."""

__all__ = [*_HOMES, "__version__"]  # noqa: PLE0604  (the names are strings)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
