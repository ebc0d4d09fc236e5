"""What a training does otherwise than the published recipe."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from HTSegmentationLib.networks.registry import checked_arguments
from HTSegmentationLib.training.recipes import published_settings
from HTSegmentationLib.training.settings import TrainingSettings

_LEFT_OUT = ("seed", "labels", "label_map")
"""What each site chooses for itself."""


def deviations(settings: TrainingSettings) -> tuple[str, ...]:
    """The settings that differ from the recipe's, one sentence each; empty where none does.

    Example:
        >>> deviations(published_settings("se-unet"))
        ()
    """
    published = _plain(published_settings(settings.architecture))
    ours = _plain(settings)
    keys = dict.fromkeys((*published, *ours))
    return tuple(
        f"{key} is {json.dumps(ours.get(key))} instead of {json.dumps(published.get(key))}"
        for key in keys
        if ours.get(key) != published.get(key)
    )


def _plain(settings: TrainingSettings) -> dict[str, Any]:
    values = {key: value for key, value in settings.as_dict().items() if key not in _LEFT_OUT}
    values["arguments"] = checked_arguments(settings.architecture, settings.network_arguments())
    # The patch stands there twice.
    values["inference"] = {key: value for key, value in values["inference"].items() if key != "patch"}
    return dict(_flat(values, ""))


def _flat(values: Mapping[str, Any], place: str) -> list[tuple[str, Any]]:
    found = []
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            found += _flat(value, f"{place}{key}.")
        else:
            found.append((f"{place}{key}", value))
    return found
