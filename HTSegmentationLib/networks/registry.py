"""Builds a network by its name; names and arguments are known without torch."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from HTSegmentationLib.errors import ParameterError
from HTSegmentationLib.networks.arguments import Argument, Probability, Switch, Whole, Wholes
from HTSegmentationLib.networks.basic_unet import basic_unet
from HTSegmentationLib.networks.cascaded_unet import cascaded_unet
from HTSegmentationLib.networks.cnn_ds import cnn_ds
from HTSegmentationLib.networks.deeplab import deeplab
from HTSegmentationLib.networks.deepmedic import deepmedic
from HTSegmentationLib.networks.plain_unet import patch_unet, slice_unet
from HTSegmentationLib.networks.se_unet import se_unet
from HTSegmentationLib.networks.torch_library import require_torch

if TYPE_CHECKING:
    from torch import nn

_MOST_CHANNELS = 1024
"""More channels than any published network here has; a description that asks for more would only fill the memory."""


@dataclass(frozen=True)
class _Architecture:
    """How an architecture is made.

    Args:
        make: Its function; its defaults are the published values.
        arguments: What each argument may be, the channels and classes that all have left out.
    """

    make: Callable[..., nn.Module]
    arguments: Mapping[str, Argument]


_ALL: Mapping[str, Argument] = {"input_channels": Whole(1, 8), "classes": Whole(2, 64)}
"""The arguments that every architecture has."""

_FILTERS, _LEVELS, _CHANNELS = Whole(1, 128), Whole(2, 6), Whole(1, _MOST_CHANNELS)

_ARCHITECTURES = {
    "se-unet": _Architecture(
        se_unet,
        {"levels": _LEVELS, "filters": _FILTERS, "squeeze_and_excitation": Switch(), "dropout": Probability()},
    ),
    "cascaded-unet": _Architecture(
        cascaded_unet,
        {"dimensions": Whole(2, 3), "filters": _FILTERS, "most_filters": _CHANNELS, "supervised_levels": Whole(1, 6)},
    ),
    "cnn-ds": _Architecture(
        cnn_ds,
        {"levels": _LEVELS, "filters": _FILTERS, "dropout": Probability(), "deep_supervision": Switch()},
    ),
    "deepmedic": _Architecture(
        deepmedic,
        {
            "feature_maps": Wholes(_CHANNELS, 1, 16),
            "fully_connected": Wholes(_CHANNELS, 1, 4),
            "scales": Wholes(Whole(1, 15), 1, 4),
        },
    ),
    "basic-unet": _Architecture(basic_unet, {"features": Wholes(_CHANNELS, 6, 6)}),
    "deeplab": _Architecture(
        deeplab,
        {
            "filters": _FILTERS,
            "blocks": Wholes(Whole(1, 8), 4, 4),
            "rates": Wholes(Whole(1, 64), 1, 5),
            "aspp_channels": _CHANNELS,
        },
    ),
    "patch-unet": _Architecture(
        patch_unet,
        {"levels": _LEVELS, "filters": _FILTERS, "dropout": Probability(), "skip_connections": Switch()},
    ),
    "slice-unet": _Architecture(slice_unet, {"levels": _LEVELS, "filters": _FILTERS, "dropout": Probability()}),
}

NETWORK_NAMES = tuple(_ARCHITECTURES)
"""The architectures, by the names that model folders give them."""


def build_network(name: str, arguments: Mapping[str, Any]) -> nn.Module:
    """Builds a network with random weights.

    Args:
        name: One of ``NETWORK_NAMES``.
        arguments: Its arguments by name; what is not named has the published value.

    Returns:
        A module as :mod:`HTSegmentationLib.networks.base` describes it.

    Raises:
        ParameterError: Name or argument is unknown, or a value is not allowed.
        MissingPackageError: torch, or a package the architecture needs, is not installed.

    Example:
        >>> network = build_network("se-unet", {"input_channels": 2})   # doctest: +SKIP
        >>> sum(weights.numel() for weights in network.parameters())    # doctest: +SKIP
        2263906
    """
    checked = checked_arguments(name, arguments)
    require_torch()
    return _ARCHITECTURES[name].make(**checked)


def checked_arguments(name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """All arguments of an architecture, those that are not given with the published values; needs no torch.

    Args:
        name: One of ``NETWORK_NAMES``.
        arguments: The arguments that differ from the published values.

    Raises:
        ParameterError: Name or argument is unknown, or a value is not allowed.

    Example:
        >>> checked_arguments("slice-unet", {"filters": 16})
        {'input_channels': 1, 'classes': 2, 'levels': 5, 'filters': 16, 'dropout': 0.5}
    """
    if name not in _ARCHITECTURES:
        raise ParameterError(f"network {name!r} is not known; known are {', '.join(NETWORK_NAMES)}")
    architecture = _ARCHITECTURES[name]
    known = {**_ALL, **architecture.arguments}
    unknown = sorted(set(arguments) - set(known))
    if unknown:
        raise ParameterError(f"{name} has no argument {', '.join(unknown)}; it has {', '.join(known)}")
    published = inspect.signature(architecture.make).parameters
    values = {key: arguments.get(key, published[key].default) for key in known}
    checked = {key: known[key].checked(f"{name}, {key}", value) for key, value in values.items()}
    _require_few_channels(name, checked)
    return checked


def _require_few_channels(name: str, arguments: Mapping[str, Any]) -> None:
    """Levels that double their channels reach thousands of them soon."""
    if "levels" in arguments:
        deepest = arguments["filters"] * 2 ** (arguments["levels"] - 1)
        if deepest > _MOST_CHANNELS:
            made = f"{arguments['levels']} levels from {arguments['filters']} filters on end with {deepest} channels"
            raise ParameterError(f"{name}: {made}; at most {_MOST_CHANNELS} are allowed")
