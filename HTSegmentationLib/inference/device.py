"""Where a network runs: on a graphics card that has shown that it can, or on the processor, and then with a word."""

from __future__ import annotations

import contextlib
import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from HTSegmentationLib.errors import HTSegError, MissingPackageError, UsageError
from HTSegmentationLib.machine import free_memory, keep_freed_memory
from HTSegmentationLib.remark import Remark, Severity

if TYPE_CHECKING:
    import torch

DEVICE_HELP = "auto, cpu, cuda, cuda:N (the card with that number, from 0) or mps"
"""What may be named as a device, for messages and the help of commands."""

_NAMED = re.compile(r"auto|cpu|mps|cuda(:\d{1,3})?")
"""Every name that a device can have."""

_PROBE_SIDE = 8
"""Edge in voxels of the block on which a card is tried out."""


@dataclass(frozen=True)
class Device:
    """A device that was tried out.

    Args:
        name: ``"cpu"``, ``"cuda:0"``, ``"mps"``.
        title: What users read, as ``"NVIDIA T4"`` or ``"the processor, 8 threads"``.
        torch_device: The same as PyTorch's own object.
        remarks: What must be said of the choice; empty unless the work fell back to the processor.
    """

    name: str
    title: str
    torch_device: torch.device
    remarks: tuple[Remark, ...] = ()

    @property
    def is_cuda(self) -> bool:
        """Whether it is a card of NVIDIA's kind, where half precision pays."""
        return self.torch_device.type == "cuda"

    def free_bytes(self) -> int:
        """Memory in bytes that can be used on it now; 0 where the system does not tell."""
        return _free_on_card(self.torch_device) if self.is_cuda else (free_memory() or 0)

    @contextlib.contextmanager
    def computing(self, *, half: bool) -> Iterator[None]:
        """Runs a block without gradients, in half precision if asked for, and with the same result each time."""
        torch = import_torch()
        with contextlib.ExitStack() as stack:
            stack.enter_context(torch.inference_mode())
            if self.is_cuda:
                cudnn = torch.backends.cudnn
                stack.enter_context(cudnn.flags(enabled=True, benchmark=False, deterministic=True))
            if half:
                stack.enter_context(torch.autocast(self.torch_device.type, dtype=torch.float16))
            yield


def import_torch() -> Any:
    """The module ``torch``.

    Raises:
        MissingPackageError: It is not installed.
        HTSegError: It is there and cannot be loaded, as after an installation that was cut off.
    """
    try:
        return importlib.import_module("torch")
    except ModuleNotFoundError as error:
        if error.name == "torch":
            raise MissingPackageError("torch", "to run a network", "dl") from error
        raise _damaged(error) from error
    except (ImportError, OSError, AttributeError) as error:
        raise _damaged(error) from error


def choose_device(name: str = "auto") -> Device:
    """Chooses and tries out a device.

    A card is used only when a small network of the layers that segmentation needs ran on it: a driver that is too old,
    a card that this PyTorch was not built for, or a layer that is missing there shows at once and not amid a scan.

    Args:
        name: ``"auto"`` (a card if one works, else the processor), ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"mps"``.

    Returns:
        The device. Only ``"auto"`` falls back to the processor, and says so by the remark ``device-fallback``.

    Raises:
        UsageError: There is no such name, or the device named is not there or does not work.
        MissingPackageError: PyTorch is not installed.

    Example:
        >>> choose_device("cpu").name   # doctest: +SKIP
        'cpu'
    """
    if not _NAMED.fullmatch(name):
        raise UsageError(f"there is no device {name!r}; known are {DEVICE_HELP}")
    torch = import_torch()
    if name == "cpu":
        return _processor(torch)
    wanted = _candidates(torch) if name == "auto" else ["cuda:0" if name == "cuda" else name]
    fault = "no graphics card was found that this PyTorch can use"
    for candidate in wanted:
        fault = _fault(torch, candidate)
        if not fault:
            return Device(candidate, _title(torch, candidate), torch.device(candidate))
    if name != "auto":
        raise UsageError(f"the device {name} cannot be used: {fault}; take --device auto or cpu, or see htseg check")
    text = f"The network ran on the processor, which takes many times longer: {fault}."
    return _processor(torch, (Remark("device-fallback", text, Severity.CAUTION),))


def _processor(torch: Any, remarks: tuple[Remark, ...] = ()) -> Device:
    keep_freed_memory()
    threads = torch.get_num_threads()
    title = f"the processor, {threads} thread{'' if threads == 1 else 's'}"
    return Device("cpu", title, torch.device("cpu"), remarks)


def _candidates(torch: Any) -> list[str]:
    """The cards that auto tries: CUDA's first one, which the user's CUDA_VISIBLE_DEVICES decides, then Apple's."""
    found = ["cuda:0"] if torch.cuda.is_available() else []
    return found + (["mps"] if torch.backends.mps.is_available() else [])


def _fault(torch: Any, name: str) -> str:
    """Why a card cannot be used, without a full stop; empty when it can."""
    kind, _, number = name.partition(":")
    if kind == "mps" and not torch.backends.mps.is_available():
        return "this PyTorch finds no Metal device"
    if kind == "cuda" and not torch.cuda.is_available():
        if torch.version.cuda is None and getattr(torch.version, "hip", None) is None:
            return "this PyTorch was built without CUDA"
        return "PyTorch finds no card, or its driver is too old"
    if kind == "cuda" and int(number) >= torch.cuda.device_count():
        return f"PyTorch finds {torch.cuda.device_count()} cards, numbered from 0"
    try:
        _probe(torch, name)
    except (RuntimeError, NotImplementedError) as error:
        reason = str(error).strip().splitlines()
        return f"a small network failed on {name} ({reason[0] if reason else type(error).__name__})"
    return ""


def _probe(torch: Any, name: str) -> None:
    """Runs the layers of a 3D U-Net once."""
    functional = torch.nn.functional
    with torch.inference_mode():
        block = torch.ones((1, 1, *[_PROBE_SIDE] * 3), device=name)
        kernel = torch.ones((1, 1, 3, 3, 3), device=name)
        down = functional.max_pool3d(functional.conv3d(block, kernel, padding=1), 2)
        up = functional.conv_transpose3d(down, torch.ones((1, 1, 2, 2, 2), device=name), stride=2)
        smooth = functional.interpolate(up, scale_factor=2, mode="trilinear", align_corners=False)
        if not bool(torch.isfinite(smooth).all()):
            raise RuntimeError("the result held values that are not numbers")


def _title(torch: Any, name: str) -> str:
    return torch.cuda.get_device_name(name) if name.startswith("cuda") else "Apple's graphics card"


def _free_on_card(device: torch.device) -> int:
    torch = import_torch()
    free, _ = torch.cuda.mem_get_info(device)
    # What PyTorch holds in its cache without using it is free for the next batch.
    return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)


def _damaged(error: Exception) -> HTSegError:
    reason = " ".join(str(error).split()) or type(error).__name__
    return HTSegError(
        f"torch is installed and cannot be loaded ({reason}); install it anew: "
        "pip install --force-reinstall 'htsegmentation[dl]'"
    )
