"""The worker's side: reads requests, keeps the last model loaded, answers with events, and ends when its parent does."""

from __future__ import annotations

import gc
import importlib.metadata
import os
import platform
import queue
import shutil
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from HTSegmentationLib.errors import HTSegError, UsageError
from HTSegmentationLib.inference.worker.failures import error_event
from HTSegmentationLib.inference.worker.job import Tools, run_request
from HTSegmentationLib.inference.worker.process_tree import end_own_tree
from HTSegmentationLib.inference.worker.protocol import PRIVATE_FOLDER, PROTOCOL, Request, decode, encode
from HTSegmentationLib.segmenter import Segmenter
from HTSegmentationLib.version import __version__

_BETWEEN_PROGRESS_S = 0.1
"""Progress of one stage is told no more often than this."""

_GRACE_S = 2.0
"""How long a request may go on after the parent has gone without a word."""

_MOST_BYTES_A_LINE = 1 << 20
"""A line of this length is no request: it is read to its end and refused."""

_PACKAGES = ("SimpleITK", "numpy", "torch", "monai", "nnunetv2")
"""Packages whose versions the worker tells of; none is imported for it."""

_PARENT_GONE = 1
"""Exit status of a worker whose parent went away amid a request."""


def serve(requests: BinaryIO, answers: BinaryIO, tools: Tools) -> int:
    """Takes requests until it is told to shut down or its parent goes away.

    A parent that closes the stream without ``{"command": "shutdown"}`` has gone: a request that is running then is given
    two seconds, and the worker ends with everything that it started. After a shutdown, what was asked before is finished.

    Args:
        requests: One JSON object a line.
        answers: Where events are written.
        tools: How methods are made and masks written.

    Returns:
        The exit status, 0.
    """
    answer = _Answer(answers)
    inbox = _Inbox(requests)
    answer(encode({"event": "ready", "protocol": PROTOCOL, "versions": _versions()}))
    kept = _KeptSegmenter(tools)
    try:
        for message in inbox:
            _handle(message, kept, tools, answer)
    finally:
        inbox.finished.set()
        inbox.folder_gone.wait(_GRACE_S)
    return 0


class _KeptSegmenter:
    """The segmenter of the last request, so that the next case with the same model loads nothing."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._key: tuple[Any, ...] | None = None
        self._segmenter: Segmenter | None = None

    def get(self, request: Request) -> Segmenter:
        files = (request.model and os.path.join(request.model, "model.json"), request.parameters)  # noqa: PTH118
        key = (request.method, request.model, request.device, *((name, _changed(name)) for name in files))
        if self._segmenter is None or key != self._key:
            # Two models at once may not fit into the memory.
            self.drop()
            self._segmenter = self._tools.make(request)
            self._key = key
        return self._segmenter

    def drop(self) -> None:
        self._segmenter = self._key = None
        gc.collect()


class _Answer:
    """Writes events, one at a time; without a parent to read them there is nothing left to do."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def __call__(self, line: bytes) -> None:
        rest = memoryview(line)
        try:
            with self._lock:
                while rest:
                    # A pipe takes what fits into it at once.
                    rest = rest[self._stream.write(rest) :]
        except OSError:
            end_own_tree(_PARENT_GONE)


class _Inbox:
    """Requests as they come, read while others are worked on, so that the end of the parent is seen at once."""

    def __init__(self, stream: BinaryIO) -> None:
        self.finished = threading.Event()
        """Set by the one who takes the messages, when all are worked on."""
        self.folder_gone = threading.Event()
        """Set when nothing is left to do for this side."""
        self._stream = stream
        self._messages: queue.SimpleQueue[dict[str, Any] | UsageError | None] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def __iter__(self) -> Iterator[dict[str, Any] | UsageError]:
        while (message := self._messages.get()) is not None:
            yield message

    def _read(self) -> None:
        for line in iter(lambda: self._stream.readline(_MOST_BYTES_A_LINE), b""):
            if not line.strip():
                continue
            try:
                message = self._message(line)
            except UsageError as error:
                self._messages.put(error)
                continue
            if message.get("command") == "shutdown":
                self.folder_gone.set()
                self._messages.put(None)
                return
            self._messages.put(message)
        self._messages.put(None)
        in_order = self.finished.wait(_GRACE_S)
        if PRIVATE_FOLDER in os.environ:
            shutil.rmtree(os.environ[PRIVATE_FOLDER], ignore_errors=True)
        self.folder_gone.set()
        if not in_order:
            end_own_tree(_PARENT_GONE)

    def _message(self, line: bytes) -> dict[str, Any]:
        if len(line) == _MOST_BYTES_A_LINE:
            while line and not line.endswith(b"\n"):
                line = self._stream.readline(_MOST_BYTES_A_LINE)
            raise UsageError(f"a line of {_MOST_BYTES_A_LINE} bytes and more is no request")
        return decode(line)


def _handle(message: dict[str, Any] | UsageError, kept: _KeptSegmenter, tools: Tools, answer: _Answer) -> None:
    """Answers one line; whatever a library does, the worker goes on to the next."""
    number: int | str | None = None
    try:
        if isinstance(message, UsageError):
            raise message
        number = _number(message)
        if message.get("command") != "segment":
            raise UsageError(f"there is no command {message.get('command')!r}; known are segment and shutdown")
        request = Request.from_message(message)
        record = run_request(request, kept.get(request), tools, _progress(number, answer))
        line = encode({"id": number, "event": "result", "record": record})
    except HTSegError as error:
        line = encode({"id": number, **error_event(error)})
    except (Exception, SystemExit) as error:
        traceback.print_exc(file=sys.stderr)
        line = encode({"id": number, **error_event(error)})
        # What was used up or left half-done goes with the segmenter.
        kept.drop()
    answer(line)


def _number(message: dict[str, Any]) -> int | str | None:
    number = message.get("id")
    if isinstance(number, int | str | None):
        return number
    raise UsageError(f"the id is {number!r}; it must be a whole number or text")


def _progress(number: Any, answer: _Answer) -> Any:
    told: tuple[str, float] = ("", 0.0)

    def tell(stage: str, fraction: float) -> None:
        nonlocal told
        now = time.monotonic()
        if stage != told[0] or now - told[1] >= _BETWEEN_PROGRESS_S:
            told = (stage, now)
            answer(encode({"id": number, "event": "progress", "stage": stage, "fraction": round(float(fraction), 4)}))

    return tell


def _versions() -> dict[str, str]:
    found = {package: _version(package) for package in _PACKAGES}
    known = {package: version for package, version in found.items() if version}
    return {"htsegmentation": __version__, "python": platform.python_version(), **known}


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _changed(path: str | None) -> int | None:
    """When a file was last changed; None when there is none."""
    try:
        return None if not path else Path(path).stat().st_mtime_ns
    except OSError:
        return None
