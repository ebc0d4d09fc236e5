"""The 3D U-Net with squeeze-and-excitation blocks (Abramova et al., method B)."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from HTSegmentationLib.networks.base import network_class
from HTSegmentationLib.networks.layers import convolution

if TYPE_CHECKING:
    from torch import Tensor, nn


def se_unet(
    *,
    input_channels: int = 1,
    classes: int = 2,
    levels: int = 4,
    filters: int = 32,
    squeeze_and_excitation: bool = True,
    dropout: float = 0.2,
) -> nn.Module:
    """The 3D U-Net with squeeze-and-excitation blocks.

    One 3x3x3 convolution, batch norm and ReLU at each level, max pooling and dropout between levels; up-convolutions and
    dropout on the way back, where the skip is added, not concatenated. Read so, it has the 2,263,042 parameters of the
    paper (section 2.2.2) with one channel; with the symmetric modality as second channel it has 2,263,906.

    Args:
        input_channels: 1, or 2 with the symmetric modality.
        classes: Output channels (paper: 2).
        levels: Resolution levels, 4 in the paper: 32, 64, 128 and 256 channels.
        filters: Channels of the first level; each deeper level has twice as many.
        squeeze_and_excitation: Whether the channels of every level but the first are weighted; without, the baseline of
            the paper's Table 2.
        dropout: Probability; the paper names none.

    Example:
        >>> network = se_unet(input_channels=2)                        # doctest: +SKIP
        >>> network(torch.zeros(1, 2, 16, 32, 32)).shape               # doctest: +SKIP
        torch.Size([1, 2, 16, 32, 32])
    """
    return _class()(
        input_channels=input_channels,
        classes=classes,
        levels=levels,
        filters=filters,
        weighted=squeeze_and_excitation,
        dropout=dropout,
    )


@functools.cache
def _class() -> type[nn.Module]:
    import torch
    from torch import nn

    class SqueezeAndExcitation(nn.Module):
        """Weights channels by what their means say together, with reduction ratio 1 (Hu et al.)."""

        def __init__(self, channels: int) -> None:
            super().__init__()
            self.squeeze = nn.Linear(channels, channels)
            self.excite = nn.Linear(channels, channels)

        def forward(self, x: Tensor) -> Tensor:
            weights = torch.sigmoid(self.excite(torch.relu(self.squeeze(x.mean((2, 3, 4))))))
            return x * weights[:, :, None, None, None]

    class SEUNet(network_class()):
        """See :func:`se_unet`."""

        def __init__(
            self, *, input_channels: int, classes: int, levels: int, filters: int, weighted: bool, dropout: float
        ) -> None:
            side = 2 ** (levels - 1)
            super().__init__(input_channels=input_channels, classes=classes, input_multiple=(side, side, side))
            channels = [filters * 2**level for level in range(levels)]
            given = [input_channels, *channels[:-1]]
            self.encoder = nn.ModuleList(convolution(3, g, made) for g, made in zip(given, channels, strict=True))
            self.weighting = nn.ModuleList(
                SqueezeAndExcitation(made) if weighted and level > 0 else nn.Identity()
                for level, made in enumerate(channels)
            )
            self.pooling = nn.MaxPool3d(2)
            self.dropout = nn.Dropout3d(dropout)
            upper = channels[-2::-1]
            self.up = nn.ModuleList(nn.ConvTranspose3d(2 * made, made, 2, stride=2) for made in upper)
            self.decoder = nn.ModuleList(convolution(3, made, made) for made in upper)
            self.final = nn.Conv3d(filters, classes, 3, padding=1)

        def logits(self, x: Tensor) -> Tensor:
            skips = []
            for level, (convolve, weight) in enumerate(zip(self.encoder, self.weighting, strict=True)):
                x = weight(convolve(x if level == 0 else self.dropout(self.pooling(x))))
                skips.append(x)
            for up, convolve, skip in zip(self.up, self.decoder, skips[-2::-1], strict=True):
                x = convolve(self.dropout(up(x)) + skip)
            return self.final(x)

    return SEUNet
