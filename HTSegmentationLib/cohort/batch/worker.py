"""The process that works on cases one by one; it imports nothing slow before it knows how many threads it may use."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from HTSegmentationLib.cohort.worker_process import begin_as_worker
from HTSegmentationLib.errors import HTSegError

READY = "ready"
"""The first word of a worker: it has imported all it needs."""


def work_on_cases(connection: Connection, threads: int) -> None:
    """Takes a function and then items from a pipe, and sends what the function makes of each, until the pipe ends.

    Args:
        connection: Its end of the pipe.
        threads: How many threads it may use.
    """
    begin_as_worker(threads)
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
