"""Processes of this machine, each with one case at a time, so that it is known which case a lost one had."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any

from HTSegmentationLib.cohort.batch.job import CaseJob, do_case
from HTSegmentationLib.cohort.batch.pool import Finished
from HTSegmentationLib.cohort.batch.worker import READY, work_on_cases
from HTSegmentationLib.cohort.worker_process import ctrl_c_ignored
from HTSegmentationLib.errors import HTSegError

_ATTEMPTS = 2
"""How often a case is begun whose worker is lost: memory may have been short for a moment."""

_MOST_FAILED_STARTS = 3
"""So many workers in a row that end before they are ready: none will ever be."""

_MOST_PROCESSES = 30 if os.name == "nt" else 1024
"""Windows waits for 63 things at once at most, and each process is two."""

_FAREWELL_S = 2.0
"""How long a worker that was told to end is waited for."""


@dataclass
class _Worker:
    """A process, and the case that it works on."""

    process: SpawnProcess
    connection: Connection
    ready: bool = False
    job: CaseJob | None = None
    attempt: int = 0
    since: float = 0.0


class LocalPool:
    """A pool of processes that outlives the loss of any of them.

    Args:
        jobs: How many processes.
        threads: How many threads each may use.
        timeout_s: How long a case may take in s before its process is ended; None for any time.
        work: What is done with a case; a function at the top of a module.

    Example:
        >>> pool = LocalPool(2, 1)                # doctest: +SKIP
        >>> pool.submit(job)                      # doctest: +SKIP
        >>> pool.wait(60.0)[0].record["status"]   # doctest: +SKIP
        'done'
    """

    def __init__(
        self, jobs: int, threads: int, timeout_s: float | None = None, work: Callable[[Any], Any] = do_case
    ) -> None:
        self._size = min(jobs, _MOST_PROCESSES)
        self._threads = threads
        self._timeout_s = timeout_s
        self._work = work
        self._waiting: deque[tuple[CaseJob, int]] = deque()
        self._workers: list[_Worker] = []
        self._failed_starts = 0

    def has_room(self) -> bool:
        """Whether a process is free for another case."""
        return len(self._waiting) + sum(worker.job is not None for worker in self._workers) < self._size

    def is_busy(self) -> bool:
        """Whether any case is waiting or worked on."""
        return bool(self._waiting) or any(worker.job is not None for worker in self._workers)

    def submit(self, job: CaseJob) -> None:
        """Takes a case."""
        self._waiting.append((job, 1))

    def wait(self, seconds: float) -> list[Finished]:
        """The cases that were finished, as soon as there are any.

        Raises:
            HTSegError: No process can be started.
        """
        self._hand_out()
        until = time.monotonic() + seconds
        finished: list[Finished] = []
        while not finished and self._workers:
            left = min([until, *self._deadlines()]) - time.monotonic()
            heard = [worker.connection for worker in self._workers]
            told = wait([*heard, *(worker.process.sentinel for worker in self._workers)], max(left, 0.0))
            for worker in list(self._workers):
                if worker.connection in told or worker.process.sentinel in told:
                    finished += self._listen(worker)
                elif self._is_late(worker):
                    finished += self._lost(worker, f"it took longer than {self._timeout_s:g} s")
            self._hand_out()
            if time.monotonic() >= until:
                break
        return finished

    def close(self) -> None:
        """Ends all processes; those at work at once, since what they write is written whole or not at all."""
        for worker in self._workers:
            worker.connection.close()
            if worker.job is not None or not worker.ready:
                worker.process.kill()
        for worker in self._workers:
            worker.process.join(_FAREWELL_S)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
            worker.process.close()
        self._workers.clear()
        self._waiting.clear()

    def _hand_out(self) -> None:
        """Gives waiting cases to free processes, new ones where there is none."""
        for worker in self._workers:
            if self._waiting and worker.ready and worker.job is None:
                job, attempt = self._waiting.popleft()
                try:
                    worker.connection.send(job)
                except OSError:
                    # It ended while it had nothing to do; its end is heard of in the next round.
                    self._waiting.appendleft((job, attempt))
                    worker.ready = False
                    continue
                worker.job, worker.attempt, worker.since = job, attempt, time.monotonic()
        starting = sum(not worker.ready for worker in self._workers)
        for _ in range(min(len(self._waiting) - starting, self._size - len(self._workers))):
            self._workers.append(self._started())

    def _started(self) -> _Worker:
        # Forked processes would inherit the threads of ITK and NumPy in an unknown state.
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=work_on_cases, args=(theirs, self._threads))
        with ctrl_c_ignored():
            process.start()
        theirs.close()
        with contextlib.suppress(OSError):
            ours.send(self._work)
        return _Worker(process, ours)

    def _listen(self, worker: _Worker) -> list[Finished]:
        """What a process has to say: a record, that it is ready, or by its end that it is lost."""
        try:
            # What a process sent before it ended still counts.
            message = worker.connection.recv() if worker.connection.poll() else None
        except (EOFError, OSError):
            message = None
        if message is None:
            worker.process.join(_FAREWELL_S)
            return self._lost(worker, end_in_words(worker.process.exitcode))
        if message == READY:
            worker.ready, self._failed_starts = True, 0
            return []
        job, worker.job = worker.job, None
        return [Finished(job, message)]

    def _lost(self, worker: _Worker, reason: str) -> list[Finished]:
        """Takes a process out; its case is begun once more, or given up."""
        self._workers.remove(worker)
        worker.process.kill()
        worker.process.join()
        worker.process.close()
        worker.connection.close()
        if worker.job is None:
            self._failed_starts += not worker.ready
            if self._failed_starts >= _MOST_FAILED_STARTS:
                raise HTSegError(f"no process for the cases can be started ({reason}); try --jobs 1, or free memory")
            return []
        if worker.attempt < _ATTEMPTS:
            self._waiting.appendleft((worker.job, worker.attempt + 1))
            return []
        return [Finished(worker.job, None, f"{reason}, {_ATTEMPTS} times")]

    def _deadlines(self) -> Iterator[float]:
        for worker in self._workers:
            if self._timeout_s is not None and worker.job is not None:
                yield worker.since + self._timeout_s

    def _is_late(self, worker: _Worker) -> bool:
        if self._timeout_s is None or worker.job is None:
            return False
        return time.monotonic() >= worker.since + self._timeout_s


def end_in_words(code: int | None) -> str:
    """How a process ended that should not have.

    Args:
        code: Its exit status; below 0 the signal that ended it.

    Example:
        >>> end_in_words(-9)
        'its process was killed (signal 9), as happens when memory runs out'
    """
    if code is None:
        return "its process does not answer"
    if code >= 0:
        return f"its process ended with exit status {code if code < 256 else hex(code)}"  # noqa: PLR2004  (Windows has codes)
    if code == -9:  # noqa: PLR2004  (SIGKILL, which Windows has no name for)
        return "its process was killed (signal 9), as happens when memory runs out"
    try:
        name = f", {signal.Signals(-code).name}"
    except ValueError:
        name = ""
    return f"its process crashed or was ended (signal {-code}{name})"
