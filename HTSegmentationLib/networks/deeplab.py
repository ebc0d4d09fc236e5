"""DeepLabv3+ in three dimensions, with which the other networks are compared (method C)."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

from HTSegmentationLib.networks.base import network_class
from HTSegmentationLib.networks.layers import convolution

if TYPE_CHECKING:
    from torch import Tensor, nn

_OUTPUT_STRIDE = 16
"""The encoder's coarsest map has a sixteenth of the input's sides, as published (Chen et al. 2018, section 3.1)."""

_LOW_LEVEL_SHARE = 48 / 256
"""Channels of the low-level features that reach the decoder, as a share of ASPP's (Chen et al. 2018, section 4.1)."""


def deeplab(
    *,
    input_channels: int = 1,
    classes: int = 2,
    filters: int = 32,
    blocks: Sequence[int] = (2, 2, 2, 2),
    rates: Sequence[int] = (6, 12, 18),
    aspp_channels: int = 256,
) -> nn.Module:
    """DeepLabv3+ with 3D convolutions.

    A residual encoder down to a sixteenth of the input (ResNet-18's blocks, the last stage dilated instead of halved);
    atrous spatial pyramid pooling: 1x1x1, three dilated 3x3x3 convolutions and the mean of the whole map; a decoder that
    upsamples by 4, joins the low-level features at a quarter of the input, and upsamples by 4 again. The comparison does
    not describe its encoder; this one fits a GPU that the other networks fit.

    Args:
        input_channels: Channels of the input.
        classes: Output channels.
        filters: Channels of the first stage; each of the four has twice as many as the one before it.
        blocks: Residual blocks in each of the four stages.
        rates: Dilations of the pyramid's 3x3x3 convolutions, in voxels of the coarsest map (published: 6, 12, 18).
        aspp_channels: Channels of each branch of the pyramid (published: 256).

    Example:
        >>> deeplab(filters=8)(torch.zeros(1, 1, 32, 64, 64)).shape      # doctest: +SKIP
        torch.Size([1, 2, 32, 64, 64])
    """
    return _class()(
        input_channels=input_channels,
        classes=classes,
        filters=filters,
        blocks=tuple(blocks),
        rates=tuple(rates),
        aspp_channels=aspp_channels,
    )


@functools.cache
def _class() -> type[nn.Module]:
    import torch
    from torch import nn
    from torch.nn.functional import interpolate

    class Block(nn.Module):
        """Two 3x3x3 convolutions and a shortcut around them."""

        def __init__(self, given: int, made: int, stride: int, dilation: int) -> None:
            super().__init__()
            self.convolutions = nn.Sequential(
                convolution(3, given, made, stride=stride, dilation=dilation),
                convolution(3, made, made, dilation=dilation, relu=False),
            )
            same = given == made and stride == 1
            self.shortcut = nn.Identity() if same else convolution(3, given, made, kernel=1, stride=stride, relu=False)

        def forward(self, x: Tensor) -> Tensor:
            return torch.relu(self.convolutions(x) + self.shortcut(x))

    def stage(given: int, made: int, count: int, stride: int = 1, dilation: int = 1) -> nn.Sequential:
        first = Block(given, made, stride, dilation)
        return nn.Sequential(first, *(Block(made, made, 1, dilation) for _ in range(count - 1)))

    class Pyramid(nn.Module):
        """Atrous spatial pyramid pooling."""

        def __init__(self, given: int, made: int, rates: Sequence[int]) -> None:
            super().__init__()
            self.branches = nn.ModuleList(
                [convolution(3, given, made, kernel=1), *(convolution(3, given, made, dilation=rate) for rate in rates)]
            )
            # No batch norm: the mean of a map is one voxel, which a batch of one cannot normalize.
            self.mean = nn.Conv3d(given, made, 1)
            self.join = convolution(3, (len(rates) + 2) * made, made, kernel=1)

        def forward(self, x: Tensor) -> Tensor:
            mean = torch.relu(self.mean(x.mean((2, 3, 4), keepdim=True))).expand(-1, -1, *x.shape[2:])
            return self.join(torch.cat([*(branch(x) for branch in self.branches), mean], dim=1))

    class DeepLab(network_class()):
        """See :func:`deeplab`."""

        def __init__(
            self,
            *,
            input_channels: int,
            classes: int,
            filters: int,
            blocks: tuple[int, ...],
            rates: tuple[int, ...],
            aspp_channels: int,
        ) -> None:
            super().__init__(input_channels=input_channels, classes=classes, input_multiple=(_OUTPUT_STRIDE,) * 3)
            first, second, third, fourth = (filters * 2**level for level in range(4))
            low_level = max(round(_LOW_LEVEL_SHARE * aspp_channels), 1)
            self.stem = nn.Sequential(convolution(3, input_channels, first, stride=2), nn.MaxPool3d(2))
            self.low_level = stage(first, first, blocks[0])
            self.high_level = nn.Sequential(
                stage(first, second, blocks[1], stride=2),
                stage(second, third, blocks[2], stride=2),
                stage(third, fourth, blocks[3], dilation=2),
            )
            self.pyramid = Pyramid(fourth, aspp_channels, rates)
            self.reduce = convolution(3, first, low_level, kernel=1)
            self.decoder = nn.Sequential(
                convolution(3, aspp_channels + low_level, aspp_channels), convolution(3, aspp_channels, aspp_channels)
            )
            self.final = nn.Conv3d(aspp_channels, classes, 1)

        def logits(self, x: Tensor) -> Tensor:
            low = self.low_level(self.stem(x))
            high = interpolate(self.pyramid(self.high_level(low)), scale_factor=4, mode="trilinear")
            joined = self.decoder(torch.cat((high, self.reduce(low)), dim=1))
            return interpolate(self.final(joined), scale_factor=4, mode="trilinear")

    return DeepLab
