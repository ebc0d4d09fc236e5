"""The parent's side: starts a worker when it is needed, hands it scans one after another, and ends it."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import os
import shutil
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from HTSegmentationLib.errors import Cancelled
from HTSegmentationLib.files import require_writable, written_whole
from HTSegmentationLib.inference.worker.child import Child
from HTSegmentationLib.inference.worker.diagnosis import diagnose
from HTSegmentationLib.inference.worker.failures import WorkerError, error_of_event
from HTSegmentationLib.inference.worker.protocol import PRIVATE_FOLDER, PROTOCOL, Request
from HTSegmentationLib.progress import Progress, silent
from HTSegmentationLib.version import __version__

_BEAT_S = 0.1
"""How often the caller is asked whether to go on, also while the worker says nothing."""

_LEAVE_S = 3.0
"""How long a worker that was asked to shut down may take."""

_TEMPORARY = "temporary"
"""Folder in the client's own for the worker's temporary files, so that those of a killed one can be removed."""

_LIBRARY = Path(__file__).resolve().parents[2] / "__init__.py"
"""This very HTSegmentationLib."""

_START = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("HTSegmentationLib", sys.argv.pop(1))
sys.modules[spec.name] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules[spec.name])
from HTSegmentationLib.cli import main
sys.exit(main(["worker"]))
"""
"""Runs this very library in another Python, and takes nothing else from where it lies: other packages there may be made for
this Python alone. The working folder is empty, so that nothing is imported from there either."""


class WorkerClient:
    """A worker process and what goes to and fro.

    It is started with the first request, and anew after a crash or a cancellation; between cases it keeps its model loaded.

    Args:
        python: The Python that runs it; in 3D Slicer ``sys.executable`` is Slicer itself, so that PythonSlicer has to be
            given.
        environment: All of its environment variables; those of this process when None.
        command: Program and arguments, when it is something else than ``python`` with this library.
        start_timeout_s: Seconds in which it must be ready.
        timeout_s: Seconds that a request may take; None for as long as it needs.

    Example:
        >>> with WorkerClient() as worker:                                                            # doctest: +SKIP
        ...     record = worker.segment(Request("blast-ct", ct="/head.nii.gz", output="/bleed.nii.gz"))
    """

    def __init__(
        self,
        python: str | Path = sys.executable,
        *,
        environment: Mapping[str, str] | None = None,
        command: Sequence[str] | None = None,
        start_timeout_s: float = 120.0,
        timeout_s: float | None = None,
    ) -> None:
        self._command = list(command) if command is not None else [str(python), "-c", _START, str(_LIBRARY)]
        self._environment = dict(os.environ if environment is None else environment)
        self._start_timeout_s = start_timeout_s
        self._timeout_s = timeout_s
        self._numbers = itertools.count(1)
        self._one_at_a_time = threading.RLock()
        self._stopped = threading.Event()
        self._child: Child | None = None
        self._last_stderr = ""
        self._folder: Path | None = None
        self._remove_folder: weakref.finalize[..., Any] | None = None
        self.versions: dict[str, str] = {}
        """Versions of the worker's packages, once it is ready."""

    def __enter__(self) -> WorkerClient:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def running(self) -> bool:
        """Whether the worker is there."""
        return self._child is not None and self._child.exit_status is None

    @property
    def stderr(self) -> str:
        """The last lines that the worker, or the one before it, wrote to stderr; they may name files."""
        return self._child.stderr if self._child is not None else self._last_stderr

    def start(self, progress: Progress = silent) -> None:
        """Starts the worker and waits until it is ready; nothing happens when it is there.

        Raises:
            WorkerError: It did not become ready.
            Cancelled: The progress said so, or :meth:`cancel` was called.
        """
        with self._one_at_a_time:
            self._stopped.clear()
            if not self.running:
                if self._child is not None:
                    self._child.end()
                with self._unless_left():
                    self._start(progress)

    def segment(self, request: Request, progress: Progress = silent) -> dict[str, Any]:
        """Has one scan segmented.

        The mask appears under ``request.output`` whole or not at all, whatever happens to the worker.

        Args:
            request: What to do; relative file names are taken from this process's working folder.
            progress: Told of the work, and asked several times a second whether to go on.

        Returns:
            The worker's record, see :func:`HTSegmentationLib.inference.worker.job.run_request`.

        Raises:
            Cancelled: The progress said so, or :meth:`cancel` was called; the worker and all that it started are gone.
            HTSegError: What the method raised, with the same text as without a worker.
            WorkerError: The worker crashed, was killed, or took too long.
        """
        for path in (request.output, request.probability):
            if path is not None:
                require_writable(path)
        with self._one_at_a_time:
            self.start(progress)
            with self.case_folder() as folder:
                inside = _inside(request, folder)
                with self._unless_left():
                    event = self._answer(inside, progress)
                if event["event"] == "error":
                    raise error_of_event(event, self.stderr)
                record = event["record"]
                _deliver(inside.output, request.output)
                if record["probability"] is not None:
                    _deliver(record["probability"], request.probability)
                    record["probability"] = request.probability
        return {**record, "mask": request.output}

    def cancel(self) -> None:
        """Ends the worker and everything that it started, at once; may be called from another thread."""
        self._stopped.set()
        child = self._child
        if child is not None:
            child.end()

    def close(self) -> None:
        """Has the worker shut down, amid a request at once, and removes its temporary files."""
        if not self._one_at_a_time.acquire(blocking=False):
            self.cancel()
            self._one_at_a_time.acquire()
        try:
            child, self._child = self._child, None
            if child is not None:
                child.leave(_LEAVE_S)
                self._last_stderr = child.stderr
            if self._remove_folder is not None:
                self._remove_folder()
                self._folder = self._remove_folder = None
        finally:
            self._one_at_a_time.release()

    @contextlib.contextmanager
    def case_folder(self) -> Iterator[Path]:
        """A folder that nobody else can read, for the files of one case; it is gone when the block ends."""
        folder = Path(tempfile.mkdtemp(prefix="case-", dir=self._private_folder()))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _private_folder(self) -> Path:
        if self._folder is None or not self._folder.is_dir():
            self._folder = Path(tempfile.mkdtemp(prefix="htseg-worker-"))
            self._remove_folder = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        return self._folder

    @contextlib.contextmanager
    def _unless_left(self) -> Iterator[None]:
        """A worker that is left amid a request, for whatever reason, is ended: it would answer when nobody listens."""
        try:
            yield
        except BaseException:
            child, self._child = self._child, None
            if child is not None:
                child.end()
                self._last_stderr = child.stderr
                shutil.rmtree(self._private_folder() / _TEMPORARY, ignore_errors=True)
            raise

    def _start(self, progress: Progress) -> None:
        folder = self._private_folder()
        temporary, empty = folder / _TEMPORARY, folder / "empty"
        for inner in (temporary, empty):
            inner.mkdir(mode=0o700, exist_ok=True)
        environment = self._environment | {"TMPDIR": str(temporary), "TEMP": str(temporary), "TMP": str(temporary)}
        environment[PRIVATE_FOLDER] = str(folder)
        try:
            self._child = Child(self._command, environment, empty)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise WorkerError(f"{self._command[0]} cannot be started: {reason}", "name a Python that is there") from error
        deadline = time.monotonic() + self._start_timeout_s
        event = self._next_event(("starting the worker", 0.0), progress, deadline, self._start_timeout_s)
        self._require_same_version(event)
        self.versions = dict(event["versions"])

    def _require_same_version(self, event: Mapping[str, Any]) -> None:
        found = event.get("versions", {}).get("htsegmentation")
        if event.get("event") != "ready" or event.get("protocol") != PROTOCOL or found != __version__:
            raise WorkerError(
                f"the worker's Python has HTSegmentation {found}, this one {__version__}", "install the same version in both"
            )

    def _answer(self, request: Request, progress: Progress) -> dict[str, Any]:
        """Sends a request and waits for its result or its error."""
        number = next(self._numbers)
        self._child.send(request.as_message(number))
        deadline = None if self._timeout_s is None else time.monotonic() + self._timeout_s
        told = ("loading", 0.0)
        while True:
            event = self._next_event(told, progress, deadline, self._timeout_s)
            if event.get("id") == number and event.get("event") in ("result", "error"):
                return event
            if event.get("id") == number and event.get("event") == "progress":
                told = (str(event.get("stage", "")), float(event.get("fraction", 0.0)))
                progress(*told)

    def _next_event(
        self, told: tuple[str, float], progress: Progress, deadline: float | None, limit_s: float | None
    ) -> dict[str, Any]:
        """Waits for the worker's next words, and meanwhile asks the caller whether to go on."""
        while True:
            event = self._child.event(_BEAT_S)
            if event is None and self._child.exit_status is not None:
                self._child.drain()
                event = self._child.event(0.0)
                if event is None:
                    raise Cancelled if self._stopped.is_set() else _last_error(self._child)
            if self._stopped.is_set():
                raise Cancelled
            if event is not None:
                return event
            if deadline is not None and time.monotonic() > deadline:
                problem = f"the worker gave no answer within {limit_s:.0f} s"
                raise WorkerError(problem, "give it more time or a faster device")
            progress(*told)


def _last_error(child: Child) -> WorkerError:
    found = diagnose(child.stderr, child.exit_status)
    return WorkerError(f"the worker process ended: {found.problem}", found.advice, child.exit_status, child.stderr)


def _inside(request: Request, folder: Path) -> Request:
    """The request with all names absolute and its outputs in a private folder, where half a file hurts nobody."""
    inputs = ("ct", "model", "roi", "brain", "tissue", "parameters")
    names = {name: os.path.abspath(value) for name in inputs if (value := getattr(request, name)) is not None}  # noqa: PTH100
    for name in ("output", "probability"):
        if getattr(request, name) is not None:
            names[name] = str(folder / f"{name}-{Path(getattr(request, name)).name}")
    return dataclasses.replace(request, **names)


def _deliver(made: str, wanted: str) -> None:
    with written_whole(wanted) as temporary:
        shutil.copyfile(made, temporary)
