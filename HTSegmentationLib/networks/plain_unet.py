"""Plain U-Nets, with which the other networks are compared (method E): one for 3D patches, one for slices."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from HTSegmentationLib.networks.base import network_class
from HTSegmentationLib.networks.layers import convolution, layer

if TYPE_CHECKING:
    from torch import Tensor, nn


def patch_unet(
    *,
    input_channels: int = 1,
    classes: int = 2,
    levels: int = 4,
    filters: int = 32,
    dropout: float = 0.0,
    skip_connections: bool = True,
) -> nn.Module:
    """A plain U-Net for 3D patches.

    Two 3x3x3 convolutions with batch norm and ReLU at each level, max pooling down, up-convolutions and concatenated skips
    on the way up.

    Args:
        input_channels: Channels of the input.
        classes: Output channels.
        levels: Resolution levels.
        filters: Channels of the first level; each deeper level has twice as many.
        dropout: Probability at the end of the contracting path.
        skip_connections: Arab et al. say of the U-Net they compare with that it has none; a U-Net has them.

    Example:
        >>> patch_unet(filters=8)(torch.zeros(1, 1, 16, 32, 32)).shape   # doctest: +SKIP
        torch.Size([1, 2, 16, 32, 32])
    """
    return _class()(
        dimensions=3,
        input_channels=input_channels,
        classes=classes,
        levels=levels,
        filters=filters,
        dropout=dropout,
        skip_connections=skip_connections,
    )


def slice_unet(
    *,
    input_channels: int = 1,
    classes: int = 2,
    levels: int = 5,
    filters: int = 64,
    dropout: float = 0.5,
) -> nn.Module:
    """The classic U-Net for slices, with batch norm and 50% dropout (Arab et al., section "Comparison").

    It takes slices (N, channels, y, x), or volumes, whose slices it treats each alone.

    Args:
        input_channels: Channels of the input.
        classes: Output channels.
        levels: Resolution levels.
        filters: Channels of the first level; each deeper level has twice as many.
        dropout: Probability at the end of the contracting path, where the classic U-Net has it.

    Example:
        >>> slice_unet(filters=8)(torch.zeros(1, 1, 30, 512, 512)).shape   # doctest: +SKIP
        torch.Size([1, 2, 30, 512, 512])
    """
    return _class()(
        dimensions=2,
        input_channels=input_channels,
        classes=classes,
        levels=levels,
        filters=filters,
        dropout=dropout,
        skip_connections=True,
    )


@functools.cache
def _class() -> type[nn.Module]:
    import torch
    from torch import nn

    class PlainUNet(network_class()):
        """See :func:`patch_unet` and :func:`slice_unet`."""

        def __init__(
            self,
            *,
            dimensions: int,
            input_channels: int,
            classes: int,
            levels: int,
            filters: int,
            dropout: float,
            skip_connections: bool,
        ) -> None:
            side = 2 ** (levels - 1)
            super().__init__(
                input_channels=input_channels,
                classes=classes,
                spatial_dims=dimensions,
                input_multiple=(side if dimensions == 3 else 1, side, side),  # noqa: PLR2004
            )
            channels = [filters * 2**level for level in range(levels)]

            def block(given: int, made: int) -> nn.Sequential:
                return nn.Sequential(convolution(dimensions, given, made), convolution(dimensions, made, made))

            given = [input_channels, *channels[:-1]]
            self.encoder = nn.ModuleList(block(g, made) for g, made in zip(given, channels, strict=True))
            self.pooling = layer("MaxPool", dimensions)(2)
            self.dropout = layer("Dropout", dimensions)(dropout)
            upper = channels[-2::-1]
            up = layer("ConvTranspose", dimensions)
            self.up = nn.ModuleList(up(2 * made, made, 2, stride=2) for made in upper)
            self.decoder = nn.ModuleList(block((1 + skip_connections) * made, made) for made in upper)
            self.final = layer("Conv", dimensions)(filters, classes, 1)
            self._skip_connections = skip_connections

        def logits(self, x: Tensor) -> Tensor:
            skips = []
            for level, block in enumerate(self.encoder):
                x = block(x if level == 0 else self.pooling(x))
                skips.append(x)
            x = self.dropout(x)
            for up, block, skip in zip(self.up, self.decoder, skips[-2::-1], strict=True):
                x = block(torch.cat((up(x), skip), dim=1) if self._skip_connections else up(x))
            return self.final(x)

    return PlainUNet
