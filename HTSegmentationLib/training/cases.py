"""The cases that a training learns from: read, checked as a whole, and described by what the folds need to know."""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from HTSegmentationLib.cohort.manifest import Case, Problem, read_manifest
from HTSegmentationLib.cohort.parallel import each_of
from HTSegmentationLib.errors import OutputError, UsageError
from HTSegmentationLib.files import write_json
from HTSegmentationLib.progress import Progress, silent
from HTSegmentationLib.remark import Remark, Severity
from HTSegmentationLib.training.case_check import CheckedCase, case_key, check_case
from HTSegmentationLib.training.labels import listed_values

KNOWN_FILE = "cases.json"
"""What is known of cases that were checked before, in the cache."""

_PATIENT_COLUMN, _FOLD_COLUMN = "patient_id", "fold"
"""Columns of the table that mean something to a training alone; capital letters do not count."""

_SHOWN = 20
"""Problems that a message lists; more of them have one cause."""

_NAMED = 3
"""Cases that a remark names."""


@dataclass(frozen=True)
class TrainingCase:
    """One case with its reference.

    Args:
        case_id: Its name.
        row: Its row in the table, as a spreadsheet program counts it.
        image: The CT: a volume file, or a DICOM file or folder.
        reference: The mask, on the CT's grid.
        patient: Whose scan it is: the column ``patient_id``, or the case itself.
        ht_type: Its type; empty where there is none.
        volume_ml: Volume of all that the reference holds, in mL.
        labels: The values above 0 in the reference; empty for a case without a lesion.
        series: Which DICOM series of the image; None where there is but one.
        fold: The column ``fold``; empty where there is none.
        image_sha256: Of the file or folder.
        reference_sha256: Of the file.
        simulated: Whether a record beside the image says that it was simulated.
        assume_hu: Whether values are taken as HU even if they do not look like it.
        hu_offset: HU to add to every voxel.
    """

    case_id: str
    row: int
    image: Path
    reference: Path
    patient: str
    ht_type: str
    volume_ml: float
    labels: tuple[int, ...]
    series: str | None
    fold: str
    image_sha256: str
    reference_sha256: str
    simulated: bool = False
    assume_hu: bool = False
    hu_offset: float = 0.0

    @property
    def reading(self) -> dict[str, Any]:
        """The keyword arguments of ``read_ct`` that the case is read with."""
        return {"series": self.series, "assume_hu": self.assume_hu, "hu_offset": self.hu_offset}


class TrainingCasesError(UsageError):
    """Cases cannot be trained on; the message lists them with their rows.

    Args:
        manifest: The table of cases.
        problems: Everything that must be mended.
    """

    def __init__(self, manifest: Path, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        more = f"; and {len(problems) - _SHOWN} more problems" if len(problems) > _SHOWN else ""
        super().__init__(f"{manifest}: {'; '.join(str(problem) for problem in problems[:_SHOWN])}{more}")


def read_training_cases(
    manifest: str | Path,
    *,
    label_map: Sequence[tuple[int, int]] | None = None,
    assume_hu: bool = False,
    hu_offset: float = 0.0,
    cache_folder: Path | None = None,
    jobs: int | None = None,
    progress: Progress = silent,
) -> tuple[TrainingCase, ...]:
    """Reads a table of cases, and every scan and reference in it, and checks them.

    The table is that of ``htseg batch``; it needs the column ``reference``, and may have ``patient_id`` (cases of one
    patient are never on both sides of a split) and ``fold``.

    Args:
        manifest: CSV or TSV.
        label_map: Pairs (value in the references, class); None: the values are 1 to n, or one value for all.
        assume_hu: Whether to take values as HU even if they do not look like it.
        hu_offset: HU to add to every voxel of every scan.
        cache_folder: A folder that keeps what was found, so that files that have not changed are not read again; it is
            made where it is not there.
        jobs: How many processes; None: as many as there are cores.
        progress: Told after each case.

    Raises:
        ManifestError: The table cannot be read.
        TrainingCasesError: Something must be mended: files that are missing or cannot be read, references on another grid
            than their scan, no reference, a scan that stands there twice, references whose values do not go together, or no
            lesion at all. Everything is listed.
        OutputError: The cache cannot be written.

    Example:
        >>> [case.volume_ml for case in read_training_cases("cohort.csv")]   # doctest: +SKIP
        [5.21, 14.6]
    """
    table = read_manifest(manifest, needs_roi=False)
    problems = list(table.problems)
    known = _known(cache_folder)
    sound = [case for case in table.cases if not case.problems]
    problems += [Problem(c.row, c.case_id, "there is no reference; name its mask") for c in sound if c.reference is None]
    sound = [case for case in sound if case.reference is not None]
    if table.table_problems:
        raise TrainingCasesError(table.path, problems)
    how = {"assume_hu": assume_hu, "hu_offset": hu_offset}
    work = functools.partial(_checked, known, how)
    few = 1 if _all_known(sound, known, how) else jobs
    found = each_of(work, sound, jobs=few, stage="checking cases", progress=progress)
    pairs = list(zip(sound, found, strict=True))
    _remember(cache_folder, known, found)
    problems += [Problem(case.row, case.case_id, checked.fault) for case, checked in pairs if checked.fault]
    cases = tuple(_training_case(case, checked, how) for case, checked in pairs if not checked.fault)
    problems += _doubled(cases) + (_mixed(cases) if label_map is None else _unnamed(cases, label_map))
    if cases and not problems and not any(case.labels for case in cases):
        problems.append(Problem(1, "", "every reference is empty; there is no lesion to learn from"))
    if problems:
        raise TrainingCasesError(table.path, sorted(problems, key=lambda problem: problem.row))
    return cases


def make_cache(folder: Path) -> None:
    """Makes the folder of the cache where it is not there.

    Raises:
        OutputError: It cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(folder, (error.strerror or str(error)).lower(), "name another folder for the cache") from error


def label_values(cases: Sequence[TrainingCase]) -> tuple[int, ...]:
    """All values above 0 that the references hold."""
    return tuple(sorted({value for case in cases for value in case.labels}))


def case_remarks(cases: Sequence[TrainingCase]) -> tuple[Remark, ...]:
    """What must be said of the cases as a whole.

    Example:
        >>> case_remarks([])
        ()
    """
    remarks = []
    if any(case.assume_hu for case in cases):
        text = "All values were taken for HU, whether they look like it or not, since you said so."
        remarks.append(Remark("hu-assumed", text, Severity.WARNING))
    empty = [case.case_id for case in cases if not case.labels]
    if not empty:
        return tuple(remarks)
    named = ", ".join(empty[:_NAMED]) + (", ..." if len(empty) > _NAMED else "")
    text = f"{len(empty)} of {len(cases)} references are empty ({named}): these cases give background patches alone."
    return (*remarks, Remark("references-empty", text, Severity.CAUTION))


def _checked(known: Mapping[str, Any], how: Mapping[str, Any], case: Case) -> CheckedCase:
    return check_case(case.image, case.reference, {"series": case.series, **how}, known.get(_key(case, how)))


def _training_case(case: Case, checked: CheckedCase, how: Mapping[str, Any]) -> TrainingCase:
    return TrainingCase(
        case_id=case.case_id,
        row=case.row,
        image=case.image,
        reference=case.reference,
        patient=patient_of(case),
        ht_type=case.ht_type,
        volume_ml=checked.volume_ml,
        labels=checked.labels,
        series=case.series,
        fold=fold_of(case),
        image_sha256=checked.image["sha256"],
        reference_sha256=checked.reference["sha256"],
        simulated=checked.simulated,
        **how,
    )


def patient_of(case: Case) -> str:
    """Whose case it is, by the column ``patient_id``; the case's own name where the table does not say."""
    return _extra(case, _PATIENT_COLUMN) or case.case_id


def fold_of(case: Case) -> str:
    """The fold that the table puts it into, by the column ``fold``; empty where it does not say."""
    return _extra(case, _FOLD_COLUMN)


def _extra(case: Case, name: str) -> str:
    """A cell of a column that is not known to every command."""
    found = (cell for column, cell in case.extra.items() if column.lower().replace(" ", "_").replace("-", "_") == name)
    return next(found, "").strip()


def _doubled(cases: Sequence[TrainingCase]) -> list[Problem]:
    """Scans that stand there twice: one of them would be trained on and the other one held out."""
    first: dict[tuple[str, str | None], TrainingCase] = {}
    problems = []
    for case in cases:
        same = first.setdefault((case.image_sha256, case.series), case)
        if same is not case:
            text = f"its scan is that of {same.case_id} (row {same.row}); a scan counts once, remove one of the rows"
            problems.append(Problem(case.row, case.case_id, text))
    return problems


def _mixed(cases: Sequence[TrainingCase]) -> list[Problem]:
    """Cases whose values do not go with those of the others: neither 1 to n, nor one value for all."""
    values = label_values(cases)
    if len(values) <= 1 or values == tuple(range(1, len(values) + 1)):
        return []
    sets = Counter(case.labels for case in cases if case.labels)
    if len(sets) == 1:
        return []
    usual = max(sets, key=lambda labels: (sets[labels], -len(labels)))
    odd = [case for case in cases if set(case.labels) - set(usual)]
    rest = f"those of most cases {listed_values(usual)}; use one set of labels, or name the class of each value"
    return [Problem(case.row, case.case_id, f"its reference holds {listed_values(case.labels)}, {rest}") for case in odd]


def _unnamed(cases: Sequence[TrainingCase], label_map: Sequence[tuple[int, int]]) -> list[Problem]:
    """Cases with values that are in no pair."""
    problems = []
    for case in cases:
        missing = sorted(set(case.labels) - {value for value, _ in label_map})
        if missing:
            text = f"its reference holds {listed_values(missing)}, for which no class is named; name it, 0 for background"
            problems.append(Problem(case.row, case.case_id, text))
    return problems


def _key(case: Case, how: Mapping[str, Any]) -> str:
    return case_key(case.image, case.reference, {"series": case.series, **how})


def _known(folder: Path | None) -> dict[str, Any]:
    if folder is None:
        return {}
    try:
        values = json.loads((folder / KNOWN_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def _all_known(cases: Sequence[Case], known: Mapping[str, Any], how: Mapping[str, Any]) -> bool:
    """Processes of their own take longer to start than a look at files that are known."""
    return all(_key(case, how) in known for case in cases)


def _remember(folder: Path | None, known: Mapping[str, Any], found: Sequence[CheckedCase]) -> None:
    if folder is None:
        return
    new = {checked.key: checked.as_dict() for checked in found if not checked.fault}
    if any(known.get(key) != values for key, values in new.items()):
        make_cache(folder)
        write_json(folder / KNOWN_FILE, {**known, **new})
