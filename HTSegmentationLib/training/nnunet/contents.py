"""What stands beside the images of a data set: its description, the table of its cases, and what must be said of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from HTSegmentationLib.cohort.cells import safe_cell
from HTSegmentationLib.cohort.manifest import Case
from HTSegmentationLib.remark import Remark, Severity
from HTSegmentationLib.training.folds import Fold
from HTSegmentationLib.training.nnunet.case import FILE_ENDING, WrittenCase
from HTSegmentationLib.training.nnunet.place import DatasetPlace
from HTSegmentationLib.training.nnunet.settings import DatasetSettings
from HTSegmentationLib.version import __version__


def description(count: int, settings: DatasetSettings) -> dict[str, Any]:
    """``dataset.json``; the channel's name chooses nnU-Net's normalisation for HU."""
    told = {"reference": settings.reference, "licence": settings.licence}
    return {
        "name": settings.name,
        **{key: text for key, text in told.items() if text},
        "channel_names": {"0": "CT"},
        "labels": settings.scheme.as_json(),
        "numTraining": count,
        "file_ending": FILE_ENDING,
        "converted_by": f"htsegmentation {__version__}",
    }


def case_table(
    names: Mapping[str, str],
    cases: Sequence[Case],
    written: Sequence[WrittenCase],
    folds: Sequence[Fold],
    settings: DatasetSettings,
) -> str:
    """``cases.csv``: which case is which, its fold, volumes in mL, and the codes of what was said on reading."""
    fold_of = {case_id: fold.number for fold in folds for case_id in fold.held_out}
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(
        ["nnunet_name", "case_id", "ht_type", "fold", *(f"{name}_ml" for name in settings.scheme.names), "remarks"]
    )
    for case, made in zip(cases, written, strict=True):
        volumes = [round(volume, 6) for volume in made.volumes_ml]
        codes = " ".join(remark.code for remark in made.remarks)
        cells = (names[case.case_id], case.case_id, case.ht_type, fold_of[case.case_id], *volumes, codes)
        table.writerow([safe_cell(cell) for cell in cells])
    return text.getvalue()


def dataset_remarks(
    place: DatasetPlace, settings: DatasetSettings, names: Sequence[str], written: Sequence[WrittenCase]
) -> list[Remark]:
    """What must be said of the data set, and what was said of its cases, each remark once with the cases that it is of."""
    remarks = []
    moved = [f"{old} to {new}" for old, new in (settings.scheme.values or {}).items() if old != new]
    if moved:
        text = f"nnU-Net counts labels from 1 without a gap: values became {', '.join(moved)}."
        remarks.append(Remark("labels-renumbered", text))
    if place.preprocessed() is not None:
        text = (
            f"{place.preprocessed()} was made from an earlier data set of this name; take it away before nnU-Net plans, "
            "which refuses other folds than it knows."
        )
        remarks.append(Remark("preprocessed-before", text, Severity.CAUTION))
    if not settings.licence:
        remarks.append(
            Remark("licence-unknown", "dataset.json does not say under which terms the data may be used (--licence).")
        )
    said: dict[Remark, list[str]] = {}
    for name, made in zip(names, written, strict=True):
        for remark in made.remarks:
            said.setdefault(remark, []).append(name)
    for remark, where in said.items():
        more = f" and {len(where) - 1} more" if len(where) > 1 else ""
        remarks.append(Remark(remark.code, f"{where[0]}{more}: {remark.text}", remark.severity))
    return remarks
