"""What some tests need: where it must be there, a missing one fails, elsewhere it skips and says so."""

import importlib
import os
import sys

import pytest

SLICER_CORE_FROM = (3, 11)
"""The package slicer-core has no wheels for older Pythons."""


def slicer_must_be_there():
    """Whether slicer-core is part of this environment's checks."""
    return bool(os.environ.get("CI")) and sys.version_info >= SLICER_CORE_FROM


def slicer_core():
    """The module ``slicer`` of the package slicer-core."""
    if slicer_must_be_there():
        import slicer

        return slicer
    return pytest.importorskip("slicer", reason="the package slicer-core is not installed: nothing was tested on real MRML")


def deep_learning():
    """torch, where the deep-learning packages are installed; the project's checks need them."""
    if os.environ.get("CI"):
        import torch

        return torch
    return pytest.importorskip("torch", reason="torch is not installed: no network was tested (pip install '.[dl]')")


def package(name, untested):
    """The module of that name; where it is part of the project's checks a missing one fails, elsewhere it skips.

    Args:
        name: A module of a package that the extra ``test`` installs.
        untested: What is not tested without it, in words.
    """
    if os.environ.get("CI"):
        return importlib.import_module(name)
    return pytest.importorskip(name, reason=f"{name} is not installed: {untested}")
