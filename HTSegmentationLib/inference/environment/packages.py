"""The Python packages: those that the core needs, and those of the networks, looked up and not imported."""

from __future__ import annotations

import importlib
import importlib.util
from importlib import metadata

from HTSegmentationLib.inference.environment.finding import Finding, note, ok, problem

_CORE = (("SimpleITK", "SimpleITK"), ("numpy", "numpy"), ("scipy", "scipy"), ("pydicom", "pydicom"))
"""Module and distribution of what everything needs."""

_NETWORKS = (
    ("safetensors", "safetensors", "weights of networks", "pip install 'htsegmentation[dl]'"),
    ("monai", "monai", "some networks", "pip install 'htsegmentation[dl]'"),
    ("nnunetv2", "nnunetv2", "models trained by nnU-Net", "pip install 'htsegmentation[dl]'"),
    ("totalsegmentator", "TotalSegmentator", "the method totalsegmentator", "pip install TotalSegmentator"),
)
"""Module, distribution, what it is for, and how it is installed."""


def core_findings() -> list[Finding]:
    """The packages without which nothing works; these are imported, as they are by every command."""
    return [_core(module, distribution) for module, distribution in _CORE]


def network_findings() -> list[Finding]:
    """The optional packages beside torch, which are not imported: that alone takes seconds."""
    return [_optional(*entry) for entry in _NETWORKS]


def version_of(distribution: str) -> str | None:
    """The version of an installed distribution; None when it is not installed or its metadata is damaged."""
    try:
        return metadata.version(distribution)
    except (metadata.PackageNotFoundError, OSError, ValueError):
        return None


def is_there(module: str) -> bool:
    """Whether a module can be found, which does not tell that it can be imported."""
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _core(module: str, distribution: str) -> Finding:
    name, fix = distribution.lower(), f"pip install --force-reinstall {distribution}"
    try:
        importlib.import_module(module)
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        return problem(name, distribution, f"it cannot be loaded: {reason}", fix, stops_core=True)
    return ok(name, distribution, version_of(distribution) or "of unknown version")


def _optional(module: str, distribution: str, purpose: str, fix: str) -> Finding:
    name, version = distribution.lower(), version_of(distribution)
    if not is_there(module):
        if version is not None:
            text = f"{version} is listed as installed, and its files are not there"
            return problem(name, distribution, text, f"pip install --force-reinstall {distribution}")
        return note(name, distribution, f"not installed; needed for {purpose}", fix)
    if version is None:
        text = "its files are there and pip does not know it: its installation was cut off"
        return problem(name, distribution, text, f"pip install --force-reinstall {distribution}")
    return ok(name, distribution, version)
