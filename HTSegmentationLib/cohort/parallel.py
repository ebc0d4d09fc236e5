"""Work on many cases in several processes at once, for work that is quick to do again after a crash."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, TypeVar

from HTSegmentationLib.cohort.worker_process import begin_as_worker, ctrl_c_ignored
from HTSegmentationLib.errors import Cancelled, HTSegError, ParameterError
from HTSegmentationLib.machine import usable_cores
from HTSegmentationLib.progress import Progress, silent

if TYPE_CHECKING:
    from multiprocessing.synchronize import Event

_STOP: list[Event] = []
"""In a pool's process: set when nothing more is to be begun."""

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def each_of(
    work: Callable[[_Item], _Result],
    items: Sequence[_Item],
    *,
    jobs: int | None = None,
    apart: bool = False,
    stage: str = "working",
    progress: Progress = silent,
) -> list[_Result]:
    """Does the same work for each item, in processes of their own if there are several jobs.

    An error, a stop by ``progress`` or Ctrl+C ends it: what has not begun is left, what runs is left to end by itself.

    Args:
        work: A function at the top of a module; it and what it takes and gives go from process to process.
        items: What it is called with.
        jobs: How many processes; 1 works in this one. None: as many as there are cores.
        apart: Work in a process of its own even for one job: it has one thread, so that sums, and with them the last digits,
            are those of any other number of jobs.
        stage: What the progress calls it.
        progress: Told after each item.

    Returns:
        The results, in the order of the items.

    Raises:
        ParameterError: ``jobs`` is below 1.
        HTSegError: A process was ended from outside; or what the work raised.

    Example:
        >>> each_of(abs, [-2, 1], jobs=1)
        [2, 1]
    """
    count = usable_cores() if jobs is None else jobs
    if count < 1:
        raise ParameterError(f"jobs is {count}; it must be 1 or more")
    results: dict[int, _Result] = {}
    progress(stage, 0.0)
    for number, result in _finished(work, items, min(count, len(items)), apart):
        results[number] = result
        progress(f"{stage}, {len(results)} of {len(items)}", len(results) / len(items))
    return [results[number] for number in range(len(items))]


def _finished(
    work: Callable[[_Item], _Result], items: Sequence[_Item], processes: int, apart: bool
) -> Iterator[tuple[int, _Result]]:
    """The number and the result of each item, as they come."""
    if not items or (processes == 1 and not apart):
        yield from ((number, work(item)) for number, item in enumerate(items))
        return
    # Forked processes would inherit the threads of ITK and NumPy in an unknown state.
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    pool = ProcessPoolExecutor(processes, mp_context=context, initializer=_begin, initargs=(stop,))
    try:
        with ctrl_c_ignored():
            futures = {pool.submit(_unless_stopped, work, item): number for number, item in enumerate(items)}
        for future in as_completed(futures):
            yield futures[future], future.result()
    except BrokenProcessPool as error:
        advice = "the machine may be out of memory; start again with fewer --jobs, what is done is kept"
        raise HTSegError(f"one of {processes} processes was ended from outside; {advice}") from error
    finally:
        stop.set()
        pool.shutdown(wait=False, cancel_futures=True)


def _begin(stop: Event) -> None:
    begin_as_worker(threads=1)
    _STOP.append(stop)


def _unless_stopped(work: Callable[[_Item], _Result], item: _Item) -> _Result:
    """Items that were handed out already cannot be called back by the pool."""
    if _STOP and _STOP[0].is_set():
        raise Cancelled
    return work(item)
