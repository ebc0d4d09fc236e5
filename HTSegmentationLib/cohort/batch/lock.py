"""Keeps two runs from writing into one folder; the system lets go of the lock however the run ends."""

from __future__ import annotations

import contextlib
import errno
import os
import platform
from collections.abc import Iterator
from pathlib import Path

from HTSegmentationLib.errors import OutputError, UsageError
from HTSegmentationLib.remark import Remark, Severity

_LOCKED_BYTE = 1 << 30
"""Windows keeps others from reading a locked byte; this one lies far behind the words for them."""

_TAKEN = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
"""What the system says when another process holds the lock."""

_LONGEST_WORDS = 200


@contextlib.contextmanager
def locked(path: Path) -> Iterator[tuple[Remark, ...]]:
    """Holds a lock on a file, which is made and stays: taking it away would let two runs hold different files.

    The lock is the operating system's: it ends with the process that holds it, even if that is killed.

    Args:
        path: The file; its folder must be there.

    Yields:
        What must be told: some network drives have no locks.

    Raises:
        UsageError: Another run holds it.
        OutputError: The file cannot be made.
    """
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
    except OSError as error:
        raise OutputError(path, (error.strerror or str(error)).lower(), "choose another folder") from error
    with os.fdopen(handle, "r+b", buffering=0) as file:
        remarks: tuple[Remark, ...] = ()
        try:
            _take(file.fileno())
        except OSError as error:
            if error.errno in _TAKEN:
                file.seek(0)
                holder = " ".join(file.read(_LONGEST_WORDS).decode("ascii", "replace").split())
                advice = "wait for it or choose another folder"
                raise UsageError(f"{path.parent}: another run is writing into it ({holder}); {advice}") from error
            remarks = (_no_locks(path.parent, error),)
        words = f"process {os.getpid()} on {platform.node()}\n".encode("ascii", "replace")
        file.seek(0)
        file.truncate()
        file.write(words)
        yield remarks


def _take(handle: int) -> None:
    if os.name == "nt":
        import msvcrt

        os.lseek(handle, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _no_locks(folder: Path, error: OSError) -> Remark:
    reason = (error.strerror or str(error)).lower()
    text = f"{folder.name}: its drive has no locks ({reason}); make sure that no second run writes into it."
    return Remark("folder-not-locked", text, Severity.CAUTION)
