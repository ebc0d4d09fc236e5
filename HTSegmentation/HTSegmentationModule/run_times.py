"""How long a network took here, remembered from run to run in Slicer's settings."""

from __future__ import annotations

import json
from typing import Any

_KEY = "HTSegmentation/NetworkSeconds"
"""The setting: JSON, seconds by model, version and device."""

_MOST = 200
"""Entries that are kept; those not measured for longest go."""


class RunTimes:
    """Seconds of the last run of each model on each device.

    Args:
        settings: ``QSettings`` or whatever has its ``value`` and ``setValue``.

    Example:
        >>> times = RunTimes(slicer.app.settings())   # doctest: +SKIP
        >>> times.remember(method, "cpu", 41.2)       # doctest: +SKIP
        >>> times.seconds(method, "cpu")              # doctest: +SKIP
        41.2
    """

    def __init__(self, settings: Any) -> None:
        self._settings = settings

    def seconds(self, method: Any, device: str) -> float | None:
        """Seconds that the last run took; None if there was none."""
        return self._all().get(_name(method, device))

    def remember(self, method: Any, device: str, seconds: float) -> None:
        """Keeps what a run took.

        Args:
            method: The method of the library's registry.
            device: The device that was chosen.
            seconds: Wall time from Apply to the result, the start of the process and the loading included.
        """
        known, name = self._all(), _name(method, device)
        known.pop(name, None)
        known[name] = round(float(seconds), 1)
        self._settings.setValue(_KEY, json.dumps(dict(list(known.items())[-_MOST:])))

    def _all(self) -> dict[str, float]:
        try:
            known = json.loads(self._settings.value(_KEY) or "{}")
        except (TypeError, ValueError):
            return {}
        if not isinstance(known, dict):
            return {}
        return {name: value for name, value in known.items() if isinstance(value, float | int) and value >= 0}


def _name(method: Any, device: str) -> str:
    version = "" if method.model is None else method.model.description.version
    return f"{method.name} {version} {device}"
