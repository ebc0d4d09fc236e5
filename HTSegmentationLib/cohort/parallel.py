"""Work on many cases in several processes at once, for work that is quick to do again after a crash."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, TypeVar

from HTSegmentationLib.errors import Cancelled, HTSegError, ParameterError
from HTSegmentationLib.progress import Progress, silent

if TYPE_CHECKING:
    from multiprocessing.synchronize import Event

_THREAD_VARIABLES = (
    "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
"""What ITK and NumPy's linear algebra read when they are first imported."""

_STOP: list[Event] = []
"""In a pool's process: set when nothing more is to be begun."""

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def usable_cores() -> int:
    """How many cores this process may use.

    Example:
        >>> usable_cores() >= 1
        True
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


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
        with _ctrl_c_ignored():
            futures = {pool.submit(_unless_stopped, work, item): number for number, item in enumerate(items)}
        for future in as_completed(futures):
            yield futures[future], future.result()
    except BrokenProcessPool as error:
        advice = "the machine may be out of memory; start again with fewer --jobs, what is done is kept"
        raise HTSegError(f"one of {processes} processes was ended from outside; {advice}") from error
    finally:
        stop.set()
        pool.shutdown(wait=False, cancel_futures=True)


@contextlib.contextmanager
def _ctrl_c_ignored() -> Iterator[None]:
    """Processes that start meanwhile never hear of Ctrl+C, not even while they still import what they need."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _begin(stop: Event) -> None:
    """First of all in a new process: it heeds its parent alone, ends with it, and takes one core.

    More threads than cores wait for each other many times longer than they work.
    """
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in _THREAD_VARIABLES:
        os.environ[name] = "1"
    _STOP.append(stop)


def _unless_stopped(work: Callable[[_Item], _Result], item: _Item) -> _Result:
    """Items that were handed out already cannot be called back by the pool."""
    if _STOP and _STOP[0].is_set():
        raise Cancelled
    return work(item)


def _end_with_the_parent() -> None:
    """A pool's process would wait for work for ever if its parent was killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
