"""A running worker as its parent sees it: lines in, events out, and the last words before it ended."""

from __future__ import annotations

import collections
import contextlib
import queue
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from HTSegmentationLib.errors import UsageError
from HTSegmentationLib.inference.worker.process_tree import end_tree, start_tree
from HTSegmentationLib.inference.worker.protocol import decode, encode

_KEPT_LINES = 200
"""Lines of stderr that are kept for a report."""

_KEPT_LETTERS = 2000
"""Letters that are kept of each of them."""

_LONGEST_LINE = 1 << 16
"""Bytes of stderr after which a line is taken as one, even if it does not end, as a progress bar may not."""

_LAST_S = 5.0
"""How long a worker that closed its stdout may take to end; then it is ended with what it left behind."""

_DRAIN_S = 1.0
"""How long the last words of an ended worker are waited for; a process that it left behind may hold the stream open."""


class Child:
    """One worker process.

    Args:
        command: Program and arguments.
        environment: All of its environment variables.
        folder: Its working folder.

    Raises:
        OSError: The program cannot be started.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
        self._process = start_tree(command, environment, folder)
        self._events: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._last_words: collections.deque[str] = collections.deque(maxlen=_KEPT_LINES)
        self._ending = threading.Lock()
        self._tree_ended = False
        self._readers = [
            threading.Thread(target=reader, args=(stream,), daemon=True)
            for reader, stream in ((self._read_events, self._process.stdout), (self._read_words, self._process.stderr))
        ]
        for reader in self._readers:
            reader.start()

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    @property
    def exit_status(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""
        return self._process.poll()

    @property
    def stderr(self) -> str:
        """The last lines of its stderr."""
        return "\n".join(tuple(self._last_words))

    def send(self, message: Mapping[str, Any]) -> None:
        """Sends a message; to a worker that has ended it is not sent, which :attr:`exit_status` shows."""
        with contextlib.suppress(OSError, ValueError):
            self._process.stdin.write(encode(message))
            self._process.stdin.flush()

    def event(self, wait_s: float) -> dict[str, Any] | None:
        """The next event; None when there is none within that many seconds."""
        with contextlib.suppress(queue.Empty):
            return self._events.get(timeout=wait_s)
        return None

    def drain(self) -> None:
        """Waits until all that an ended worker said was read."""
        for reader in self._readers:
            reader.join(_DRAIN_S)

    def leave(self, wait_s: float) -> None:
        """Asks it to shut down, gives it that many seconds, and ends its whole tree."""
        self.send({"command": "shutdown"})
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(wait_s)
        self.end()

    def end(self) -> None:
        """Ends it and everything that it started, at once."""
        self._end_tree()
        self.drain()
        with contextlib.suppress(OSError):
            self._process.stdin.close()

    def _end_tree(self) -> None:
        """Only once: later, another process may have the number."""
        with self._ending:
            if not self._tree_ended:
                self._tree_ended = True
                end_tree(self._process)

    def _read_events(self, stream: BinaryIO) -> None:
        with stream:
            for line in stream:
                self._take(line)
        # It ends of its own accord, with an exit status that says why; what it started must not outlive it.
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_LAST_S)
        self._end_tree()

    def _read_words(self, stream: BinaryIO) -> None:
        with stream:
            for line in iter(lambda: stream.readline(_LONGEST_LINE), b""):
                self._keep(line)

    def _take(self, line: bytes) -> None:
        try:
            self._events.put(decode(line))
        except UsageError:
            self._keep(line)

    def _keep(self, line: bytes) -> None:
        self._last_words.append(line.decode("utf-8", "replace").rstrip()[:_KEPT_LETTERS])
