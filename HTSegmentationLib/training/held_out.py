"""What a model gives for the cases that it was not trained on: predicted, measured and compared as in any batch."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path

import SimpleITK as sitk

from HTSegmentationLib.cohort.batch.book import BatchState
from HTSegmentationLib.cohort.batch.run import BatchOptions, BatchSummary, run_batch
from HTSegmentationLib.cohort.batch.settings import BatchSettings
from HTSegmentationLib.cohort.batch.table import write_csv
from HTSegmentationLib.cohort.evaluation.results_file import RESULTS_FILE, TIMINGS_FILE
from HTSegmentationLib.cohort.manifest.case import Case, Manifest
from HTSegmentationLib.ct.geometry import array_to_image
from HTSegmentationLib.errors import InputError
from HTSegmentationLib.export.mask_files import write_mask
from HTSegmentationLib.roi import read_labels
from HTSegmentationLib.training.cases import TrainingCase, label_values
from HTSegmentationLib.training.labels import LabelMap, label_map_for
from HTSegmentationLib.training.run_folder import RunFolder, made
from HTSegmentationLib.training.settings import TrainingSettings

FOLD_COLUMN = "fold"
"""The column that tells in which fold a case was held out."""

_COLUMNS = ("case_id", "image", "reference", "ht_type", FOLD_COLUMN)


class HeldOut:
    """The cases as a batch takes them: without ROIs, with the references that the networks were trained on.

    Args:
        place: The run's folder.
        cases: All cases.
        settings: Says which values of the references are which class.
        manifest: The table that the cases are from; known by its name alone.
    """

    def __init__(self, place: RunFolder, cases: Sequence[TrainingCase], settings: TrainingSettings, manifest: str) -> None:
        self._place = place
        self._cases = {case.case_id: case for case in cases}
        self._manifest = manifest
        self._settings = settings
        values = label_values(cases)
        found = label_map_for(values, settings.labels, settings.label_map)
        # A batch compares a value with the class of the same value, or all values with a single class.
        plain = len(settings.labels) == 1 and all(made for _, made in found.pairs)
        self._mapped = None if plain or all(value == made for value, made in found.pairs) else found

    def predict(
        self,
        model: Path,
        fold: int,
        case_ids: Sequence[str],
        *,
        device: str,
        jobs: int | None = None,
        watcher: Callable[[BatchState], None] = lambda _: None,
    ) -> BatchSummary:
        """Runs a model over the held-out cases of a fold; cases that are done already, with the same weights, are kept.

        Args:
            model: The model folder.
            fold: The fold's number.
            case_ids: The cases.
            device: Where the network runs.
            jobs: Cases at once; None for what suits.
            watcher: Told as the batch goes on.

        Raises:
            OutputError: A file cannot be written.
        """
        cases = tuple(self._case(self._cases[name], row, fold) for row, name in enumerate(case_ids, start=2))
        manifest = Manifest(Path(self._manifest), cases, _COLUMNS)
        # All cases of a table are read in the same way.
        first = next(iter(self._cases.values()))
        settings = BatchSettings(str(model), device=device, assume_hu=first.assume_hu, hu_offset=first.hu_offset)
        folder = made(self._place.predictions / f"fold_{fold}")
        # The same model, trained for longer, has other weights; what an earlier one gave is not kept.
        anew = _made_by_others(folder, manifest, settings)
        return run_batch(manifest, folder, settings, BatchOptions(jobs=jobs, force=anew), watcher)

    def _case(self, case: TrainingCase, row: int, fold: int) -> Case:
        reference = case.reference if self._mapped is None else self._mapped_reference(case, self._mapped)
        return Case(
            row=row,
            case_id=case.case_id,
            image=case.image,
            reference=reference,
            ht_type=case.ht_type,
            series=case.series,
            extra={FOLD_COLUMN: str(fold)},
        )

    def _mapped_reference(self, case: TrainingCase, found: LabelMap) -> Path:
        path = made(self._place.predictions / "references") / f"{case.case_id}.nii.gz"
        if not path.is_file():
            image, _ = read_labels(case.reference)
            classes = found.classes(sitk.GetArrayFromImage(image))
            write_mask(path, array_to_image(classes, image), self._settings.labels)
        return path


def join_results(place: RunFolder, folds: Sequence[int], name: str) -> Path:
    """Writes the results of all folds as one table, in which each case was held out once.

    Args:
        place: The run's folder.
        folds: Those that have results.
        name: What the table calls the method.

    Returns:
        ``predictions/results.csv``, for ``htseg evaluate``.

    Raises:
        InputError: The results of a fold cannot be read.
        OutputError: The table cannot be written.
    """
    for file in (RESULTS_FILE, TIMINGS_FILE):
        rows: list[dict[str, str]] = []
        for fold in folds:
            found = _rows(place.predictions / f"fold_{fold}" / file)
            rows += [_moved(row, fold, name) for row in found]
        columns = list(dict.fromkeys(column for row in rows for column in row))
        write_csv(place.predictions / file, rows, columns)
    return place.predictions / RESULTS_FILE


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(path, "it cannot be read as a table", "take its folder away and give the same command") from error


def _moved(row: dict[str, str], fold: int, name: str) -> dict[str, str]:
    """A row as it reads one folder further up."""
    if row.get("mask"):
        row["mask"] = f"fold_{fold}/{row['mask']}"
    if "method" in row:
        row["method"] = name
    return row


def _made_by_others(folder: Path, manifest: Manifest, settings: BatchSettings) -> bool:
    from HTSegmentationLib.cohort.batch.output_folder import OutputFolder
    from HTSegmentationLib.cohort.batch.settings import differences

    before = OutputFolder(folder).read_settings()
    return before is not None and bool(differences(before, settings.as_record(manifest, settings.segmenter())))
