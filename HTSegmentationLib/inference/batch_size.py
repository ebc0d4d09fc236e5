"""How many windows run at once: chosen from the free memory, and halved when it does not suffice after all."""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from HTSegmentationLib.errors import SegmentationError
from HTSegmentationLib.inference.device import Device, import_torch
from HTSegmentationLib.remark import Remark

if TYPE_CHECKING:
    from torch import nn

LIVE_MAPS = 6
"""Feature maps as large as the largest that are alive at once: a skip, the two that are added, a convolution's output and
its working memory, and one to spare."""

USED_SHARE = 0.5
"""Share of the free memory that a batch may take; the rest is the answer's and other programs'."""

_MOST_ON_CARD = 64
"""Windows at once on a card; more makes nothing faster."""

_MOST_ON_PROCESSOR = 4
"""Windows at once on the processor, whose caches larger batches overrun."""

_UNKNOWN_FREE_BYTES = 2 * 2**30
"""What is taken to be free where the system does not tell."""

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def batch_size_for(network: nn.Module, window: Sequence[int], device: Device) -> int:
    """How many windows fit into half of the free memory.

    The largest feature map is found by a run without data (PyTorch's device ``meta``), so that any network is judged by
    what it is.

    Args:
        network: The network; it is left as it is.
        window: Sides of a window (z, y, x) in voxels.
        device: Where it will run.
    """
    largest = largest_map_bytes(network, window) * LIVE_MAPS
    free = device.free_bytes() or _UNKNOWN_FREE_BYTES
    most = _MOST_ON_PROCESSOR if device.name == "cpu" else _MOST_ON_CARD
    return int(min(max(free * USED_SHARE // largest, 1), most))


def largest_map_bytes(network: nn.Module, window: Sequence[int]) -> int:
    """Size in bytes of the largest feature map of one window in single precision."""
    torch = import_torch()
    window_map = torch.empty((1, network.input_channels, *window), device="meta")
    sizes = [window_map.numel()]

    def measure(_module: Any, _inputs: Any, output: Any) -> None:
        if isinstance(output, torch.Tensor):
            sizes.append(output.numel())

    hooks = [module.register_forward_hook(measure) for module in network.modules()]
    state = {name: tensor.to("meta") for name, tensor in [*network.named_parameters(), *network.named_buffers()]}
    try:
        with torch.inference_mode():
            torch.func.functional_call(network, state, (window_map,))
    finally:
        for hook in hooks:
            hook.remove()
    return max(sizes) * window_map.element_size()


class Batches:
    """Cuts work into batches that fit into memory.

    Args:
        size: Items in a batch, to begin with.
        place: What the items run on, for messages.

    Example:
        >>> batches = Batches(2, "the processor")
        >>> [list(items) for items, _ in batches.over([1, 2, 3], sum)]
        [[1, 2], [3]]
    """

    def __init__(self, size: int, place: str) -> None:
        self.size = size
        """Items in a batch now."""
        self._first_size = size
        self._place = place

    @property
    def remarks(self) -> tuple[Remark, ...]:
        """The remark ``batch-halved`` when the first size did not fit."""
        if self.size == self._first_size:
            return ()
        text = (
            f"The memory of {self._place} did not suffice for {self._first_size} windows at once; {self.size} at once were "
            "computed instead, which takes longer and changes nothing in the result."
        )
        return (Remark("batch-halved", text),)

    def over(
        self, items: Sequence[_Item], work: Callable[[Sequence[_Item]], _Result]
    ) -> Iterator[tuple[Sequence[_Item], _Result]]:
        """Does the work batch by batch; a batch that runs out of memory is halved and done again.

        Raises:
            SegmentationError: The memory does not suffice for one item.
        """
        start = 0
        while start < len(items):
            batch = items[start : start + self.size]
            done, result = self._try(batch, work)
            if done:
                start += len(batch)
                yield batch, result
                # Nothing of the last batch is kept while the next one needs the memory.
                del result
                continue
            if len(batch) == 1:
                raise SegmentationError(
                    f"the memory of {self._place} does not suffice for a single window of this network; close other "
                    "programs, take --device cpu, or a machine with more memory"
                )
            self.size = math.ceil(len(batch) / 2)

    def _try(self, batch: Sequence[_Item], work: Callable[[Sequence[_Item]], _Result]) -> tuple[bool, Any]:
        try:
            return True, work(batch)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        # Here the error and, with it, the tensors that its traceback held are gone.
        gc.collect()
        torch = import_torch()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        return False, None


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that memory did not suffice, on a card or on the processor."""
    if isinstance(error, (MemoryError, import_torch().cuda.OutOfMemoryError)):
        return True
    text = str(error).lower()
    return any(words in text for words in ("out of memory", "can't allocate memory", "not enough memory"))
