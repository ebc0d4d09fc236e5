"""How a training is run, and whether that makes sense."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from HTSegmentationLib.errors import ParameterError, UsageError
from HTSegmentationLib.inference.device import import_torch
from HTSegmentationLib.machine import usable_cores
from HTSegmentationLib.networks.registry import build_network
from HTSegmentationLib.training.distributed import Team
from HTSegmentationLib.training.folds import Fold
from HTSegmentationLib.training.model_folder import require_name
from HTSegmentationLib.training.model_words import ModelWords
from HTSegmentationLib.training.settings import TrainingSettings

PRECISIONS = ("auto", "single", "mixed")
"""What the forward and backward passes are computed in."""

_MOST_WORKERS = 8
"""Processes that cut patches for a graphics card; more of them keep none busier."""


@dataclass(frozen=True)
class TrainOptions:
    """How a training is run; but for ``held_out`` and ``minutes``, nothing of this changes what a network learns.

    Args:
        name: The ensemble's name; those of the folds have ``-fold0`` and so on behind it. None: the architecture's.
        words: What is said of the models.
        held_out: Ids of the cases of one split that are held out; empty deals the cases out to folds.
        folds: The folds that are trained now; empty for all.
        device: Where it runs, see :func:`HTSegmentationLib.inference.device.choose_device`.
        precision: ``"single"``, ``"mixed"``, or ``"auto"``: mixed on NVIDIA cards alone. Of processors, those that have
            instructions for bfloat16 take two thirds of the time with mixed precision; the others take longer.
        jobs: Cases that are prepared or predicted at once; None for what suits.
        workers: Processes that cut patches; None for what suits.
        cache: The folder of prepared cases, which several runs may share; None for one of this run.
        minutes: Training ends after so many minutes, shared out among the folds, those of earlier calls counted.
        force: Whether another training in the folder is taken away.
        resume: Whether there must be a training to go on with.
    """

    name: str | None = None
    words: ModelWords = field(default_factory=ModelWords)
    held_out: tuple[str, ...] = ()
    folds: tuple[int, ...] = ()
    device: str = "auto"
    precision: str = "auto"
    jobs: int | None = None
    workers: int | None = None
    cache: Path | None = None
    minutes: float | None = None
    force: bool = False
    resume: bool = False


def require_sense(options: TrainOptions, settings: TrainingSettings, folds: Sequence[Fold]) -> None:
    """Checks the options before anything is read or made.

    Raises:
        UsageError: They do not go together, or name a fold that is not there.
        ParameterError: A number is out of range.
    """
    if options.precision not in PRECISIONS:
        raise ParameterError(f"precision is {options.precision!r}; allowed are {', '.join(PRECISIONS)}")
    require_name(f"{options.name or settings.architecture}-fold{len(folds)}")
    unknown = sorted(set(options.folds) - {fold.number for fold in folds})
    if unknown:
        raise UsageError(f"there is no fold {unknown[0]}; there are 0 to {len(folds) - 1}")
    if options.minutes is not None and not (options.minutes > 0 and math.isfinite(options.minutes)):
        raise ParameterError(f"minutes is {options.minutes}; it must be above 0")
    for key, least in (("jobs", 1), ("workers", 0)):
        value = getattr(options, key)
        if value is not None and value < least:
            raise ParameterError(f"{key} is {value}; it must be {least} or more")
    if options.force and options.resume:
        raise UsageError("--force takes an earlier training away and --resume goes on with it; give one of them")


def require_patch(settings: TrainingSettings) -> None:
    """Checks that the network takes the patches, before cases are prepared for it.

    Raises:
        ParameterError: It does not.
        MissingPackageError: torch, or a package of the architecture, is not installed.
    """
    with import_torch().device("meta"):
        fault = build_network(settings.architecture, settings.network_arguments()).size_fault(settings.window)
    if fault:
        key, sides = ("patch", settings.patch) if settings.patch else ("input.size", settings.input.size)
        raise ParameterError(
            f"{key} is {list(sides)} (x, y, z), which {settings.architecture} does not take: {fault} (z, y, x)"
        )


def device_name(name: str, team: Team) -> str:
    """The device of this process: each of a team takes the card with its own number.

    Raises:
        UsageError: All of them were told to take the same one.
    """
    if team.size == 1 or name == "cpu":
        return name
    torch = import_torch()
    if name in ("auto", "cuda") and torch.cuda.is_available():
        return f"cuda:{team.local_rank}"
    if name == "auto":
        return "cpu"
    raise UsageError(f"--device {name} with {team.size} processes: give cuda, auto or cpu; each process takes its own card")


def workers_for(options: TrainOptions, on_card: bool) -> int:
    """How many processes cut patches: a card waits unless several do, a processor has the network itself to keep it busy."""
    if options.workers is not None:
        return options.workers
    return min(usable_cores(), _MOST_WORKERS) if on_card else 0
