"""A simulated cohort in a folder: one folder a case, and the manifest that batch, evaluation and calibration read."""

from __future__ import annotations

import csv
import dataclasses
import enum
import functools
import io
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from HTSegmentationLib.cohort.batch.fingerprint import fingerprint
from HTSegmentationLib.cohort.cells import safe_cell
from HTSegmentationLib.cohort.parallel import each_of
from HTSegmentationLib.cohort.simulated.backgrounds import PlannedCase, simulate_planned
from HTSegmentationLib.cohort.simulated.case_files import CT, INFARCT, LABELS, ROI, TRUTH, write_case
from HTSegmentationLib.cohort.simulated.contents import COLUMNS as CONTENTS
from HTSegmentationLib.cohort.simulated.contents import contents_of
from HTSegmentationLib.errors import OutputError
from HTSegmentationLib.files import require_writable, write_json, write_text
from HTSegmentationLib.progress import Progress, silent
from HTSegmentationLib.simulate.hand_roi import roi_of_a_control
from HTSegmentationLib.simulate.parameters import SimulationParameters
from HTSegmentationLib.version import __version__

MANIFEST_NAME = "cohort.csv"
"""The manifest's name in the folder."""

_RECORD_NAME = "case.json"
"""What a case was made from; written last, so that a folder without it is not finished."""

_COLUMNS = ("case_id", "image", "roi", "reference", "ht_type", "true_volume_ml", "seed", "label_map", *CONTENTS)
"""The manifest's columns."""

_FILES = (CT, TRUTH, LABELS, INFARCT, ROI)
"""The files of a finished case."""

_VOLUME, _CONTENTS = "true_volume_ml", "contents"
"""What was measured in a case, in its record."""

_OF_FILES = {"background", "infarct_mask"}
"""Columns that name files, which the record has among what the case was made from."""

_CONTROL = "control"
"""What a case without a hemorrhage is called in names and in the column ``ht_type``."""


class Reference(enum.Enum):
    """What the manifest's column ``reference`` names."""

    TRUTH = "truth"
    """The hemorrhage alone, 1."""

    LABELS = "labels"
    """Labels by class: 1 intracerebral hemorrhage, 2 perihematomal edema, 3 intraventricular hemorrhage."""


@dataclass(frozen=True)
class SimulatedCohort:
    """A cohort that was written.

    Args:
        manifest: The file that lists the cases, with paths relative to itself.
        case_ids: The cases, in the manifest's order.
        made: How many were simulated now; the others were there already.
        true_volumes_ml: Their hemorrhages in mL.
    """

    manifest: Path
    case_ids: tuple[str, ...]
    made: int
    true_volumes_ml: tuple[float, ...]


def simulate_cohort(
    parameters: Sequence[SimulationParameters | PlannedCase],
    folder: Path,
    *,
    reference: Reference = Reference.TRUTH,
    jobs: int | None = None,
    progress: Progress = silent,
) -> SimulatedCohort:
    """Writes scan, ROI, truth, labels and infarct of each case into a folder of its own, and the manifest last.

    A case that is there already, made from the same parameters and files by the same version, is not made again. A case
    without a hemorrhage gets an ROI where a bleed might have been, and an empty truth.

    Args:
        parameters: One of each case, as :func:`HTSegmentationLib.simulate.cohort_parameters` gives them, or planned on
            backgrounds. Cases are named after their type: ``hi2-01``, ``ph-01``, ``control-01``.
        folder: A folder that is there.
        reference: What the manifest's column ``reference`` names.
        jobs: How many processes; None: as many as there are cores.
        progress: Told after each case.

    Raises:
        ParameterError: ``jobs`` is below 1.
        InputError: A background or infarct cannot be used.
        OutputError: A file cannot be written.

    Example:
        >>> simulate_cohort(cohort_parameters(2, 1), Path("cohort")).case_ids   # doctest: +SKIP
        ('hi2-01', 'hi2-02', 'ph-01')
    """
    require_writable(folder / MANIFEST_NAME)
    cases = [case if isinstance(case, PlannedCase) else PlannedCase(case) for case in parameters]
    names = _case_ids(cases)
    work = functools.partial(_write_one, folder)
    items = list(zip(names, cases, strict=True))
    done = each_of(work, items, jobs=jobs, apart=True, stage="simulating", progress=progress)
    rows = [_row(name, case, record, reference) for name, case, (record, _) in zip(names, cases, done, strict=True)]
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerows([_COLUMNS, *rows])
    write_text(folder / MANIFEST_NAME, text.getvalue())
    volumes = tuple(record[_VOLUME] for record, _ in done)
    return SimulatedCohort(folder / MANIFEST_NAME, tuple(names), sum(made for _, made in done), volumes)


def _kind(case: PlannedCase) -> str:
    return case.parameters.hemorrhage_type.value if case.parameters.has_hemorrhage else _CONTROL


def _case_ids(cases: Sequence[PlannedCase]) -> list[str]:
    """``hi2-01`` and so on: numbered within each type, with as many digits as the type needs, two at least."""
    kinds = [_kind(case).lower() for case in cases]
    digits = {kind: max(2, len(str(count))) for kind, count in Counter(kinds).items()}
    return [f"{kind}-{kinds[: n + 1].count(kind):0{digits[kind]}d}" for n, kind in enumerate(kinds)]


def _row(name: str, case: PlannedCase, record: dict[str, Any], reference: Reference) -> list[Any]:
    named = TRUTH if reference is Reference.TRUTH else LABELS
    files = [f"{name}/{file}" for file in (CT, ROI, named)]
    known = record[_CONTENTS] | {"background": _file_name(case.background), "infarct_mask": _file_name(case.infarct)}
    contents = [known[column] for column in CONTENTS]
    return [name, *files, _kind(case), round(record[_VOLUME], 6), case.parameters.seed, f"{name}/{LABELS}", *contents]


def _file_name(path: Path | None) -> str:
    """A file's name as a cell that no spreadsheet program takes for a formula."""
    return "" if path is None else safe_cell(path.name)


def _write_one(folder: Path, named: tuple[str, PlannedCase]) -> tuple[dict[str, Any], bool]:
    """What was measured in the case, and whether it was made now."""
    name, planned = named
    place, made_from = folder / name, _made_from(planned)
    known = _recorded(place, made_from)
    if known is not None:
        return known, False
    try:
        place.mkdir(exist_ok=True)
        (place / _RECORD_NAME).unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(place, (error.strerror or str(error)).lower(), "choose another folder") from error
    case = simulate_planned(planned, fit=True)
    write_case(case, place, None if case.parameters.has_hemorrhage else roi_of_a_control(case))
    measured = {_VOLUME: case.true_volume_ml, _CONTENTS: contents_of(case)}
    write_json(place / _RECORD_NAME, {**made_from, **measured})
    return measured, True


def _made_from(planned: PlannedCase) -> dict[str, Any]:
    values = dataclasses.asdict(planned.parameters).items()
    plain = {name: value.value if isinstance(value, enum.Enum) else value for name, value in values}
    made_from: dict[str, Any] = {"htsegmentation": __version__, "parameters": plain}
    for role, path in (("background", planned.background), ("infarct", planned.infarct)):
        if path is not None:
            # The folder may tell more than a cohort should.
            made_from[role] = {"name": path.name, "sha256": fingerprint(path)["sha256"]}
    if planned.noise_sd_hu is not None:
        made_from["noise_sd_hu"] = planned.noise_sd_hu
    # As JSON gives it back: tuples become lists.
    return json.loads(json.dumps(made_from))


def _recorded(place: Path, made_from: dict[str, Any]) -> dict[str, Any] | None:
    """What was measured in a case that is there, made from the same; None if it must be made."""
    try:
        record = json.loads((place / _RECORD_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(record, dict) or not all((place / file).is_file() for file in _FILES):
        return None
    measured = {name: record.pop(name, None) for name in (_VOLUME, _CONTENTS)}
    sound = isinstance(measured[_VOLUME], float) and isinstance(measured[_CONTENTS], dict)
    complete = sound and set(measured[_CONTENTS]) >= set(CONTENTS) - _OF_FILES
    return measured if record == made_from and complete else None
