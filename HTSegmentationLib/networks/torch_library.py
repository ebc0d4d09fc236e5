"""The deep-learning libraries, asked for by name where they are needed."""

from __future__ import annotations

import importlib

from HTSegmentationLib.errors import MissingPackageError


def require_torch() -> None:
    """Checks that torch can be imported.

    Raises:
        MissingPackageError: It is not installed.
    """
    _require("torch")


def require_monai() -> None:
    """Checks that MONAI can be imported, and torch, without which it is of no use.

    Raises:
        MissingPackageError: One of them is not installed.
    """
    _require("torch")
    _require("monai")


def _require(package: str) -> None:
    try:
        importlib.import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        raise MissingPackageError(package, "to run a network", "dl") from error
