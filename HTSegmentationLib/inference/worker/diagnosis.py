"""What a library's last words and a process's exit status mean, and what to do about it."""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass

_TRY_CPU = "try --device cpu"
"""What helps when a graphics card fails."""

_UPDATE_DRIVER = "update the graphics driver, or take --device cpu"
"""What helps an old driver."""

_LESS_MEMORY = "close other programs, take a smaller batch, or use a machine with more memory"
"""What helps when memory runs out."""

_REINSTALL = "install the packages anew: pip install --force-reinstall 'htsegmentation[dl]'"
"""What helps packages that do not fit each other."""


@dataclass(frozen=True)
class Diagnosis:
    """What happened and what to do.

    Args:
        problem: What happened, without a full stop.
        advice: What to do, without a full stop.
    """

    problem: str
    advice: str


_PATTERNS = (
    (
        r"CUDA out of memory|CUDA error: out of memory|OutOfMemoryError: |MPS backend out of memory",
        Diagnosis("the graphics card's memory is used up", "take a smaller batch, close other programs, or --device cpu"),
    ),
    (
        r"driver version is insufficient|driver on your system is too old|CUDA initialization: .*driver",
        Diagnosis("the graphics driver is too old for this PyTorch", _UPDATE_DRIVER),
    ),
    (
        r"no kernel image is available|is not compatible with the current PyTorch installation",
        Diagnosis(
            "this PyTorch was not built for this graphics card",
            "install a PyTorch build that names the card's compute capability, or take --device cpu",
        ),
    ),
    (
        r"MemoryError|Cannot allocate memory|bad_alloc|can't allocate memory|DefaultCPUAllocator|[Uu]nable to allocate",
        Diagnosis("the memory is used up", _LESS_MEMORY),
    ),
    (r"No space left on device|Disk quota exceeded", Diagnosis("the disk is full", "free space and start again")),
    (
        r"No module named '?(HTSegmentationLib|SimpleITK|numpy|scipy)\b",
        Diagnosis("its Python lacks what HTSegmentation needs", "pip install htsegmentation with that Python"),
    ),
    (
        r"SafetensorError|PytorchStreamReader failed|loading state_dict|Weights only load failed|UnpicklingError",
        Diagnosis("the weights are damaged or belong to another network", "run htseg models verify, and install it again"),
    ),
    (
        r"ImportError|ModuleNotFoundError|DLL load failed|cannot open shared object file|undefined symbol",
        Diagnosis("a package is installed by half or does not fit the others", f"{_REINSTALL}, see htseg check"),
    ),
    (
        r"CUDA error|CUDNN_STATUS|cuDNN error|CUBLAS_STATUS|NCCL",
        Diagnosis("the graphics card failed", f"{_TRY_CPU}, see htseg check"),
    ),
)
"""Words of libraries, the more exact ones first."""

_LONGEST_WORDS = 200
"""Letters of a library's own words that fit into a sentence."""

_WINDOWS_ACCESS_VIOLATION = 0xC0000005
"""How Windows ends a program that reads memory that is not its own."""

_SIGNALS = {
    "SIGKILL": Diagnosis("the system ended it, most likely because the memory was used up", _LESS_MEMORY),
    "SIGSEGV": Diagnosis("a library crashed", f"{_TRY_CPU}; if it stays, {_REINSTALL}"),
    "SIGBUS": Diagnosis("a library crashed", f"{_TRY_CPU}; free disk space and shared memory"),
    "SIGABRT": Diagnosis("a library gave up", f"{_TRY_CPU}; if it stays, {_REINSTALL}"),
    "SIGILL": Diagnosis("a library needs instructions that this processor lacks", "install a PyTorch for this processor"),
    "SIGTERM": Diagnosis("it was ended from outside", "start again"),
}
"""What the signals mean that end a process."""

_SHELL_OFFSET = 128
"""A program that a shell or container started tells a signal as 128 and its number."""


def diagnose(text: str, exit_status: int | None = None) -> Diagnosis:
    """What an error's text, or what a process wrote before it ended, means.

    Args:
        text: The text of an error, or the last lines that a process wrote.
        exit_status: Its exit status, negative for a signal, if it ended.

    Returns:
        What is known of words (with the words themselves) or of the exit status; else the last line itself, and the
        advice to report it.

    Example:
        >>> diagnose("RuntimeError: CUDA out of memory. Tried to allocate 2 GiB").problem
        "the graphics card's memory is used up (RuntimeError: CUDA out of memory. Tried to allocate 2 GiB)"
        >>> diagnose("", -9).advice.startswith("close other programs")
        True
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for pattern, meaning in _PATTERNS:
        for line in reversed(lines):
            if re.search(pattern, line):
                return Diagnosis(f"{meaning.problem} ({_shortened(line)})", meaning.advice)
    by_status = _SIGNALS.get(_signal_name(exit_status))
    if by_status is not None:
        return by_status
    last = _shortened(lines[-1]) if lines else "it said nothing"
    ended = "" if exit_status is None else f"exit status {exit_status}: "
    return Diagnosis(f"{ended}{last}", "start again; if it stays, report it with the output of htseg check")


def _shortened(line: str) -> str:
    return line if len(line) <= _LONGEST_WORDS else f"{line[:_LONGEST_WORDS]}..."


def _signal_name(exit_status: int | None) -> str:
    if exit_status is None:
        return ""
    if exit_status & 0xFFFFFFFF == _WINDOWS_ACCESS_VIOLATION:
        return "SIGSEGV"
    number = -exit_status if exit_status < 0 else exit_status - _SHELL_OFFSET
    try:
        return signal.Signals(number).name
    except ValueError:
        return ""
