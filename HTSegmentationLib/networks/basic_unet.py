"""MONAI's BasicUNet, with which the other networks are compared (Zhao et al., method C)."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

from HTSegmentationLib.networks.base import network_class
from HTSegmentationLib.networks.torch_library import require_monai

if TYPE_CHECKING:
    from torch import Tensor, nn

_STEPS = 4
"""BasicUNet halves its input this many times."""


def basic_unet(
    *,
    input_channels: int = 1,
    classes: int = 2,
    features: Sequence[int] = (32, 32, 64, 128, 256, 32),
) -> nn.Module:
    """MONAI's BasicUNet in three dimensions, with MONAI's own defaults.

    Args:
        input_channels: Channels of the input.
        classes: Output channels.
        features: Channels of the five levels of the encoder, and after the last upsampling.

    Raises:
        MissingPackageError: MONAI is not installed.

    Example:
        >>> basic_unet(classes=4)(torch.zeros(1, 1, 32, 32, 32)).shape   # doctest: +SKIP
        torch.Size([1, 4, 32, 32, 32])
    """
    require_monai()
    return _class()(input_channels, classes, tuple(features))


@functools.cache
def _class() -> type[nn.Module]:
    from monai.networks.nets.basic_unet import BasicUNet

    class WrappedBasicUNet(network_class()):
        """See :func:`basic_unet`."""

        def __init__(self, input_channels: int, classes: int, features: tuple[int, ...]) -> None:
            side = 2**_STEPS
            # Its instance norm refuses a single voxel.
            super().__init__(
                input_channels=input_channels, classes=classes, input_multiple=(side, side, side), least_inner_voxels=2
            )
            self.network = BasicUNet(3, input_channels, classes, features)

        def logits(self, x: Tensor) -> Tensor:
            return self.network(x)

    return WrappedBasicUNet
