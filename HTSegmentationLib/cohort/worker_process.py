"""What every process that works for another one does first, and what its parent does while it starts."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator

_THREAD_VARIABLES = (
    "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
"""What ITK and NumPy's linear algebra read when they are first imported."""


def begin_as_worker(threads: int) -> None:
    """First of all in a new process: it heeds its parent alone, ends with it, and takes so many cores.

    More threads than cores wait for each other many times longer than they work.

    Args:
        threads: How many threads ITK and NumPy may use; they must not have been imported yet.
    """
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    # Ctrl+C goes to all processes of a terminal; the parent decides what becomes of it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in _THREAD_VARIABLES:
        os.environ[name] = str(threads)


@contextlib.contextmanager
def ctrl_c_ignored() -> Iterator[None]:
    """Processes that start meanwhile never hear of Ctrl+C, not even while they still import what they need."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _end_with_the_parent() -> None:
    """A worker would work on, or wait for ever, if its parent was killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
