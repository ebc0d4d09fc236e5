"""Several processes that train one network together, one a card, as ``torchrun`` starts them; usually it is one alone."""

from __future__ import annotations

import contextlib
import datetime
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from HTSegmentationLib.errors import HTSegError, UsageError
from HTSegmentationLib.inference.device import import_torch

if TYPE_CHECKING:
    import torch
    from torch import nn

_PATIENCE = datetime.timedelta(days=2)
"""How long the others wait for the first process, which prepares all cases and predicts the held-out ones alone."""

_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Team:
    """This process among those that train together.

    Args:
        rank: Its number, from 0; the first one alone writes and speaks.
        size: How many there are.
        local_rank: Its number on its own machine, which is that of its card.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0

    @property
    def is_first(self) -> bool:
        """Whether it is the one that writes."""
        return self.rank == 0

    def any(self, *wishes: bool) -> tuple[bool, ...]:
        """For each wish, whether any process has it; all processes must ask in the same moment."""
        if self.size == 1:
            return wishes
        torch = import_torch()
        flags = torch.tensor(wishes, dtype=torch.int32, device=_meeting_place())
        torch.distributed.all_reduce(flags, op=torch.distributed.ReduceOp.MAX)
        return tuple(bool(flag) for flag in flags.tolist())

    def sums(self, *numbers: float) -> tuple[float, ...]:
        """The sum of each number over all processes."""
        if self.size == 1:
            return numbers
        torch = import_torch()
        totals = torch.tensor(numbers, dtype=torch.float64, device=_meeting_place())
        torch.distributed.all_reduce(totals)
        return tuple(totals.tolist())

    def told(self, value: _Value | None) -> _Value:
        """What the first process says, in all of them; it waits until it is said."""
        if self.size == 1:
            return value
        box: list[Any] = [value]
        import_torch().distributed.broadcast_object_list(box, src=0, device=_meeting_place())
        return box[0]


def team_from_environment() -> Team:
    """The team that ``torchrun`` tells by RANK, WORLD_SIZE and LOCAL_RANK; one alone without it.

    Raises:
        UsageError: These variables are set and do not go together.
    """
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK")
    found = [os.environ.get(name) for name in names]
    if found[:2] == [None, None]:
        return Team()
    if not all(text is not None and text.isdecimal() for text in found):
        said = ", ".join(f"{name}={text}" for name, text in zip(names, found, strict=True))
        raise UsageError(f"the environment says {said}; start several processes by torchrun, which sets all three")
    rank, size, local_rank = map(int, found)
    return Team(rank, size, local_rank)


@contextlib.contextmanager
def joined(team: Team, device: torch.device) -> Iterator[None]:
    """Meets the other processes, by NCCL where cards are used and by Gloo on processors, and parts in the end.

    Within a block of its own it does nothing more.

    Raises:
        HTSegError: The others do not answer.
    """
    torch = import_torch()
    if team.size == 1 or torch.distributed.is_initialized():
        yield
        return
    backend = "nccl" if device.type == "cuda" else "gloo"
    if device.type == "cuda":
        torch.cuda.set_device(device)
    try:
        torch.distributed.init_process_group(backend, timeout=_PATIENCE)
    except (RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise HTSegError(
            f"the {team.size} processes cannot meet by {backend} ({reason}); check how torchrun was called"
        ) from error
    try:
        yield
    finally:
        torch.distributed.destroy_process_group()


def shared(network: nn.Module, team: Team, device: torch.device) -> nn.Module:
    """The network as it is, or with gradients that are averaged over all processes at each step."""
    if team.size == 1:
        return network
    cards = [device.index] if device.type == "cuda" else None
    return import_torch().nn.parallel.DistributedDataParallel(network, device_ids=cards)


def _meeting_place() -> str:
    """Where tensors must lie to go from process to process."""
    return "cuda" if import_torch().distributed.get_backend() == "nccl" else "cpu"
