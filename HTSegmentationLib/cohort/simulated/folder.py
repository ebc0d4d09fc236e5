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

from HTSegmentationLib.cohort.parallel import each_of
from HTSegmentationLib.cohort.simulated.case_files import write_case
from HTSegmentationLib.errors import OutputError
from HTSegmentationLib.files import require_writable, write_json, write_text
from HTSegmentationLib.progress import Progress, silent
from HTSegmentationLib.simulate.head import simulate_head
from HTSegmentationLib.simulate.parameters import SimulationParameters
from HTSegmentationLib.version import __version__

MANIFEST_NAME = "cohort.csv"
"""The manifest's name in the folder."""

_RECORD_NAME = "case.json"
"""What a case was made from; written last, so that a folder without it is not finished."""

_COLUMNS = ("case_id", "image", "roi", "reference", "ht_type", "true_volume_ml", "seed")
"""The manifest's columns."""

_FILES = ("ct.nii.gz", "truth.nii.gz", "infarct.nii.gz", "roi.nii.gz")
"""The files of a finished case."""


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
    parameters: Sequence[SimulationParameters],
    folder: Path,
    *,
    jobs: int | None = None,
    progress: Progress = silent,
) -> SimulatedCohort:
    """Writes scan, ROI, truth and infarct of each case into a folder of its own, and the manifest last.

    A case that is there already, made from the same parameters by the same version, is not made again.

    Args:
        parameters: One of each case, as :func:`HTSegmentationLib.simulate.cohort_parameters` gives them; all with a
            hemorrhage. Cases are named after their type: ``hi2-01``, ``ph-01``.
        folder: A folder that is there.
        jobs: How many processes; None: as many as there are cores.
        progress: Told after each case.

    Raises:
        ParameterError: ``jobs`` is below 1.
        OutputError: A file cannot be written.

    Example:
        >>> simulate_cohort(cohort_parameters(2, 1), Path("cohort")).case_ids   # doctest: +SKIP
        ('hi2-01', 'hi2-02', 'ph-01')
    """
    require_writable(folder / MANIFEST_NAME)
    names = _case_ids(parameters)
    work = functools.partial(_write_one, folder)
    items = list(zip(names, parameters, strict=True))
    done = each_of(work, items, jobs=jobs, apart=True, stage="simulating", progress=progress)
    volumes = tuple(volume for volume, _ in done)
    rows = [_row(name, case, volume) for name, case, volume in zip(names, parameters, volumes, strict=True)]
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerows([_COLUMNS, *rows])
    write_text(folder / MANIFEST_NAME, text.getvalue())
    return SimulatedCohort(folder / MANIFEST_NAME, tuple(names), sum(made for _, made in done), volumes)


def _case_ids(parameters: Sequence[SimulationParameters]) -> list[str]:
    """``hi2-01`` and so on: numbered within each type, with as many digits as the type needs, two at least."""
    kinds = [case.hemorrhage_type.value.lower() for case in parameters]
    digits = {kind: max(2, len(str(count))) for kind, count in Counter(kinds).items()}
    return [f"{kind}-{kinds[: n + 1].count(kind):0{digits[kind]}d}" for n, kind in enumerate(kinds)]


def _row(name: str, case: SimulationParameters, volume_ml: float) -> list[Any]:
    files = [f"{name}/{file}" for file in ("ct.nii.gz", "roi.nii.gz", "truth.nii.gz")]
    return [name, *files, case.hemorrhage_type.value, round(volume_ml, 6), case.seed]


def _write_one(folder: Path, named: tuple[str, SimulationParameters]) -> tuple[float, bool]:
    """True volume in mL, and whether the case was made now."""
    name, parameters = named
    place, made_from = folder / name, _made_from(parameters)
    known = _recorded_volume(place, made_from)
    if known is not None:
        return known, False
    try:
        place.mkdir(exist_ok=True)
        (place / _RECORD_NAME).unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(place, (error.strerror or str(error)).lower(), "choose another folder") from error
    case = simulate_head(parameters)
    write_case(case, place)
    write_json(place / _RECORD_NAME, {**made_from, "true_volume_ml": case.true_volume_ml})
    return case.true_volume_ml, True


def _made_from(parameters: SimulationParameters) -> dict[str, Any]:
    values = dataclasses.asdict(parameters).items()
    plain = {name: value.value if isinstance(value, enum.Enum) else value for name, value in values}
    # As JSON gives it back: tuples become lists.
    return json.loads(json.dumps({"htsegmentation": __version__, "parameters": plain}))


def _recorded_volume(place: Path, made_from: dict[str, Any]) -> float | None:
    """The true volume of a case that is there, made from the same; None if it must be made."""
    try:
        record = json.loads((place / _RECORD_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(record, dict) or not all((place / file).is_file() for file in _FILES):
        return None
    volume = record.pop("true_volume_ml", None)
    return volume if record == made_from and isinstance(volume, float) else None
