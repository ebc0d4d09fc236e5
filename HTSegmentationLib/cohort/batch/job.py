"""One case from files to files: what a worker, here or on a cluster, does with it."""

from __future__ import annotations

import json
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from HTSegmentationLib.cohort.batch.output_folder import OutputFolder
from HTSegmentationLib.cohort.batch.records import done_record, failed_record, without_folders
from HTSegmentationLib.cohort.batch.segment_case import segment_case
from HTSegmentationLib.cohort.batch.settings import BatchSettings
from HTSegmentationLib.cohort.manifest.case import Case
from HTSegmentationLib.ct.quiet import quiet_itk
from HTSegmentationLib.errors import HTSegError, UsageError
from HTSegmentationLib.export.mask_files import write_mask
from HTSegmentationLib.export.preview import write_preview
from HTSegmentationLib.files import write_json
from HTSegmentationLib.progress import StageClock
from HTSegmentationLib.segmenter import Segmenter

_SEGMENTERS: dict[BatchSettings, Segmenter] = {}
"""In a worker: the method, so that a network is loaded once and not for each case."""


@dataclass(frozen=True)
class CaseJob:
    """A case and what is to be done with it; it goes from process to process.

    Args:
        case: The case.
        folder: The output folder; absolute.
        settings: What is done.
        settings_record: The same as plain values, as records keep it.
        extra: The manifest's further cells, by the names of their columns among the results.
        preview: Whether to draw a picture.
    """

    case: Case
    folder: str
    settings: BatchSettings
    settings_record: Mapping[str, Any]
    extra: Mapping[str, str]
    preview: bool = False

    @property
    def place(self) -> OutputFolder:
        """The output folder."""
        return OutputFolder(Path(self.folder))


def do_case(job: CaseJob) -> dict[str, Any]:
    """Segments a case, measures and compares it, and writes mask, picture and, last of all, the record.

    Whatever is wrong with the case becomes its error; what an earlier run left of it is taken away first.

    Returns:
        The record as it was written.

    Raises:
        OutputError: Not even the record of a failure can be written.
    """
    clock = StageClock()
    traced = None
    try:
        job.place.clear(job.case.case_id)
        with quiet_itk():
            return _done(job, clock)
    except HTSegError as error:
        reason = str(error)
    except MemoryError:
        reason = "out of memory; give fewer --jobs or use a machine with more"
    except Exception as error:
        reason = f"unexpected {type(error).__name__}: {error}; please report it"
        traced = traceback.format_exc()
    return report_failure(job, reason, clock.seconds, traced)


def report_failure(
    job: CaseJob, reason: str, seconds: Mapping[str, float] | None = None, traced: str | None = None
) -> dict[str, Any]:
    """Writes the record of a case that could not be done; no mask of it stays.

    Args:
        job: The case.
        reason: Why, in one line.
        seconds: Wall time of each stage in s, as far as it came.
        traced: Where an error that nobody expected was raised.

    Returns:
        The record as it was written.

    Raises:
        OutputError: It cannot be written.
    """
    job.place.clear(job.case.case_id)
    return _written(job, failed_record(job, without_folders(reason, job), seconds, traced))


def _done(job: CaseJob, clock: StageClock) -> dict[str, Any]:
    segmenter = _segmenter(job.settings)
    _require_known(job, segmenter)
    found = segment_case(job.case, segmenter, job.settings, clock)
    place, case_id = job.place, job.case.case_id
    with clock.stage("writing", 0.9):
        write_mask(place.mask(case_id), found.result.mask, found.result.labels)
    if job.preview:
        with clock.stage("drawing", 0.95):
            write_preview(
                place.preview(case_id),
                found.scan.image,
                found.result.mask,
                roi=found.roi,
                reference=found.reference,
                title=case_id,
                caption=found.caption(),
            )
    return _written(job, done_record(job, found, clock.seconds))


def _segmenter(settings: BatchSettings) -> Segmenter:
    if settings not in _SEGMENTERS:
        _SEGMENTERS.clear()
        _SEGMENTERS[settings] = settings.segmenter()
    return _SEGMENTERS[settings]


def _require_known(job: CaseJob, segmenter: Segmenter) -> None:
    """A parameter file or a model that is changed while a batch runs would leave a table of two kinds of results."""
    known = job.settings_record["parameters"]
    if json.loads(json.dumps(job.settings.parameters_of(segmenter))) != known:
        changed = job.settings.parameter_file or job.settings.method
        raise UsageError(f"{changed}: it was changed during the run; start the batch again")


def _written(job: CaseJob, record: dict[str, Any]) -> dict[str, Any]:
    write_json(job.place.record(job.case.case_id), record)
    return record
