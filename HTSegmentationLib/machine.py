"""What this computer lends to the process: cores and memory, as a container or a cluster's job limits them."""

from __future__ import annotations

import os
from pathlib import Path

_MEMORY_FILE = Path("/proc/meminfo")

_CONTROL_GROUPS = Path("/sys/fs/cgroup")
"""Where Linux keeps what a container or a job of a cluster may use."""

_OWN_GROUP = Path("/proc/self/cgroup")
"""Which of them is this process's."""


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
