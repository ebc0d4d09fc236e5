"""Long work beside the window: plain Python in a thread, told of and ended from the main thread."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

import qt

_POLL_MS = 25
"""How often the main thread looks at the work; the progress bar moves this often."""

_SHARE_S = 0.015
"""How long the main thread waits at each look. While it waits the thread runs: the main thread of an application that
embeds Python does not let go of the interpreter by itself."""


class BackgroundWork:
    """Runs one function in a thread and tells the main thread of its progress and its end.

    The function gets a progress callback (stage, fraction) and nothing of Slicer, VTK or Qt. All callbacks of this class are
    called in the main thread.

    Args:
        parent: The widget with which the timer ends.
    """

    def __init__(self, parent: Any) -> None:
        self._timer = qt.QTimer(parent)
        self._timer.setInterval(_POLL_MS)
        self._timer.connect("timeout()", self._look)
        self._job: _Job | None = None
        self._leaving: list[_Job] = []

    @property
    def running(self) -> bool:
        """Whether there is work whose end will be told of."""
        return self._job is not None

    def start(
        self,
        function: Callable[[Callable[[str, float], None]], Any],
        onProgress: Callable[[str, float], None],
        onDone: Callable[[Any], None],
        onFailed: Callable[[Exception], None],
    ) -> None:
        """Starts the function; work under way is given up."""
        self.cancel()
        self._job = _Job(function, onProgress, onDone, onFailed)
        self._timer.start()

    def cancel(self) -> None:
        """Gives the work up: nothing more is told of it, and it ends at its next word of progress."""
        if self._job is not None:
            self._job.stopped.set()
            # It still needs the interpreter to reach its end, so the timer goes on until it has.
            self._leaving.append(self._job)
            self._job = None

    def stop(self) -> None:
        """Gives the work up and stops looking, for a panel that goes away."""
        self.cancel()
        self._timer.stop()

    def _look(self) -> None:
        job = self._job or (self._leaving[0] if self._leaving else None)
        if job is not None:
            job.thread.join(_SHARE_S)
        self._leaving = [leaving for leaving in self._leaving if leaving.thread.is_alive()]
        if self._job is None:
            if not self._leaving:
                self._timer.stop()
        elif self._job.thread.is_alive():
            self._job.onProgress(*self._job.state)
        else:
            self._job, ended = None, self._job
            if ended.error is None:
                ended.onDone(ended.value)
            else:
                ended.onFailed(ended.error)


class _Job:
    """One function on its way; the thread writes ``state``, ``value`` and ``error``, the main thread reads them."""

    def __init__(self, function: Any, onProgress: Any, onDone: Any, onFailed: Any) -> None:
        self.function, self.onProgress, self.onDone, self.onFailed = function, onProgress, onDone, onFailed
        self.state: tuple[str, float] = ("", 0.0)
        self.value: Any = None
        self.error: Exception | None = None
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._run, name="HTSegmentation", daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            self.value = self.function(self._tell)
        except Exception as error:  # whatever it is, the main thread decides what the user reads
            self.error = error
            if not self.stopped.is_set():
                logging.debug("HTSegmentation: background work ended early", exc_info=True)

    def _tell(self, stage: str, fraction: float) -> None:
        if self.stopped.is_set():
            from HTSegmentationLib.errors import Cancelled

            raise Cancelled
        self.state = (stage, fraction)
