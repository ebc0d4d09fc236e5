"""The models of a run: that of each fold, tested on the cases that it did not see, and the ensemble of all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from HTSegmentationLib.cohort.batch.book import BatchState
from HTSegmentationLib.cohort.batch.stop import StopRequest
from HTSegmentationLib.cohort.evaluation.results_file import RESULTS_FILE, read_results
from HTSegmentationLib.errors import HTSegError
from HTSegmentationLib.files import write_json
from HTSegmentationLib.inference.device import Device
from HTSegmentationLib.inference.models.folder import Model, read_model
from HTSegmentationLib.progress import Progress
from HTSegmentationLib.training.cases import TrainingCase
from HTSegmentationLib.training.deviations import deviations
from HTSegmentationLib.training.fold_run import weight_files
from HTSegmentationLib.training.folds import Fold
from HTSegmentationLib.training.held_out import HeldOut, join_results
from HTSegmentationLib.training.model_folder import ModelContent, write_model_folder
from HTSegmentationLib.training.model_words import ModelWords, model_card, texts_of
from HTSegmentationLib.training.result import FoldOutcome, FoldResult, metrics_of
from HTSegmentationLib.training.run_folder import RunFolder, made
from HTSegmentationLib.training.run_record import all_versions
from HTSegmentationLib.training.settings import TrainingSettings


@dataclass(frozen=True)
class RunModels:
    """Makes the models of a run.

    Args:
        place: The run's folder.
        settings: How it is trained.
        cases: All cases, by their names.
        folds: All folds.
        name: The ensemble's name.
        words: What is said of the models.
        device: Where the held-out cases are predicted.
        processes: How many processes trained together.
        precision: What was asked for as precision.
        jobs: Cases that are predicted at once; None for what suits.
        manifest: The name of the table that the cases are from.
        stop: Told when somebody wants the prediction to end.
    """

    place: RunFolder
    settings: TrainingSettings
    cases: Mapping[str, TrainingCase]
    folds: Sequence[Fold]
    name: str
    words: ModelWords
    device: Device
    processes: int
    precision: str
    jobs: int | None
    manifest: str
    stop: StopRequest

    def known(self, fold: Fold) -> FoldResult | None:
        """A fold that an earlier call did; None where anything of it is missing."""
        outcome = FoldOutcome.read(self.place.outcome(fold.number))
        if outcome is None or not self._results(fold).is_file():
            return None
        try:
            model = read_model(self.place.models / self.name_of(fold))
            failures = {case.case_id: case.error for case in read_results(self._results(fold)).failures}
        except HTSegError:
            return None
        return FoldResult(outcome, model.folder, model.description.metrics, failures)

    def of_fold(self, fold: Fold, outcome: FoldOutcome, progress: Progress) -> FoldResult | None:
        """Writes the model of a fold, predicts the held-out cases with it, and writes into it what it reaches.

        Args:
            fold: The fold.
            outcome: How its training ended.
            progress: Told after each case.

        Returns:
            None when somebody wanted it to end before.

        Raises:
            OutputError: A file cannot be written.
        """
        model = self._write(self.name_of(fold), [fold], [outcome], {})

        def watch(state: BatchState) -> None:
            done = state.done + state.failed
            progress(f"fold {fold.number}, held-out cases, {done} of {state.total}", done / state.total)

        held_out = HeldOut(self.place, tuple(self.cases.values()), self.settings, self.manifest)
        how = {"device": self.device.name, "jobs": self.jobs, "watcher": watch}
        summary = held_out.predict(model.folder, fold.number, fold.held_out, **how)
        if summary.stop.wanted:
            self.stop.signal = summary.stop.signal
            return None
        metrics = metrics_of([read_results(self._results(fold))], _measured_on([fold]))
        self._write(self.name_of(fold), [fold], [outcome], metrics)
        write_json(self.place.outcome(fold.number), outcome.as_dict())
        return FoldResult(outcome, model.folder, metrics, summary.failures)

    def ensemble(self, results: Sequence[FoldResult]) -> tuple[Model, Path]:
        """Writes the model that averages the networks of all folds, and the table of all held-out cases.

        Args:
            results: The folds that are done, at least one.

        Raises:
            OutputError: A file cannot be written.
        """
        outcomes = [result.outcome for result in results]
        folds = [fold for outcome in outcomes for fold in self.folds if fold.number == outcome.fold]
        table = join_results(self.place, [fold.number for fold in folds], self.name)
        metrics = metrics_of([read_results(table)], _measured_on(folds))
        return self._write(self.name, folds, outcomes, metrics), table

    def name_of(self, fold: Fold) -> str:
        """The name of a fold's model."""
        return f"{self.name}-fold{fold.number}"

    def _results(self, fold: Fold) -> Path:
        return self.place.predictions / f"fold_{fold.number}" / RESULTS_FILE

    def _write(self, name: str, folds: Sequence[Fold], outcomes: Sequence[FoldOutcome], metrics: Mapping[str, Any]) -> Model:
        weights, first_stage = weight_files(outcomes, self.place)
        trained_on = dict.fromkeys(case for fold in folds for case in (*fold.training, *fold.validation))
        texts = texts_of(self.words, self.settings.architecture, len(trained_on))
        training = self._training(folds, outcomes, [self.cases[name] for name in trained_on])
        card = model_card(name, texts, training, metrics, deviations(self.settings))
        content = ModelContent(name, self.settings, weights, first_stage, texts, training, metrics, card)
        return write_model_folder(made(self.place.models), content)

    def _training(
        self, folds: Sequence[Fold], outcomes: Sequence[FoldOutcome], cases: Sequence[TrainingCase]
    ) -> dict[str, Any]:
        """What ``model.json`` tells of the training; no name of a case, a patient or a folder."""
        volumes = [case.volume_ml for case in cases if case.volume_ml > 0]
        return {
            "cases": len(cases),
            "patients": len({case.patient for case in cases}),
            "cases_by_type": dict(sorted(Counter(case.ht_type or "no type" for case in cases).items())),
            "bleed_ml": [round(min(volumes), 2), round(max(volumes), 2)],
            "simulated": self.words.simulated,
            "folds": [fold.number for fold in folds],
            "of_folds": len(self.folds),
            "ended_by": [outcome.ended for outcome in outcomes],
            "epochs": [list(outcome.epochs) for outcome in outcomes],
            "weights_of_epochs": [[epoch or "the last step" for epoch in outcome.best_epochs] for outcome in outcomes],
            "minutes": round(sum(outcome.seconds for outcome in outcomes) / 60, 1),
            "device": self.device.title,
            "processes": self.processes,
            "precision": self.precision,
            "versions": all_versions(),
            "settings": self.settings.as_dict(),
        }


def _measured_on(folds: Sequence[Fold]) -> str:
    """Where the figures of a model come from, in one sentence."""
    count = sum(len(fold.held_out) for fold in folds)
    counted = "1 case that was" if count == 1 else f"{count} cases that were"
    text = f"Measured on {counted} held out of the training"
    if len(folds) > 1:
        text += ", each by the network that did not see it; the average of all networks was not measured"
    if any(fold.watches_held_out for fold in folds):
        text += ". The same cases decided which epoch counts, so the figures are a little too good"
    return f"{text}."
