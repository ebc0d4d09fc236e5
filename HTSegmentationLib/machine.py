"""What this computer lends to the process: cores and memory, as a container or a cluster's job limits them."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

_MEMORY_FILE = Path("/proc/meminfo")

_CONTROL_GROUPS = Path("/sys/fs/cgroup")
"""Where Linux keeps what a container or a job of a cluster may use."""

_OWN_GROUP = Path("/proc/self/cgroup")
"""Which of them is this process's."""

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4
"""Options of mallopt (malloc.h of the GNU C library)."""

_TUNED_BY = ("MALLOC_MMAP_MAX_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "GLIBC_TUNABLES")
"""Environment variables by which users set what these options set."""

_KEPT_BYTES = 1 << 30
"""Free memory at the heap's end that stays with the process."""


def usable_cores() -> int:
    """How many cores this process may use.

    Example:
        >>> usable_cores() >= 1
        True
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def free_memory() -> int | None:
    """Bytes that programs can still have; None where the system does not tell (it is Linux that does)."""
    known = [free for free in (_of_machine(), *map(_of_group, _groups())) if free is not None]
    return min(known, default=None)


def keep_freed_memory() -> bool:
    """Lets this process use memory again that it has freed, instead of giving it back and asking for new pages.

    The GNU C library gives each large block back at once. A network on a processor allocates and frees hundreds of
    megabytes in every step, and the system clears each new page: up to half of a step's time.

    Returns:
        Whether it could be arranged: on Linux with the GNU C library, unless the user's environment tunes its memory.

    Example:
        >>> keep_freed_memory() in (True, False)
        True
    """
    if not sys.platform.startswith("linux") or any(name in os.environ for name in _TUNED_BY):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    # Without mmap large blocks come from the heap, too, which shrinks only beyond the threshold.
    return bool(mallopt(_MMAP_MAX, 0)) and bool(mallopt(_TRIM_THRESHOLD, _KEPT_BYTES))


def _of_machine() -> int | None:
    try:
        lines = _MEMORY_FILE.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    kilobytes = next((line.split()[1] for line in lines if line.startswith("MemAvailable:")), None)
    return None if kilobytes is None else int(kilobytes) * 1024


def _groups() -> list[Path]:
    """The folders of this process's control group and of the container's, which may be the same."""
    try:
        lines = _OWN_GROUP.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return []
    own = [line.partition("::")[2].lstrip("/") for line in lines if line.startswith("0::")]
    return [_CONTROL_GROUPS, *(_CONTROL_GROUPS / path for path in own if path)]


def _of_group(group: Path) -> int | None:
    """What is left of a limit; files that the system keeps in memory do not count, it gives them up when asked."""
    try:
        limit = int((group / "memory.max").read_text(encoding="ascii"))
        lines = (group / "memory.stat").read_text(encoding="ascii").splitlines()
        return max(0, limit - next(int(line.split()[1]) for line in lines if line.startswith("anon ")))
    except (OSError, ValueError, StopIteration):
        return None
