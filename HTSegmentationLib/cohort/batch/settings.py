"""What is the same for all cases of a batch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from HTSegmentationLib.cohort.manifest.case import Manifest
from HTSegmentationLib.export.record import versions
from HTSegmentationLib.methods import method
from HTSegmentationLib.segmenter import Segmenter

SETTINGS_FORMAT = 1
"""Raised when a key of batch.json changes its name or its meaning."""

_LONGEST_VALUE = 60
"""Letters of a value that a message shows."""


@dataclass(frozen=True)
class BatchSettings:
    """What is done with each case.

    Args:
        method: Name in the registry.
        parameter_file: Parameters of the method; None for its own.
        assume_hu: Take all values for HU even if they do not look like it.
        hu_offset: HU to add to every voxel of every scan.
        device: Where a network runs; not among what decides the results, since the same network may run anywhere.
        automatic_roi: Whether the program finds each region of interest itself, whatever the table of cases names.
    """

    method: str
    parameter_file: str | None = None
    assume_hu: bool = False
    hu_offset: float = 0.0
    device: str = "auto"
    automatic_roi: bool = False

    def segmenter(self) -> Segmenter:
        """The method, ready for any number of cases.

        Raises:
            UsageError: There is no such method.
            InputError: The parameter file cannot be used.
        """
        return method(self.method).make(self.parameter_file, device=self.device)

    def as_record(self, manifest: Manifest, segmenter: Segmenter) -> dict[str, Any]:
        """The settings as plain values, as batch.json keeps them: what decides the results, and nothing else.

        Args:
            manifest: The table of cases, known by its name alone: folders may move.
            segmenter: What :meth:`segmenter` gave; its parameters are kept, not their file.
        """
        record = {
            "format": SETTINGS_FORMAT,
            "method": segmenter.name,
            "parameters": self.parameters_of(segmenter),
            "assume_hu": self.assume_hu,
            "hu_offset": self.hu_offset,
            "roi": "automatic" if self.automatic_roi else "drawn",
            "manifest": Path(manifest.path).name,
            "versions": versions(),
        }
        # As JSON gives it back: tuples become lists.
        return json.loads(json.dumps(record))

    def parameters_of(self, segmenter: Segmenter) -> dict[str, Any]:
        """What decides a method's results: its parameters, or what tells a network's model from any other.

        Args:
            segmenter: What :meth:`segmenter` gave.
        """
        parameters = getattr(segmenter, "parameters", None)
        if parameters is not None:
            return parameters.as_dict()
        model = method(self.method).model
        if model is None:
            return {}
        weights = [file.sha256 for file in model.description.weights]
        return {"model": model.description.name, "model version": model.description.version, "model weights": weights}


def decisive(record: Mapping[str, Any]) -> dict[str, Any]:
    """The part of the settings that must be the same for results to stand in one table."""
    values = {name: record.get(name) for name in ("method", "parameters", "assume_hu", "hu_offset", "manifest")}
    values["roi"] = record.get("roi", "drawn")
    known = record.get("versions")
    return values | {"version of htseg": known.get("htsegmentation") if isinstance(known, Mapping) else None}


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What differs between two settings, in words; empty if results may stand in one table.

    Example:
        >>> differences({"method": "global"}, {"method": "adaptive"})
        ['method was global and is adaptive']
    """
    texts = []
    old, new = decisive(before), decisive(now)
    for name in new:
        if name == "parameters" and isinstance(old[name], Mapping) and isinstance(new[name], Mapping):
            keys = dict.fromkeys((*old[name], *new[name]))
            texts += [_differ(key, old[name].get(key), new[name].get(key)) for key in keys]
        else:
            texts.append(_differ(name, old[name], new[name]))
    return [text for text in texts if text]


def _differ(name: str, old: Any, new: Any) -> str:
    return "" if old == new else f"{name} was {_short(old)} and is {_short(new)}"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."
