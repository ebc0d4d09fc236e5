"""A process with all that it starts: begun in a group of its own, ended as a whole."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

_WINDOWS = sys.platform == "win32"

_PROCESSES = Path("/proc")
"""Where Linux lists processes."""

_WAIT_S = 10.0
"""An ended process is gone after this time, or nothing will make it go."""

_MOST_ROUNDS = 20
"""Rounds of stopping what was started meanwhile, before all is ended."""


def start_tree(command: Sequence[str], environment: Mapping[str, str], folder: Path) -> subprocess.Popen[bytes]:
    """Starts a process whose tree :func:`end_tree` can end, with pipes to its three streams.

    Args:
        command: Program and arguments; no shell is involved.
        environment: All of its environment variables.
        folder: Its working folder.

    Raises:
        OSError: The program cannot be started.
    """
    options = (
        {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
        if _WINDOWS
        else {"start_new_session": True}
    )
    pipe = subprocess.PIPE
    return subprocess.Popen(  # noqa: S603  (the caller's own Python)
        list(command), stdin=pipe, stdout=pipe, stderr=pipe, env=dict(environment), cwd=folder, **options
    )


def end_tree(process: subprocess.Popen[bytes]) -> None:
    """Ends a process that :func:`start_tree` started and everything that it started; no one is asked first."""
    if _WINDOWS:
        _taskkill(process.pid)
    else:
        # An ended leader's number may be another's by now, but its group's number is not reused while a member lives.
        _end_all(process.pid if process.poll() is None else None, group=process.pid)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_WAIT_S)


def end_own_tree(status: int) -> NoReturn:
    """Ends everything that this process started, and then itself."""
    if _WINDOWS:
        _taskkill(os.getpid())
    else:
        for pid in descendants(os.getpid()):
            _signal(pid, signal.SIGKILL)
        if os.getpgrp() == os.getpid():
            _signal_group(os.getpid(), signal.SIGKILL)
    os._exit(status)


def descendants(pid: int) -> list[int]:
    """The processes that this one started, those that they started, and so on; POSIX only."""
    children: dict[int, list[int]] = {}
    for child, parent in _parents():
        children.setdefault(parent, []).append(child)
    found, open_ends = [], [pid]
    while open_ends:
        for child in children.get(open_ends.pop(), []):
            found.append(child)
            open_ends.append(child)
    return found


def _end_all(leader: int | None, group: int) -> None:
    """Stops the whole tree, so that nothing new is started meanwhile, and then ends it."""
    stopped: set[int] = set()
    for _ in range(_MOST_ROUNDS):
        _signal_group(group, signal.SIGSTOP)
        fresh = set() if leader is None else set(descendants(leader)) - stopped
        if not fresh:
            break
        for pid in fresh:
            _signal(pid, signal.SIGSTOP)
        stopped |= fresh
    _signal_group(group, signal.SIGKILL)
    for pid in stopped:
        _signal(pid, signal.SIGKILL)


def _parents() -> list[tuple[int, int]]:
    """(process, its parent) of every process."""
    if not (_PROCESSES / "self").exists():
        listing = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=False)  # noqa: S607
        return [(int(words[0]), int(words[1])) for line in listing.stdout.splitlines() if len(words := line.split()) > 1]
    pairs = []
    for entry in _PROCESSES.iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                # The name in brackets may hold anything, brackets too; after the last one come state and parent.
                pairs.append((int(entry.name), int((entry / "stat").read_text().rpartition(")")[2].split()[1])))
    return pairs


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _signal_group(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _taskkill(pid: int) -> None:
    system = Path(os.environ.get("SYSTEMROOT", r"C:\Windows")) / "System32" / "taskkill.exe"
    command = [str(system), "/F", "/T", "/PID", str(pid)]
    with contextlib.suppress(OSError):
        subprocess.run(command, capture_output=True, check=False)  # noqa: S603  (a system program and a number)
