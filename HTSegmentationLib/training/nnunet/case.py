"""One case read, checked and written as nnU-Net wants it."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.cohort.batch.fingerprint import fingerprint, is_same
from HTSegmentationLib.cohort.manifest import Case
from HTSegmentationLib.ct.geometry import array_to_image, voxels_to_ml
from HTSegmentationLib.ct.read import read_ct
from HTSegmentationLib.errors import HTSegError, OutputError
from HTSegmentationLib.export import write_image
from HTSegmentationLib.files import write_json
from HTSegmentationLib.measure.mask import require_same_grid
from HTSegmentationLib.remark import Remark, Severity
from HTSegmentationLib.roi import read_labels
from HTSegmentationLib.training.nnunet.settings import DatasetSettings
from HTSegmentationLib.version import __version__

FILE_ENDING = ".nii.gz"
"""The format of all images of the data set."""

IMAGES, LABELS, RECORDS = "imagesTr", "labelsTr", "records"
"""Folders of scans and references, as nnU-Net names them, and of what was made already."""


@dataclass(frozen=True)
class CaseJob:
    """A case to be written.

    Args:
        case: The case; it has a reference.
        name: What nnU-Net calls it.
        dataset: The folder of the data set, with the folders of images and labels.
        records: The folder that keeps what was made from what.
        settings: How it is read, and what its values mean.
    """

    case: Case
    name: str
    dataset: Path
    records: Path
    settings: DatasetSettings

    @property
    def image(self) -> Path:
        """The scan's file."""
        return self.dataset / IMAGES / f"{self.name}_0000{FILE_ENDING}"

    @property
    def labels(self) -> Path:
        """The reference's file."""
        return self.dataset / LABELS / f"{self.name}{FILE_ENDING}"

    @property
    def record(self) -> Path:
        """What the two were made from; written last, so that a case without it is not finished."""
        return self.records / f"{self.name}.json"


@dataclass(frozen=True)
class WrittenCase:
    """A case that was written, or why it was not.

    Args:
        found: The values above 0 that its reference holds.
        scan: Tells the scan from others by its content.
        volumes_ml: Volume of each label in mL, in the order of the labels.
        remarks: What was assumed or corrected on reading.
        problem: What must be mended; empty if nothing.
    """

    found: tuple[int, ...] = ()
    scan: str = ""
    volumes_ml: tuple[float, ...] = ()
    remarks: tuple[Remark, ...] = ()
    problem: str = ""


def write_case(job: CaseJob) -> WrittenCase:
    """Writes scan and reference of a case, unless they are there already, made from the same.

    Scan and reference lie on one rectangular grid, and nothing but voxels and geometry is in the files.

    Raises:
        OutputError: A file cannot be written.
    """
    known = _known(job)
    if known is not None:
        return known
    try:
        job.record.unlink(missing_ok=True)
        inputs = {"image": fingerprint(job.case.image), "reference": fingerprint(job.case.reference)}
        written = replace(_written(job), scan=f"{inputs['image']['sha256']} {job.case.series or ''}")
    except OutputError:
        raise
    except HTSegError as error:
        return WrittenCase(problem=str(error))
    if not written.problem:
        write_json(job.record, {"made_from": _made_from(job), "inputs": inputs, "case": _as_json(written)})
    return written


def _written(job: CaseJob) -> WrittenCase:
    case, settings = job.case, job.settings
    scan = read_ct(case.image, series=case.series, assume_hu=settings.assume_hu, hu_offset=settings.hu_offset)
    reference, said = read_labels(case.reference)
    require_same_grid(reference, scan.image, "reference", "scan")
    array = sitk.GetArrayViewFromImage(reference)
    found = tuple(int(value) for value in np.flatnonzero(np.bincount(array.ravel())) if value)
    problem = settings.scheme.problem(found)
    if not found and not settings.allow_empty:
        problem = "its reference holds nothing; leave the case out, or give --allow-empty if nothing is to be found in it"
    if problem:
        return WrittenCase(found, problem=problem)
    labels = settings.scheme.applied(array)
    write_image(job.image, scan.image)
    write_image(job.labels, array_to_image(labels, scan.image))
    counts = np.bincount(labels.ravel(), minlength=len(settings.scheme.names) + 1)[1:]
    volumes = tuple(voxels_to_ml(int(count), scan.image) for count in counts)
    return WrittenCase(found, volumes_ml=volumes, remarks=tuple(dict.fromkeys((*scan.remarks, *said))))


def _made_from(job: CaseJob) -> dict[str, Any]:
    """What decides the files besides the inputs, as JSON gives it back."""
    settings = job.settings
    values = {
        "htsegmentation": __version__,
        "series": job.case.series,
        "labels": settings.scheme.as_json(),
        "values": None if settings.scheme.values is None else sorted(settings.scheme.values.items()),
        "assume_hu": settings.assume_hu,
        "hu_offset": settings.hu_offset,
        "allow_empty": settings.allow_empty,
    }
    return json.loads(json.dumps(values))


def _known(job: CaseJob) -> WrittenCase | None:
    """The case as an earlier run that was stopped has written it; None if it must be written."""
    try:
        record = json.loads(job.record.read_text(encoding="utf-8"))
        inputs, written = record["inputs"], record["case"]
        same = record["made_from"] == _made_from(job) and job.image.is_file() and job.labels.is_file()
        same = same and is_same(job.case.image, inputs["image"]) and is_same(job.case.reference, inputs["reference"])
        remarks = tuple(Remark(r["code"], r["text"], Severity(r["severity"])) for r in written["remarks"])
        kept = WrittenCase(tuple(written["found"]), written["scan"], tuple(written["volumes_ml"]), remarks)
        return kept if same else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _as_json(written: WrittenCase) -> dict[str, Any]:
    return dataclasses.asdict(written) | {"remarks": [remark.as_dict() for remark in written.remarks]}
