"""Runs a batch: what is done is kept, what is left is handed out, and the tables are right at any moment."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from HTSegmentationLib.cohort.batch.book import BatchBook, BatchState
from HTSegmentationLib.cohort.batch.job import CaseJob, report_failure
from HTSegmentationLib.cohort.batch.local_pool import LocalPool
from HTSegmentationLib.cohort.batch.lock import locked
from HTSegmentationLib.cohort.batch.machine import default_jobs
from HTSegmentationLib.cohort.batch.output_folder import LOCK_NAME, OutputFolder
from HTSegmentationLib.cohort.batch.pool import Finished, Pool
from HTSegmentationLib.cohort.batch.record_check import finished_record
from HTSegmentationLib.cohort.batch.settings import BatchSettings
from HTSegmentationLib.cohort.batch.stop import StopRequest, heeding_signals
from HTSegmentationLib.cohort.batch.table import require_parquet
from HTSegmentationLib.cohort.manifest.case import Manifest, Problem
from HTSegmentationLib.errors import ParameterError, UsageError
from HTSegmentationLib.export.preview import require_preview_path
from HTSegmentationLib.machine import usable_cores
from HTSegmentationLib.methods import method
from HTSegmentationLib.remark import Remark

_TICK_S = 0.5
"""How long a wish to stop, or a look at the clock, may have to wait."""

_RETRY_ADVICE = "give fewer --jobs if memory is short, or look at the scan"


@dataclass(frozen=True)
class BatchOptions:
    """How a batch is run; nothing of this changes a result.

    Args:
        jobs: Cases at once; None: as cores and memory allow.
        timeout_s: How long a case may take in s; None for any time.
        scheduler: Address of a Dask scheduler that hands the cases out; None for processes of this machine.
        preview: Whether to draw a picture of each case.
        parquet: Whether to write the results as Parquet, too.
        force: Whether to do all cases again.
        skip_invalid: Whether cases with problems in the table of cases become failed ones instead of stopping all.
    """

    jobs: int | None = None
    timeout_s: float | None = None
    scheduler: str | None = None
    preview: bool = False
    parquet: bool = False
    force: bool = False
    skip_invalid: bool = False


@dataclass(frozen=True)
class BatchSummary:
    """How a batch ended.

    Args:
        state: How far it came.
        failures: Why each failed case failed, by its name, in the order in which it was known.
        remarks: What must be told of the run itself.
        stop: Whether and by what it was stopped.
        place: Where everything lies.
    """

    state: BatchState
    failures: Mapping[str, str]
    remarks: tuple[Remark, ...]
    stop: StopRequest
    place: OutputFolder


def run_batch(
    manifest: Manifest,
    folder: str | Path,
    settings: BatchSettings,
    options: BatchOptions | None = None,
    watcher: Callable[[BatchState], None] = lambda _: None,
) -> BatchSummary:
    """Segments, measures and compares all cases of a table, each in a process that may be lost without harm to the others.

    Cases that were done before, from the same files in the same way, are kept. Ctrl+C and its relatives end the run at the
    next moment, with tables that are right as far as they go; the same call goes on from there.

    Args:
        manifest: The table of cases.
        folder: Where everything is written; made if it is not there.
        settings: What is done with each case.
        options: How it is run.
        watcher: Told after each case, and a few times a second.

    Returns:
        How it ended; the results themselves lie in the folder.

    Raises:
        UsageError: The table has problems, or the folder holds other results, other files, or is in use.
        OutputError: The folder cannot be written to.
        HTSegError: No worker can be started or reached.

    Example:
        >>> manifest = read_manifest("cohort.csv", needs_roi=True)                         # doctest: +SKIP
        >>> run_batch(manifest, "results", BatchSettings("adaptive")).state.done           # doctest: +SKIP
        51
    """
    options = options or BatchOptions()
    _require_sense(manifest, options)
    segmenter = settings.segmenter()
    record = settings.as_record(manifest, segmenter)
    place = OutputFolder(Path(folder).absolute())
    place.require_apart(manifest, settings.parameter_file)
    place.make()
    with locked(place.path / LOCK_NAME) as remarks, heeding_signals() as stop:
        place.require_own()
        if not options.force:
            place.require_same(record)
        place.begin(record, previews=options.preview)
        if options.preview:
            require_preview_path(place.preview("case"))
        book = BatchBook(manifest, place)
        pending = _sorted_out(_Plan(manifest, place, settings, record, options), book, stop)
        place.parquet.unlink(missing_ok=True)
        try:
            if pending and not stop.wanted:
                _work_off(pending, book, options, watcher, stop)
        finally:
            place.sweep()
            book.write(parquet=options.parquet)
        return BatchSummary(book.state, dict(book.failures), remarks, stop, place)


def _require_sense(manifest: Manifest, options: BatchOptions) -> None:
    if options.jobs is not None and options.jobs < 1:
        raise ParameterError(f"jobs is {options.jobs}; it must be 1 or more")
    if options.timeout_s is not None and not options.timeout_s > 0:
        raise ParameterError(f"timeout is {options.timeout_s:g} s; it must be above 0 s")
    if options.scheduler is not None and (options.jobs is not None or options.timeout_s is not None):
        raise UsageError("--jobs and --timeout go with processes of this machine; a cluster has its own workers")
    if not options.skip_invalid:
        manifest.require_sound()
    table: tuple[Problem, ...] = manifest.table_problems
    if table:
        raise UsageError(f"{manifest.path}: {table[0]}")
    if options.parquet:
        require_parquet()


@dataclass(frozen=True)
class _Plan:
    """What is to be done, and where."""

    manifest: Manifest
    place: OutputFolder
    settings: BatchSettings
    record: Mapping[str, Any]
    options: BatchOptions


def _sorted_out(plan: _Plan, book: BatchBook, stop: StopRequest) -> deque[CaseJob]:
    """Notes the cases that need no work, and gives the others."""
    pending: deque[CaseJob] = deque()
    for case in plan.manifest.cases:
        if stop.wanted:
            break
        if case.problems:
            book.reject(case, plan.record["method"])
            continue
        if plan.options.force:
            plan.place.clear(case.case_id)
        job = CaseJob(case, str(plan.place.path), plan.settings, plan.record, book.extra_of(case), plan.options.preview)
        known = finished_record(job)
        if known is None:
            pending.append(job)
        else:
            book.note(case, known, kept=True)
    return pending


def _work_off(
    pending: deque[CaseJob],
    book: BatchBook,
    options: BatchOptions,
    watcher: Callable[[BatchState], None],
    stop: StopRequest,
) -> None:
    is_network = bool(pending) and method(pending[0].settings.method).is_network
    pool = _pool(options, len(pending), is_network)
    try:
        while (pending or pool.is_busy()) and not stop.wanted:
            while pending and pool.has_room():
                pool.submit(pending.popleft())
            _book_finished(pool, book, _TICK_S)
            book.write_now_and_then()
            watcher(book.state)
        # What was finished at the moment of the wish to stop still counts.
        _book_finished(pool, book, 0.0)
    finally:
        pool.close()


def _book_finished(pool: Pool, book: BatchBook, seconds: float) -> None:
    for finished in pool.wait(seconds):
        book.note(finished.job.case, _record(finished))


def _record(finished: Finished) -> dict[str, Any]:
    if finished.record is not None:
        return finished.record
    return report_failure(finished.job, f"{finished.loss}; {_RETRY_ADVICE}")


def _pool(options: BatchOptions, cases: int, is_network: bool) -> Pool:
    if options.scheduler is not None:
        from HTSegmentationLib.cohort.batch.dask_pool import DaskPool

        return DaskPool(options.scheduler)
    # A network takes all cores and gigabytes of memory for one case.
    fitting = 1 if is_network else default_jobs(cases)
    jobs = fitting if options.jobs is None else min(options.jobs, cases)
    return LocalPool(jobs, max(1, usable_cores() // jobs), options.timeout_s)
