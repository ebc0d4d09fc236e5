"""Whether a case was done already: by its record, and by what the record says of its files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from HTSegmentationLib.cohort.batch.fingerprint import is_same
from HTSegmentationLib.cohort.batch.job import CaseJob
from HTSegmentationLib.cohort.batch.records import case_of, manifest_cells
from HTSegmentationLib.cohort.batch.settings import differences
from HTSegmentationLib.cohort.manifest.case import Case
from HTSegmentationLib.files import write_json


def finished_record(job: CaseJob) -> dict[str, Any] | None:
    """The record of a case that need not be done again; None if it must be.

    A case counts as done if it was done from the same files with the same settings and version, and its mask (and its
    picture, if one is wanted) is there. What the table of cases says besides, as its type, is brought up to date.

    Args:
        job: The case and what would be done with it.
    """
    place, case = job.place, job.case
    record = _read(place.record(case.case_id))
    if (
        record is None
        or record.get("status") != "done"
        or differences(_mapping(record.get("settings")), job.settings_record)
    ):
        return None
    if not isinstance(record.get("row"), dict) or not _same_inputs(case, _mapping(record.get("inputs"))):
        return None
    mask = _mapping(record.get("mask"))
    if not is_same(place.mask(case.case_id), mask | {"path": str(place.mask(case.case_id))}):
        return None
    if job.preview and not place.preview(case.case_id).is_file():
        return None
    if record.get("case") != case_of(job):
        record |= {"case": case_of(job), "row": record["row"] | manifest_cells(job)}
        write_json(place.record(case.case_id), record)
    return record


def _same_inputs(case: Case, known: Mapping[str, Any]) -> bool:
    single = {"image": case.image, "reference": case.reference, "baseline": case.baseline}
    several = {"roi": case.roi, "baseline_roi": case.baseline_roi}
    return (
        known.get("series") == case.series
        and all((path is None) == (known.get(name) is None) for name, path in single.items())
        and all(path is None or is_same(path, known[name]) for name, path in single.items())
        and all(_all_same(paths, known.get(name)) for name, paths in several.items())
    )


def _all_same(paths: tuple[Path, ...], known: Any) -> bool:
    return (
        isinstance(known, list)
        and len(known) == len(paths)
        and all(is_same(p, k) for p, k in zip(paths, known, strict=True))
    )


def _read(path: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
