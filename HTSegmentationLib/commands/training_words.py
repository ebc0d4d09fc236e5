"""A recipe and the end of a training in words, and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from HTSegmentationLib.cohort.cells import mean_sd, number, one_line
from HTSegmentationLib.commands.batch_progress import duration
from HTSegmentationLib.commands.words import remark_lines, row
from HTSegmentationLib.training.deviations import deviations
from HTSegmentationLib.training.model_words import TITLES
from HTSegmentationLib.training.recipe_table import published_table
from HTSegmentationLib.training.recipes import TRAINABLE, published_settings
from HTSegmentationLib.training.result import FoldResult, TrainingResult
from HTSegmentationLib.training.settings import TrainingSettings

_ENDS = {
    "epochs": "all epochs done",
    "patience": "no gain any more",
    "time": "the minutes were over",
}
"""Why a training ended."""

_MOST_FAILURES = 20
"""Failed cases that are shown; results.csv has them all."""


def list_words() -> tuple[dict[str, Any], list[str]]:
    """The architectures that can be trained."""
    lines = [row(name, TITLES[name]) for name in TRAINABLE]
    return {"architectures": list(TRAINABLE)}, [*lines, "", "htseg train --architecture NAME --show tells the recipe."]


def recipe_record(settings: TrainingSettings) -> dict[str, Any]:
    """Settings as a file for ``--settings``."""
    return settings.as_dict()


def recipe_words(settings: TrainingSettings) -> list[str]:
    """What the paper says of each choice, what is done here, and why where it differs."""
    lines = [TITLES[settings.architecture], ""]
    for entry in published_table(settings.architecture):
        reason = f" ({entry.reason})" if entry.reason else ""
        lines += [row(entry.what, f"paper: {entry.paper}"), row("", f"here:  {entry.ours}{reason}")]
    changed = deviations(settings) if settings != published_settings(settings.architecture) else ()
    return [*lines, *(["", "Changed by your flags", *(f"- {text}" for text in changed)] if changed else [])]


def result_record(result: TrainingResult) -> dict[str, Any]:
    """How a training ended, as plain values."""
    return {
        "folder": str(result.folder),
        "stopped": result.stop.wanted,
        "folds": [
            {
                **fold.outcome.as_dict(),
                "model": str(fold.model),
                "metrics": dict(fold.metrics),
                "failures": dict(fold.failures),
            }
            for fold in result.folds
        ],
        "ensemble": None if result.ensemble is None else str(result.ensemble),
        "metrics": dict(result.metrics),
        "results": None if result.results is None else str(result.results),
        "remarks": [remark.as_dict() for remark in result.remarks],
    }


def result_words(result: TrainingResult) -> list[str]:
    """How a training ended, for whoever gave the command."""
    lines = [row(f"Fold {fold.outcome.fold}", text) for fold in result.folds for text in _fold_words(fold)]
    if len(result.folds) > 1 and result.metrics:
        lines.append(row("All folds", _dice(result.metrics)))
    if result.ensemble is not None:
        lines.append(row("Method", f"htseg models install {result.ensemble}"))
        lines.append(row("Tables", f"htseg evaluate {result.results.parent}"))
    failures = [(name, reason) for fold in result.folds for name, reason in fold.failures.items()]
    if failures:
        lines += ["", "Failed", *(row(name, one_line(reason)) for name, reason in failures[:_MOST_FAILURES])]
    lines += remark_lines(result.remarks)
    if result.stop.wanted:
        who = "Ctrl+C" if result.stop.by_keyboard else "the system"
        lines += ["", f"Stopped by {who}; the same command goes on from here."]
    return lines


def _fold_words(fold: FoldResult) -> list[str]:
    outcome = fold.outcome
    best = " and ".join(f"epoch {epoch}" if epoch else "the last step" for epoch in outcome.best_epochs)
    done = " and ".join(map(str, outcome.epochs))
    lines = [_dice(fold.metrics)] if fold.metrics else []
    return [*lines, f"weights of {best}, {done} epochs in {duration(outcome.seconds)}, {_ENDS[outcome.ended]}"]


def _dice(metrics: Mapping[str, Any]) -> str:
    cases = metrics["cases"]
    text = f"Dice {mean_sd(metrics['dice_mean'], metrics['dice_sd'])}, median {number(metrics['dice_median'])}"
    return f"{text}, on {cases} held-out case{'' if cases == 1 else 's'}"
