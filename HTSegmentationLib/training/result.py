"""How a training ended: its folds, what they reach on the cases they did not see, and where everything lies."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from HTSegmentationLib.cohort.batch.stop import StopRequest
from HTSegmentationLib.cohort.evaluation.results import CaseResult, MethodResults
from HTSegmentationLib.measure.statistics.summary import summarize
from HTSegmentationLib.remark import Remark

_DECIMALS = 4
"""More digits than a mean over patients has."""


@dataclass(frozen=True)
class FoldOutcome:
    """How the training of a fold ended.

    Args:
        fold: Its number.
        ended: ``"epochs"`` (all were done), ``"patience"`` (no gain any more) or ``"time"`` (the minutes given were over);
            of a cascade, that of the second stage.
        epochs: How many were done, of each stage.
        best_epochs: Whose weights count, of each stage; 0 for those of the moment at which the time was over.
        best: Validation loss or Dice of these weights, of each stage; None without validation.
        seconds: Time in s of the training, validation included.
        weights: The weights, of each stage, below the run's folder.
        weights_sha256: Their SHA-256.
    """

    fold: int
    ended: str
    epochs: tuple[int, ...]
    best_epochs: tuple[int, ...]
    best: tuple[float | None, ...]
    seconds: float
    weights: tuple[str, ...]
    weights_sha256: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    @classmethod
    def read(cls, path: Path) -> FoldOutcome | None:
        """The outcome in a file; None where there is none that can be read, so that the fold is gone through again."""
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            return cls(**{key: tuple(value) if isinstance(value, list) else value for key, value in values.items()})
        except (OSError, ValueError, TypeError, AttributeError):
            return None


@dataclass(frozen=True)
class FoldResult:
    """A fold that is done.

    Args:
        outcome: How its training ended.
        model: Its model folder.
        metrics: What it reaches on its held-out cases, the key ``metrics`` of its ``model.json``.
        failures: Why held-out cases could not be segmented, by case.
    """

    outcome: FoldOutcome
    model: Path
    metrics: Mapping[str, Any]
    failures: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class TrainingResult:
    """How a training ended.

    Args:
        folder: The run's folder.
        folds: The folds that are done.
        ensemble: The model folder with the networks of all folds; None before all that were asked for are done.
        metrics: What all folds together reach on held-out cases.
        results: The table of all held-out cases, for ``htseg evaluate``; None without any.
        remarks: What must be told.
        stop: Whether and by what it was stopped.
    """

    folder: Path
    folds: tuple[FoldResult, ...]
    ensemble: Path | None
    metrics: Mapping[str, Any]
    results: Path | None
    remarks: tuple[Remark, ...]
    stop: StopRequest


def metrics_of(results: Sequence[MethodResults], measured_on: str) -> dict[str, Any]:
    """What held-out cases say of a model, as plain values for ``model.json``.

    Dice as in any table of this library: both masks empty is 1, one of them empty 0.

    Args:
        results: Of one or more folds.
        measured_on: On which cases, in one sentence.

    Returns:
        Empty where no case has a Dice.
    """
    cases = [case for method in results for case in method.cases if case.number("dice") is not None]
    if not cases:
        return {}
    found: dict[str, Any] = {"measured_on": measured_on, **_group(cases)}
    found["failed"] = sum(len(method.failures) for method in results)
    labels = dict.fromkeys(label for method in results for label in method.labels)
    for label in labels:
        of_label = summarize([case.number("dice", label) for case in cases], resamples=0)
        if of_label.n:
            found.setdefault("by_label", {})[label] = {"cases": of_label.n, "dice_mean": _rounded(of_label.mean)}
    types = dict.fromkeys(case.text("ht_type") for case in cases)
    if len(types) > 1:
        by_type = {name or "no type": _group([c for c in cases if c.text("ht_type") == name]) for name in sorted(types)}
        found["by_type"] = by_type
    return found


def _group(cases: Sequence[CaseResult]) -> dict[str, Any]:
    dice = summarize([case.number("dice") for case in cases], resamples=0)
    errors = [abs(case.number("volume_difference_ml")) for case in cases]
    return {
        "cases": dice.n,
        "dice_mean": _rounded(dice.mean),
        "dice_sd": _rounded(dice.sd),
        "dice_median": _rounded(dice.median),
        "volume_error_ml_mean": _rounded(summarize(errors, resamples=0).mean),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DECIMALS)
