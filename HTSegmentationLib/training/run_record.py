"""What a run was: its settings, its cases, its folds, and the versions of what it depends on."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from HTSegmentationLib.export.record import versions
from HTSegmentationLib.files import sha256_of
from HTSegmentationLib.training.cases import TrainingCase
from HTSegmentationLib.training.folds import Fold
from HTSegmentationLib.training.settings import TrainingSettings
from HTSegmentationLib.version import __version__

RECORD_FORMAT = 1
"""Raised when a key changes its name or its meaning."""

_PACKAGES = ("torch", "monai", "numpy", "scipy", "safetensors")
"""Packages on which the numbers of a training depend."""

_HASH_LETTERS = 16
"""So many of a SHA-256 tell the files of a cohort apart."""


def run_record(
    cases: Sequence[TrainingCase], settings: TrainingSettings, name: str, held_out: Sequence[str], manifest: str | Path
) -> dict[str, Any]:
    """The record of a run, as plain values.

    Args:
        cases: All cases.
        settings: How it is trained.
        name: The ensemble's name.
        held_out: Ids of the cases of one split that are held out; empty for folds.
        manifest: The table that the cases are from; its name and its SHA-256 are kept, not where it lies.
    """
    table = Path(manifest)
    split: Any = sorted(held_out) if held_out else f"{settings.folds} folds"
    if not held_out and any(case.fold for case in cases):
        split = {case.case_id: case.fold for case in cases}
    return {
        "format": RECORD_FORMAT,
        "name": name,
        "settings": settings.as_dict(),
        "split": split,
        "cases": {case.case_id: _fingerprint(case) for case in cases},
        "htsegmentation": __version__,
        "versions": all_versions(),
        "manifest": {"name": table.name, "sha256": sha256_of(table) if table.is_file() else None},
    }


def all_versions() -> dict[str, str]:
    """The versions of all that the numbers of a training depend on."""
    installed = {package for package in _PACKAGES if importlib.util.find_spec(package)}
    return {**versions(), **{package: metadata.version(package) for package in _PACKAGES if package in installed}}


def fold_table(cases: Sequence[TrainingCase], folds: Sequence[Fold]) -> list[dict[str, Any]]:
    """One row a case: what it is, and its part in each fold."""
    return [
        {
            "case_id": case.case_id,
            "patient": case.patient,
            "ht_type": case.ht_type,
            "volume_ml": round(case.volume_ml, 3),
            **{f"fold_{fold.number}": _part(case.case_id, fold) for fold in folds},
        }
        for case in cases
    ]


def _part(case_id: str, fold: Fold) -> str:
    parts = {"held out": fold.held_out, "validation": fold.validation, "training": fold.training}
    return " and ".join(name for name, ids in parts.items() if case_id in ids)


def _fingerprint(case: TrainingCase) -> str:
    offset = f" {case.hu_offset:+g} HU" if case.hu_offset else ""
    return f"{case.image_sha256[:_HASH_LETTERS]} {case.reference_sha256[:_HASH_LETTERS]}{offset}"
