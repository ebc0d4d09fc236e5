"""A table of cases as an nnU-Net data set with its folds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from HTSegmentationLib.cohort.batch.lock import locked
from HTSegmentationLib.cohort.batch.machine import default_jobs
from HTSegmentationLib.cohort.manifest import Case, Manifest, Problem
from HTSegmentationLib.cohort.parallel import each_of
from HTSegmentationLib.errors import UsageError
from HTSegmentationLib.files import write_json, write_text
from HTSegmentationLib.progress import Progress, silent
from HTSegmentationLib.remark import Remark
from HTSegmentationLib.training.nnunet.case import CaseJob, WrittenCase, write_case
from HTSegmentationLib.training.nnunet.contents import case_table, dataset_remarks, description
from HTSegmentationLib.training.nnunet.place import DatasetPlace
from HTSegmentationLib.training.nnunet.settings import DatasetSettings
from HTSegmentationLib.training.nnunet.splits import folds_of, splits

CASES_FILE, SPLITS_FILE, DATASET_FILE = "cases.csv", "splits_final.json", "dataset.json"
"""What stands beside the images."""

_MOST_IN_A_LINE = 3
"""Problems that fit into a message of one line."""


class ExportRefused(UsageError):
    """Cases cannot be exported; the message has the first problems, and all of them are kept.

    Args:
        table: The table of cases.
        problems: All that must be mended.
    """

    def __init__(self, table: str | Path, problems: Sequence[Problem]) -> None:
        shown = "; ".join(str(problem) for problem in problems[:_MOST_IN_A_LINE])
        more = len(problems) - _MOST_IN_A_LINE
        super().__init__(f"{table}: {shown}{f'; and {more} more problems' if more > 0 else ''}")
        self.problems = tuple(problems)


@dataclass(frozen=True)
class ExportedDataset:
    """A data set that was written.

    Args:
        folder: ``DatasetNNN_NAME``.
        names: nnU-Net's name of each case by its case_id.
        labels: The labels as nnU-Net has them, by name.
        volumes_ml: Volumes of each label in mL, cases in the order of ``names``.
        fold_sizes: How many cases each fold holds out.
        remarks: What must be told.
    """

    folder: Path
    names: dict[str, str]
    labels: dict[str, int]
    volumes_ml: dict[str, tuple[float, ...]]
    fold_sizes: tuple[int, ...]
    remarks: tuple[Remark, ...]


def export_dataset(
    manifest: Manifest,
    parent: str | Path,
    settings: DatasetSettings,
    *,
    jobs: int | None = None,
    force: bool = False,
    progress: Progress = silent,
) -> ExportedDataset:
    """Writes a table of cases as a raw data set of nnU-Net version 2, whole or not at all.

    All scans are on rectangular grids in HU, references on the grids of their scans, labels counted from 1. ``dataset.json``
    describes them; ``splits_final.json`` holds the folds, by patient and even in type and volume, which nnU-Net takes over
    when it plans; ``cases.csv`` says which case is which.

    Args:
        manifest: The table; its columns ``patient_id`` and ``fold`` count if there are such.
        parent: nnU-Net's folder of raw data, which is there.
        settings: The data set.
        jobs: How many cases at once; None: as cores and memory allow.
        force: Whether a data set of the same name is replaced.
        progress: Told after each case.

    Raises:
        ExportRefused: Cases cannot be exported; all their problems are told at once, and nothing is in its place. What was
            built is kept for the next run.
        UsageError: The data set or its ID is taken, or the cases do not suffice for the folds.
        OutputError: A file cannot be written.

    Example:
        >>> manifest = read_manifest("cohort.csv", needs_roi=False)                               # doctest: +SKIP
        >>> export_dataset(manifest, "nnUNet_raw", DatasetSettings(501, "HT")).folder             # doctest: +SKIP
        PosixPath('nnUNet_raw/Dataset501_HT')
    """
    place = DatasetPlace(Path(parent), settings)
    _require_free(place, settings, force)
    _require_usable(manifest, settings)
    cases = manifest.cases
    names = dict(zip((case.case_id for case in cases), settings.case_names(len(cases)), strict=True))
    place.make()
    with locked(place.lock) as said:
        tasks = [CaseJob(case, names[case.case_id], place.dataset, place.records, settings) for case in cases]
        count = default_jobs(len(cases)) if jobs is None else jobs
        written = each_of(write_case, tasks, jobs=count, stage="exporting", progress=progress)
        _require_written(manifest, written, settings)
        folds = folds_of(cases, [sum(made.volumes_ml) for made in written], settings.folds, settings.seed)
        place.keep_only(names.values())
        write_json(place.dataset / SPLITS_FILE, splits(folds, names))
        write_text(place.dataset / CASES_FILE, case_table(names, cases, written, folds, settings))
        write_json(place.dataset / DATASET_FILE, description(len(cases), settings))
        place.publish()
    place.clear()
    return ExportedDataset(
        folder=place.target,
        names=names,
        labels=settings.scheme.as_json(),
        volumes_ml={
            label: tuple(made.volumes_ml[number] for made in written) for number, label in enumerate(settings.scheme.names)
        },
        fold_sizes=tuple(len(fold.held_out) for fold in folds),
        remarks=(*manifest.remarks, *said, *dataset_remarks(place, settings, list(names.values()), written)),
    )


def _require_free(place: DatasetPlace, settings: DatasetSettings, force: bool) -> None:
    taken = place.namesakes()
    if taken:
        raise UsageError(
            f"{taken[0]}: it has the ID {settings.dataset_id} already, which nnU-Net allows once; choose another"
        )
    if place.target.exists() and not force:
        raise UsageError(f"{place.target}: it is there already; choose another ID or name, or give --force to replace it")


def _require_usable(manifest: Manifest, settings: DatasetSettings) -> None:
    """All that can be said before the scans are read."""
    problems = [*manifest.problems]
    problems += [
        Problem(case.row, case.case_id, "reference is empty; nnU-Net learns from references alone, name one")
        for case in manifest.ready
        if case.reference is None
    ]
    if problems:
        raise ExportRefused(manifest.path, problems)
    # The volumes are not known yet; whether patients and folds go together is.
    folds_of(manifest.cases, [1.0] * len(manifest.cases), settings.folds, settings.seed)


def _require_written(manifest: Manifest, written: Sequence[WrittenCase], settings: DatasetSettings) -> None:
    """All that the scans and references say, of all cases together."""
    pairs = list(zip(manifest.cases, written, strict=True))
    problems = [Problem(case.row, case.case_id, made.problem) for case, made in pairs if made.problem]
    first: dict[str, Case] = {}
    for case, made in pairs:
        same = case if made.problem else first.setdefault(made.scan, case)
        if same is not case:
            text = f"its scan is that of {same.case_id} (row {same.row}); a scan counts once, remove one of the rows"
            problems.append(Problem(case.row, case.case_id, text))
    if problems:
        raise ExportRefused(manifest.path, sorted(problems, key=lambda problem: problem.row))
    single = Counter(value for made in written for value in made.found)
    if settings.scheme.values is None and len(single) > 1:
        held = ", ".join(f"{value} in {count}" for value, count in sorted(single.items()))
        problem = f"the references hold different values ({held})"
        raise UsageError(f"{manifest.path}: {problem}; say what they are, as --labels 1=ICH,2=PHE")
    totals = [sum(made.volumes_ml[number] for made in written) for number in range(len(settings.scheme.names))]
    missing = ", ".join(name for name, total in zip(settings.scheme.names, totals, strict=True) if not total)
    if missing:
        raise UsageError(f"{manifest.path}: no reference holds {missing}; nothing could be learned of it, leave it out")
