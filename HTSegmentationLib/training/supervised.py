"""A network as it is trained: with the logits of several depths where it gives them."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from HTSegmentationLib.inference.device import import_torch

if TYPE_CHECKING:
    from torch import Tensor, nn


def supervised(network: nn.Module, *, deep: bool) -> nn.Module:
    """The network, with ``forward_supervised`` in the place of ``forward`` while it is trained.

    Networks whose depths are summed inside them (CNN-DS) have no such function and stay as they are.

    Args:
        network: As :mod:`HTSegmentationLib.networks.base` describes it; its weights are shared.
        deep: Whether the losses of several depths are wanted.
    """
    return _class()(network, deep=deep and hasattr(network, "forward_supervised"))


@functools.cache
def _class() -> type[nn.Module]:
    nn = import_torch().nn

    class Supervised(nn.Module):
        """See :func:`supervised`."""

        def __init__(self, network: nn.Module, *, deep: bool) -> None:
            super().__init__()
            self.network = network
            self._deep = deep

        def forward(self, x: Tensor) -> Any:
            # Several processes share gradients only where the network is called, not one of its functions.
            return self.network.forward_supervised(x) if self._deep and self.training else self.network(x)

    return Supervised
