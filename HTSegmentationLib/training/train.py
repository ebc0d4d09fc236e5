"""Trains an architecture on a site's own cases: folds, models, results on held-out cases, and an ensemble."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from HTSegmentationLib.cohort.batch.lock import locked
from HTSegmentationLib.cohort.batch.stop import StopRequest, heeding_signals
from HTSegmentationLib.errors import Cancelled, UsageError
from HTSegmentationLib.inference.device import choose_device, import_torch
from HTSegmentationLib.progress import Progress, silent
from HTSegmentationLib.remark import Remark
from HTSegmentationLib.training.cache import prepared_cases
from HTSegmentationLib.training.cached_case import CachedCase
from HTSegmentationLib.training.cases import TrainingCase, case_remarks, label_values
from HTSegmentationLib.training.curve import has_tensorboard
from HTSegmentationLib.training.distributed import Team, joined, team_from_environment
from HTSegmentationLib.training.fold_run import FoldJob, train_fold
from HTSegmentationLib.training.folds import Fold, make_folds, split_of
from HTSegmentationLib.training.labels import label_map_for
from HTSegmentationLib.training.result import FoldOutcome, FoldResult, TrainingResult
from HTSegmentationLib.training.run_folder import LOCK_NAME, RunFolder
from HTSegmentationLib.training.run_models import RunModels
from HTSegmentationLib.training.run_record import fold_table, run_record
from HTSegmentationLib.training.settings import TrainingSettings
from HTSegmentationLib.training.train_options import TrainOptions, device_name, require_patch, require_sense, workers_for
from HTSegmentationLib.training.watching import RunMoment, Watching


def train(
    cases: Sequence[TrainingCase],
    settings: TrainingSettings,
    folder: str | Path,
    options: TrainOptions | None = None,
    *,
    manifest: str | Path = "cohort.csv",
    watcher: Callable[[RunMoment], None] = lambda _: None,
    progress: Progress = silent,
) -> TrainingResult:
    """Trains a network for each fold, tests each on the cases that it did not see, and puts all into an ensemble.

    A call with the same cases and settings goes on where an earlier one was stopped or killed. Started by ``torchrun`` in
    several processes, they train each network together, one a card; the first of them writes.

    Args:
        cases: What :func:`HTSegmentationLib.training.cases.read_training_cases` gave.
        settings: How it is trained.
        folder: Where everything is written; made if it is not there.
        options: How it is run.
        manifest: The table that the cases are from.
        watcher: Told after each step.
        progress: Told while cases are prepared and held-out ones predicted.

    Returns:
        How it ended; models and tables lie in the folder.

    Raises:
        UsageError: The folder holds another training, other files, or is in use; or the cases do not suffice for the folds.
        ParameterError: The references' values do not fit the labels, or an option is out of range.
        DivergedError: Loss or gradients are no numbers any more; the last good state is kept.
        SegmentationError: Cases cannot be prepared.
        OutputError: A file cannot be written, as on a full disk; what was written before is kept.
        MissingPackageError: PyTorch is not installed.

    Example:
        >>> cases = read_training_cases("cohort.csv")                          # doctest: +SKIP
        >>> train(cases, published_settings("se-unet"), "run").metrics         # doctest: +SKIP
    """
    options = options or TrainOptions()
    if all(case.simulated for case in cases):
        options = dataclasses.replace(options, words=dataclasses.replace(options.words, simulated=True))
    label_map_for(label_values(cases), settings.labels, settings.label_map)
    folds = _folds(cases, settings, options.held_out)
    require_sense(options, settings, folds)
    require_patch(settings)
    team = team_from_environment()
    device = choose_device(device_name(options.device, team))
    place = RunFolder(Path(folder).absolute())
    with joined(team, device.torch_device), heeding_signals() as stop, _held(place, team) as remarks:
        name = options.name or settings.architecture
        if team.is_first:
            record = run_record(cases, settings, name, options.held_out, manifest)
            _begin(place, record, fold_table(cases, folds), options)
        how = {"cache": options.cache or place.cache, "jobs": options.jobs}
        cached = _prepared(cases, settings, **how, team=team, stop=stop, progress=progress)
        said = (*remarks, *device.remarks, *_remarks(cases, cached, options))
        models = RunModels(
            place=place,
            settings=settings,
            cases={case.case_id: case for case in cases},
            folds=folds,
            name=name,
            words=options.words,
            device=device,
            processes=team.size,
            precision=options.precision,
            jobs=options.jobs,
            manifest=Path(manifest).name,
            stop=stop,
        )
        wanted = [fold for fold in folds if not options.folds or fold.number in options.folds]
        minutes = None if options.minutes is None else options.minutes / len(wanted)
        half = device.is_cuda if options.precision == "auto" else options.precision == "mixed"
        shared = {
            "half": half,
            "workers": workers_for(options, device.is_cuda),
            "minutes": minutes,
            "stop": lambda: stop.wanted,
        }
        jobs = [FoldJob(place, settings, fold, cached, team, device, **shared) for fold in (wanted if cached else [])]
        done = _all_folds(jobs, models, watcher, progress)
        return _result(models, done, said, whole=bool(done) and len(done) == len(wanted) and team.is_first)


def _all_folds(
    jobs: Sequence[FoldJob], models: RunModels, watcher: Callable[[RunMoment], None], progress: Progress
) -> list[FoldResult]:
    """The folds one after the other; fewer when somebody wanted it to end. In all processes but the first one, empty."""
    done: list[FoldResult] = []
    if not jobs:
        return done
    stages = len(jobs[0].stages)
    watching = Watching(len(jobs) * stages, jobs[0].seconds, watcher)
    for number, job in enumerate(jobs):
        watching.finished(number * stages)
        first = job.team.is_first
        known = models.known(job.fold) if first else None
        if job.team.told(known is not None and _is_over(known.outcome, job)):
            done += [known] if first else []
            continue

        def watch(stage: int | None, moment: object, job: FoldJob = job) -> None:
            watching(job.fold.number, (stage or 1) - 1, stage, moment)

        outcome = train_fold(job, watch)
        # A wish that came with the last step would not be heard of by the prediction.
        if outcome is None or job.team.any(job.stop())[0]:
            break
        _let_go(job)
        found = models.of_fold(job.fold, outcome, progress) if first else None
        if not job.team.told(found is not None):
            break
        done += [found] if first else []
    return done


def _is_over(outcome: FoldOutcome, job: FoldJob) -> bool:
    """Whether a fold that was trained before has nothing left to do."""
    return outcome.ended != "time" or (job.minutes is not None and outcome.seconds >= job.minutes * 60)


def _result(models: RunModels, done: list[FoldResult], remarks: tuple[Remark, ...], *, whole: bool) -> TrainingResult:
    """The end of the run; when all folds that were asked for are done, with those that earlier calls did."""
    ensemble = table = None
    metrics: Mapping[str, object] = {}
    if whole:
        now = {result.outcome.fold: result for result in done}
        found = (now.get(fold.number) or models.known(fold) for fold in models.folds)
        done = [result for result in found if result is not None]
        model, table = models.ensemble(done)
        ensemble, metrics = model.folder, model.description.metrics
    return TrainingResult(models.place.path, tuple(done), ensemble, metrics, table, remarks, models.stop)


def _folds(cases: Sequence[TrainingCase], settings: TrainingSettings, held_out: Sequence[str]) -> tuple[Fold, ...]:
    share = settings.validation_share
    if held_out:
        return (split_of(cases, held_out, settings.seed, validation_share=share),)
    return make_folds(cases, settings.folds, settings.seed, validation_share=share)


@contextlib.contextmanager
def _held(place: RunFolder, team: Team) -> Iterator[tuple[Remark, ...]]:
    """Holds the folder, in the process that writes into it."""
    if not team.is_first:
        yield ()
        return
    place.make()
    with locked(place.path / LOCK_NAME) as remarks:
        yield remarks


def _begin(place: RunFolder, record: dict, rows: list[dict], options: TrainOptions) -> None:
    place.require_own()
    if options.resume and place.read_settings() is None:
        raise UsageError(f"{place.path}: there is no training to go on with; leave --resume out to begin one")
    if options.force:
        place.clear()
    place.require_same(record)
    place.begin(record, rows)


def _prepared(
    cases: Sequence[TrainingCase],
    settings: TrainingSettings,
    *,
    cache: Path,
    jobs: int | None,
    team: Team,
    stop: StopRequest,
    progress: Progress,
) -> dict[str, CachedCase]:
    """The prepared cases by their names; empty when somebody wanted it to end. The first process makes, the others read."""

    def heeding(stage: str, fraction: float) -> None:
        if stop.wanted:
            raise Cancelled
        progress(stage, fraction)

    found: list[CachedCase] | None = None
    if team.is_first:
        with contextlib.suppress(Cancelled):
            found = prepared_cases(cases, settings, cache, jobs=jobs, progress=heeding)
    if not team.told(found is not None):
        return {}
    if found is None:
        found = prepared_cases(cases, settings, cache, jobs=1)
    return {case.case_id: case for case in found}


def _remarks(cases: Sequence[TrainingCase], cached: Mapping[str, CachedCase], options: TrainOptions) -> tuple[Remark, ...]:
    found = [*case_remarks(cases), *(remark for case in cached.values() for remark in case.remarks)]
    simulated = sum(case.simulated for case in cases)
    if 0 < simulated < len(cases) and not options.words.simulated:
        text = (
            f"{simulated} of {len(cases)} cases were simulated; the models' words do not say so unless you do (--warning)."
        )
        found.append(Remark("cases-partly-simulated", text))
    if not has_tensorboard():
        text = "No events for TensorBoard were written, since the package tensorboard is not installed; curve.csv has all."
        found.append(Remark("no-tensorboard", text))
    return tuple(found)


def _let_go(job: FoldJob) -> None:
    """Gives a card's memory back, which the prediction in a process of its own needs."""
    if job.device.is_cuda:
        import_torch().cuda.empty_cache()
