"""One step of training: forward, loss, backward, and an update only where every number is one."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from HTSegmentationLib.errors import HTSegError
from HTSegmentationLib.inference.device import import_torch

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

Loss = Callable[[Any, "Tensor"], "Tensor"]
"""Takes logits, or the logits of several depths, and the target (N, 1, z, y, x)."""

_LEAST_SCALE = 1.0
"""Half precision scales the loss up, and halves the scale when gradients run over. Below this they are broken, not large."""


class NotANumberError(HTSegError):
    """Loss or gradients are no numbers; the network is as it was before the step."""


class Stepper:
    """Does the steps of one network.

    Mixed precision is bfloat16, whose range is that of single precision, or on older cards float16 with a scaled loss. The
    loss itself is computed in single precision always.

    Args:
        network: What is trained; gives logits, or a list of them.
        loss: Of logits and target.
        optimiser: Of the network's parameters.
        device: Where the network is.
        half: Whether to compute in mixed precision.
        agreed: Tells whether any of the processes that train together has a number that is none.
    """

    def __init__(
        self,
        network: nn.Module,
        loss: Loss,
        optimiser: torch.optim.Optimizer,
        device: torch.device,
        *,
        half: bool = False,
        agreed: Callable[[bool], bool] = bool,
    ) -> None:
        torch = import_torch()
        self._network = network
        self._parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
        self._counted = list(network.buffers())
        self._loss = loss
        self._optimiser = optimiser
        self._device = device
        self._agreed = agreed
        self._kind = None
        if half:
            old_card = device.type == "cuda" and not torch.cuda.is_bf16_supported()
            self._kind = torch.float16 if old_card else torch.bfloat16
        self.scaler = torch.amp.GradScaler(device.type, enabled=self._kind is torch.float16)
        """Holds the scale of float16; of no effect otherwise."""

    def __call__(self, x: Tensor, target: Tensor) -> float:
        """Trains on one batch.

        Args:
            x: float32 (N, channels, z, y, x).
            target: int64 (N, 1, z, y, x).

        Returns:
            The loss, mean over the batch.

        Raises:
            NotANumberError: Loss or gradients are no numbers; nothing was updated.
        """
        self._optimiser.zero_grad(set_to_none=True)
        # Batch norms count in the forward pass already, before anybody knows that their input was broken.
        before = [counted.clone() for counted in self._counted]
        loss = self.loss_of(self.logits(self._network, x), target)
        self.scaler.scale(loss).backward()
        self.scaler.unscale_(self._optimiser)
        gradients = [parameter.grad for parameter in self._parameters if parameter.grad is not None]
        value, norm = float(loss.detach()), float(import_torch().nn.utils.get_total_norm(gradients))
        may_run_over = self.scaler.is_enabled() and self.scaler.get_scale() > _LEAST_SCALE
        if self._agreed(not math.isfinite(value) or not (math.isfinite(norm) or may_run_over)):
            for counted, kept in zip(self._counted, before, strict=True):
                counted.copy_(kept)
            raise NotANumberError(f"the loss is {value:.4g} and the norm of its gradients {norm:.4g}")
        # With float16, a step whose gradients ran over is left out here and the scale halved.
        self.scaler.step(self._optimiser)
        self.scaler.update()
        return value

    def loss_of(self, logits: Any, target: Tensor) -> Tensor:
        """The loss of what :meth:`logits` gave."""
        return self._loss(logits, target.to(self._device, non_blocking=True))

    def logits(self, network: nn.Module, x: Tensor) -> Any:
        """Logits in single precision, or a list of them."""
        torch = import_torch()
        x = x.to(self._device, non_blocking=True)
        if self._device.type == "cpu":
            # With channels last, the processor's convolutions take half the time.
            x = x.contiguous(memory_format=torch.channels_last_3d)
        autocast = contextlib.nullcontext() if self._kind is None else torch.autocast(self._device.type, dtype=self._kind)
        with autocast:
            logits = network(x)
        return [part.float() for part in logits] if isinstance(logits, list | tuple) else logits.float()
