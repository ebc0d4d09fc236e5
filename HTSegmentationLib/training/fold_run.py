"""One fold from its cases to its weights: one network, or the two of a cascade one after the other."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from HTSegmentationLib.errors import MissingPackageError
from HTSegmentationLib.inference.device import Device, import_torch
from HTSegmentationLib.inference.models.weights import sha256_of
from HTSegmentationLib.networks.registry import build_network
from HTSegmentationLib.training.cached_case import CachedCase
from HTSegmentationLib.training.curve import PICTURE_FILE, read_curve, write_curve_picture
from HTSegmentationLib.training.distributed import Team
from HTSegmentationLib.training.fold_plan import FoldPlan, Moment, torch_seed
from HTSegmentationLib.training.folds import Fold
from HTSegmentationLib.training.loop import BEST_FILE, FoldTraining
from HTSegmentationLib.training.losses import make_loss
from HTSegmentationLib.training.optimisers import Schedule, make_optimiser
from HTSegmentationLib.training.patches import PatchLoader
from HTSegmentationLib.training.result import FoldOutcome
from HTSegmentationLib.training.run_folder import RunFolder, made
from HTSegmentationLib.training.settings import TrainingSettings

if TYPE_CHECKING:
    from torch import nn

_SLICES = 2
"""Spatial dimensions of a network that works slice by slice."""


@dataclass(frozen=True)
class FoldJob:
    """What the training of a fold takes.

    Args:
        place: The run's folder.
        settings: How it is trained.
        fold: Which cases are trained on.
        cached: The prepared cases, by their names.
        team: The processes that train together.
        device: Where this one computes.
        half: Whether to compute in mixed precision.
        workers: Processes that cut patches for this one.
        minutes: How many minutes the fold may take in all; None for any.
        stop: Asked after each step.
    """

    place: RunFolder
    settings: TrainingSettings
    fold: Fold
    cached: Mapping[str, CachedCase]
    team: Team
    device: Device
    half: bool
    workers: int
    minutes: float | None
    stop: Callable[[], bool]

    @property
    def stages(self) -> tuple[int | None, ...]:
        """The stages of a cascade; None where there is one network."""
        return (1, 2) if self.settings.stage == "cascade" else (None,)

    @property
    def seconds(self) -> float | None:
        """Time in s that each stage may take."""
        return None if self.minutes is None else self.minutes * 60 / len(self.stages)


def train_fold(job: FoldJob, watcher: Callable[[int | None, Moment], None]) -> FoldOutcome | None:
    """Trains the networks of a fold, or goes on with them.

    Args:
        job: What it takes.
        watcher: Told the stage and the moment after each step.

    Returns:
        How it ended; None when somebody wanted it to end before.

    Raises:
        DivergedError: Loss or gradients are no numbers any more.
        OutputError: A file cannot be written.
    """
    parts = []
    for stage in job.stages:
        training = FoldTraining(_plan(job, stage), job.team, job.device.torch_device)
        try:
            path = training.run(
                seconds=job.seconds, stop=job.stop, watcher=lambda moment, stage=stage: watcher(stage, moment)
            )
        finally:
            if job.team.is_first:
                _draw(job, stage)
        if path is None:
            return None
        parts.append((training.state, path))
    states = [state for state, _ in parts]
    return FoldOutcome(
        fold=job.fold.number,
        ended=states[-1].ended or "time",
        epochs=tuple(state.epoch for state in states),
        best_epochs=tuple(state.best_epoch if path.name == BEST_FILE else 0 for state, path in parts),
        best=tuple(state.best if path.name == BEST_FILE else None for state, path in parts),
        seconds=round(sum(state.seconds for state in states), 3),
        weights=tuple(path.relative_to(job.place.path).as_posix() for _, path in parts),
        weights_sha256=tuple(sha256_of(path) if job.team.is_first else "" for _, path in parts),
    )


def _plan(job: FoldJob, stage: int | None) -> FoldPlan:
    settings, device = job.settings, job.device.torch_device
    seed = (settings.seed, job.fold.number, stage or 1)
    # The first weights follow from the seed as well.
    import_torch().manual_seed(torch_seed(*seed))
    network = _placed(build_network(settings.architecture, settings.network_arguments()), job)
    optimiser = make_optimiser(settings, network.parameters())
    how = {"stage": stage or 1, "pinned": device.type == "cuda"}
    team = {"rank": job.team.rank, "ranks": job.team.size, "workers": job.workers}
    watched = [job.cached[name] for name in job.fold.validation]
    usable = [case for case in watched if stage != 2 or case.has_lesion]  # noqa: PLR2004  (the stage that sees bleeds)
    trained = [job.cached[name] for name in job.fold.training]
    return FoldPlan(
        folder=made(job.place.stage(job.fold.number, stage)),
        network=network,
        loss=make_loss(settings),
        optimiser=optimiser,
        schedule=Schedule(settings, optimiser),
        training=PatchLoader(trained, settings, training=True, **how, **team),
        validation=PatchLoader(usable, settings, training=False, workers=job.workers, **how) if usable else None,
        epochs=settings.epochs,
        patience=settings.patience,
        criterion=settings.validation,
        deep_supervision=settings.deep_supervision,
        seed=seed,
        half=job.half,
    )


def _placed(network: nn.Module, job: FoldJob) -> nn.Module:
    torch = import_torch()
    network = network.to(job.device.torch_device)
    if job.device.name != "cpu":
        return network
    # With channels last, the processor's convolutions take half the time.
    return network.to(memory_format=torch.channels_last if network.spatial_dims == _SLICES else torch.channels_last_3d)


def _draw(job: FoldJob, stage: int | None) -> None:
    """The learning curve as a picture, where there are points and matplotlib."""
    folder = job.place.stage(job.fold.number, stage)
    title = f"{job.settings.architecture}, fold {job.fold.number}{f', stage {stage}' if stage else ''}"
    with contextlib.suppress(MissingPackageError):
        if (folder / "curve.csv").is_file():
            write_curve_picture(folder / PICTURE_FILE, title, read_curve(folder))


def weight_files(outcomes: list[FoldOutcome], place: RunFolder) -> tuple[list[Path], int | None]:
    """The files of weights of some folds, the first stages before the second ones, and how many first stages there are."""
    stages = len(outcomes[0].weights)
    files = [place.path / outcome.weights[stage] for stage in range(stages) for outcome in outcomes]
    return files, len(outcomes) if stages > 1 else None
