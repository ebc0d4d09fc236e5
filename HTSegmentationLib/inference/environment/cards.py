"""PyTorch and the graphics cards: what this build of it can use, and what the driver says."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable
from typing import Any

from HTSegmentationLib.errors import HTSegError, MissingPackageError
from HTSegmentationLib.inference.device import import_torch
from HTSegmentationLib.inference.environment.finding import Finding, note, ok, problem

_PATIENCE_S = 10
"""nvidia-smi answers at once or hangs on a driver that does not."""

_REINSTALL = "pip install --force-reinstall 'htsegmentation[dl]'"
"""What mends a torch that was not installed to the end."""

_CUDA_BUILD = "install PyTorch's build for CUDA as https://pytorch.org/get-started/locally says"
"""What makes use of a card of NVIDIA's."""


def card_findings() -> list[Finding]:
    """PyTorch, the driver, and each graphics card."""
    driver = nvidia_driver()
    try:
        torch = import_torch()
    except MissingPackageError:
        text = "not installed; needed to run networks (the thresholds work without)"
        return [note("torch", "PyTorch", text, "pip install 'htsegmentation[dl]'"), *_driver_finding(driver)]
    except HTSegError as error:
        text = f"it is half-installed: {str(error).partition(';')[0]}"
        return [problem("torch", "PyTorch", text, _REINSTALL), *_driver_finding(driver)]
    try:
        return [_torch_finding(torch), *_driver_finding(driver), *_cards(torch, driver)]
    except AttributeError as error:
        # What is left of a removed torch can still be imported, as an empty package.
        return [problem("torch", "PyTorch", f"it is half-installed: {error}", _REINSTALL), *_driver_finding(driver)]


def nvidia_driver() -> str | None:
    """The version of NVIDIA's driver, as its own tool says; None where there is none or it does not work."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return None
    command = [tool, "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_S, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.match(r"\d+(\.\d+)+", run.stdout.strip())
    return found[0] if run.returncode == 0 and found else None


def supports(capability: tuple[int, int], architectures: Iterable[str]) -> bool:
    """Whether a build of PyTorch holds code for a card.

    Machine code (``sm_80``) runs on cards of the same first number and at least the same second one (8.0 on 8.6);
    intermediate code (``compute_80``) is translated by the driver for all later cards.

    Args:
        capability: The card's compute capability, as (8, 6).
        architectures: What ``torch.cuda.get_arch_list()`` says.

    Example:
        >>> supports((8, 6), ["sm_75", "sm_80"]), supports((12, 0), ["sm_80"])
        (True, False)
    """
    for text in architectures:
        found = re.fullmatch(r"(sm|compute)_(\d+)(\d)([a-z]?)", text)
        if found is None:
            continue
        own = (int(found[2]), int(found[3]))
        # A letter, as in sm_90a, marks code for exactly this card.
        if own == capability or (not found[4] and own < capability and (found[1] == "compute" or own[0] == capability[0])):
            return True
    return False


def _torch_finding(torch: Any) -> Finding:
    built = f"CUDA {torch.version.cuda}" if torch.version.cuda else "the processor"
    if getattr(torch.version, "hip", None):
        built = f"ROCm {torch.version.hip}"
    return ok("torch", "PyTorch", f"{torch.__version__}, built for {built}")


def _driver_finding(driver: str | None) -> list[Finding]:
    return [] if driver is None else [ok("driver", "NVIDIA driver", driver)]


def _cards(torch: Any, driver: str | None) -> list[Finding]:
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if count:
        return [_card(torch, number) for number in range(count)]
    if torch.backends.mps.is_available():
        return [ok("card-0", "Graphics card", "Apple's, through Metal")]
    text = "none that PyTorch can use: networks run on the processor, which takes minutes instead of seconds"
    if driver is None:
        return [note("card", "Graphics card", text)]
    if torch.version.cuda is None:
        return [
            problem("card", "Graphics card", f"there is one, and this PyTorch was built without CUDA; {text}", _CUDA_BUILD)
        ]
    text = f"there is one, and its driver {driver} does not work with CUDA {torch.version.cuda} of this PyTorch"
    return [problem("card", "Graphics card", text, "update NVIDIA's driver")]


def _card(torch: Any, number: int) -> Finding:
    name, title = f"card-{number}", f"Graphics card {number}"
    try:
        properties = torch.cuda.get_device_properties(number)
        capability = (properties.major, properties.minor)
        memory = properties.total_memory / 2**30
        text = f"{properties.name}, {memory:.1f} GB, compute capability {'.'.join(map(str, capability))}"
    except RuntimeError as error:
        return problem(name, title, f"it does not answer: {' '.join(str(error).split())[:200]}", "update NVIDIA's driver")
    # Builds for ROCm name their cards otherwise; there, the first scan tells.
    if torch.version.cuda and not supports(capability, torch.cuda.get_arch_list()):
        return problem(name, title, f"{text}, for which this PyTorch holds no code", _CUDA_BUILD)
    return ok(name, title, text)
