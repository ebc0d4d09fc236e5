"""What a training can be told by name: losses, optimisers, schedules, and their parameters with the usual values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from HTSegmentationLib.errors import ParameterError
from HTSegmentationLib.inference.models.fields import listed, quoted

LOSSES: Mapping[str, Mapping[str, float | bool]] = {
    "dice-ce": {"include_background": False},
    "dice": {"include_background": False},
    "focal": {"gamma": 2.0},
    "tversky": {"alpha": 0.3, "beta": 0.7, "include_background": False},
    "focal-tversky": {"alpha": 0.3, "beta": 0.7, "gamma": 0.75, "include_background": False},
    "dice-topk": {"share": 0.1, "include_background": False},
}
"""The losses of the papers' ablations; :mod:`HTSegmentationLib.training.losses` has their formulas."""

OPTIMISERS: Mapping[str, Mapping[str, float | bool]] = {
    "adadelta": {"rho": 0.9, "weight_decay": 0.0},
    "adam": {"weight_decay": 0.0},
    "adamw": {"weight_decay": 0.01},
    "sgd": {"momentum": 0.99, "weight_decay": 3e-5},
}
"""The optimisers; the learning rate is a setting of its own."""

SCHEDULES: Mapping[str, Mapping[str, float | bool]] = {
    "constant": {},
    "plateau": {"factor": 0.5, "patience": 10},
    "cosine-restarts": {"epochs": 10, "growth": 2},
    "poly": {"power": 0.9},
}
"""How the learning rate changes: ``plateau`` multiplies it by ``factor`` after ``patience`` epochs without gain;
``cosine-restarts`` falls along a cosine and begins anew after ``epochs``, each round ``growth`` times as long as the one
before; ``poly`` falls as (1 - epoch / epochs) to the power of ``power``."""

STAGES = ("single", "cascade")
"""One network, or one that finds the bleed and a second one that looks closer (Xu et al., section 4.1)."""

VALIDATIONS = ("loss", "dice")
"""What early stopping watches on the patches of the validation cases."""

_RANGES: Mapping[str, tuple[float, float]] = {
    "alpha": (0, 10),
    "beta": (0, 10),
    "gamma": (0.05, 10),
    "share": (0.001, 1),
    "rho": (0, 0.9999),
    "weight_decay": (0, 1),
    "momentum": (0, 0.9999),
    "factor": (0.01, 0.99),
    "patience": (1, 10**6),
    "epochs": (1, 10**6),
    "growth": (1, 10),
    "power": (0.1, 10),
}
"""Lowest and highest value of each parameter."""

_WHOLE = ("patience", "epochs", "growth")
"""Parameters that are whole numbers."""


def require_parameters(key: str, given: Mapping[str, Any], usual: Mapping[str, float | bool]) -> None:
    """Checks the parameters of a loss, an optimiser or a schedule.

    Args:
        key: The setting's name, for messages.
        given: What was given.
        usual: All that there are, with the usual values.

    Raises:
        ParameterError: One is not known or out of its range.
    """
    for name, value in given.items():
        if name not in usual:
            allowed = f"allowed are {listed(usual)}" if usual else "there are none"
            raise ParameterError(f"{key}.{name} is not known; {allowed}")
        if isinstance(usual[name], bool):
            fits, allowed = isinstance(value, bool), "true or false"
        else:
            low, high = _RANGES[name]
            kinds = int if name in _WHOLE else int | float
            fits = isinstance(value, kinds) and not isinstance(value, bool) and low <= value <= high
            allowed = f"a {'whole ' if name in _WHOLE else ''}number from {low:g} to {high:g}"
        if not fits:
            raise ParameterError(f"{key}.{name} is {quoted(value)}; allowed is {allowed}")
