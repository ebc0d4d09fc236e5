"""Python, platform, memory, disk and Windows' limit on long paths."""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from HTSegmentationLib.inference.environment.finding import Finding, note, ok, problem

_OLDEST_PYTHON = (3, 10)
"""As pyproject.toml says."""

_LEAST_MEMORY_GB = 4.0
"""What a network needs for a head beside the system."""

_LEAST_DISK_GB = 2.0
"""Room for one ensemble of large networks."""

_LONG_PATHS_KEY = r"SYSTEM\CurrentControlSet\Control\FileSystem"
"""Where Windows keeps whether paths may be longer than 260 characters."""


def computer_findings(store: Path) -> list[Finding]:
    """Everything about the computer itself.

    Args:
        store: The folder of the models, which need not be there.
    """
    found = [_python(sys.version_info[:3]), _platform(), _memory(memory_bytes()), _disk(store)]
    if sys.platform == "win32":
        found.append(long_paths(_long_paths_enabled))
    return found


def memory_bytes() -> int | None:
    """Memory of the computer in bytes; None where the system does not tell."""
    if sys.platform == "win32":
        return _windows_memory()
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return None


def long_paths(enabled: Callable[[], bool]) -> Finding:
    """Whether Windows takes paths of more than 260 characters, which the folders of PyTorch and nnU-Net reach.

    Args:
        enabled: Asks Windows.
    """
    if enabled():
        return ok("long-paths", "Long paths", "Windows takes paths of more than 260 characters")
    text = "Windows takes paths of up to 260 characters, on which the installation of torch or nnU-Net may fail"
    fix = f"as administrator set LongPathsEnabled to 1 in HKEY_LOCAL_MACHINE\\{_LONG_PATHS_KEY} and start Windows again"
    return note("long-paths", "Long paths", text, fix)


def _python(version: tuple[int, ...]) -> Finding:
    text = f"{'.'.join(map(str, version))}, {sys.executable or 'inside another program'}"
    if version[:2] < _OLDEST_PYTHON:
        return problem("python", "Python", text, "use Python 3.10 or later", stops_core=True)
    return ok("python", "Python", text)


def _platform() -> Finding:
    cores = os.cpu_count() or 1
    text = f"{platform.system()} {platform.release()}, {platform.machine()}, {cores} core{'' if cores == 1 else 's'}"
    return ok("platform", "Platform", text)


def _memory(found: int | None) -> Finding:
    if found is None:
        return note("memory", "Memory", "the system does not tell how much there is")
    text = f"{found / 2**30:.1f} GB"
    if found / 2**30 < _LEAST_MEMORY_GB:
        return note("memory", "Memory", text, f"networks need {_LEAST_MEMORY_GB:.0f} GB; the thresholds work with less")
    return ok("memory", "Memory", text)


def _disk(store: Path) -> Finding:
    there = next((path for path in (store, *store.parents) if path.is_dir()), store)
    try:
        free = shutil.disk_usage(there).free
    except OSError as error:
        return problem(
            "disk", "Disk", f"{there}: {(error.strerror or str(error)).lower()}", "set HTSEG_MODELS to a folder of yours"
        )
    text = f"{free / 2**30:.1f} GB free for models"
    if free / 2**30 < _LEAST_DISK_GB:
        return note("disk", "Disk", text, "free space, or set HTSEG_MODELS to a folder on another disk")
    return ok("disk", "Disk", text)


def _long_paths_enabled() -> bool:
    import winreg

    try:
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, _LONG_PATHS_KEY) as key:
            return bool(winreg.QueryValueEx(key, "LongPathsEnabled")[0])
    except OSError:
        return False


def _windows_memory() -> int | None:
    class Status(ctypes.Structure):
        _fields_ = (
            ("length", ctypes.c_ulong),
            ("load", ctypes.c_ulong),
            ("total", ctypes.c_ulonglong),
            *((f"other_{number}", ctypes.c_ulonglong) for number in range(6)),
        )

    status = Status(length=ctypes.sizeof(Status))
    return status.total if ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)) else None
