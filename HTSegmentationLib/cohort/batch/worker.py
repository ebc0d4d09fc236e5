"""The process that works on cases one by one; it imports nothing slow before it knows how many threads it may use."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from HTSegmentationLib.errors import HTSegError

READY = "ready"
"""The first word of a worker: it has imported all it needs."""

_THREAD_VARIABLES = (
    "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
"""What ITK and NumPy's linear algebra read when they are first imported."""


def work_on_cases(connection: Connection, threads: int) -> None:
    """Takes a function and then items from a pipe, and sends what the function makes of each, until the pipe ends.

    Args:
        connection: Its end of the pipe.
        threads: How many threads it may use.
    """
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    # Ctrl+C goes to all processes of a terminal; the parent decides what becomes of it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in _THREAD_VARIABLES:
        os.environ[name] = str(threads)
    # The parent may be gone at any time; what not even a record could be written of, the parent finds out by itself.
    with contextlib.suppress(EOFError, OSError, HTSegError):
        work: Callable[[Any], Any] = connection.recv()
        limit_threads(threads)
        connection.send(READY)
        while True:
            connection.send(work(connection.recv()))


def limit_threads(threads: int) -> None:
    """Has ITK's filters use so many threads from now on."""
    import SimpleITK as sitk

    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)


def _end_with_the_parent() -> None:
    """A worker would work on, or wait for ever, if its parent was killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
