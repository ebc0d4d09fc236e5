"""The convolutional network with deep supervision that sees the whole head at once (Arab et al., method E)."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from HTSegmentationLib.networks.base import network_class

if TYPE_CHECKING:
    from torch import Tensor, nn

HEAD_SIZE = (64, 128, 128)
"""What a whole head is resized to, (z, y, x) (section "Neural network architecture")."""


def cnn_ds(
    *,
    input_channels: int = 1,
    classes: int = 2,
    levels: int = 4,
    filters: int = 16,
    dropout: float = 0.3,
    deep_supervision: bool = True,
) -> nn.Module:
    """The CNN with deep supervision.

    Contracting path: at each level a context module, which is a residual block of two 3x3x3 convolutions with dropout
    between them; 3x3x3 convolutions of stride 2 lead from level to level and double the channels. Expansive path: up-scaling
    modules (upsampling by 2, 3x3x3, 1x1x1), the skip concatenated, localization modules (3x3x3, 1x1x1). A 3x3x3
    segmentation layer at each depth; their outputs are upsampled and summed, so that the loss reaches every depth. Each
    convolution is followed by instance norm and ReLU.

    The paper sets the depth to four layers and chooses dropout among 0.3, 0.4 and 0.5. It is silent on normalization and on
    the first level's channels: instance norm, since it sees one head at a time, and 16 are taken. Its text has max pooling
    and convolutions of stride 2 as the way down; the latter are taken.

    Args:
        input_channels: Channels of the input.
        classes: Output channels; the paper's Dice loss runs over both labels.
        levels: Depth of both paths (paper: 4, tuned among 3 to 6).
        filters: Channels of the first level.
        dropout: Probability in the context modules.
        deep_supervision: Whether every depth has a segmentation layer, or the last one alone (the paper's ablation).

    Example:
        >>> network = cnn_ds()                                          # doctest: +SKIP
        >>> network(torch.zeros(1, 1, *HEAD_SIZE)).shape                # doctest: +SKIP
        torch.Size([1, 2, 64, 128, 128])
    """
    return _class()(
        input_channels=input_channels,
        classes=classes,
        levels=levels,
        filters=filters,
        dropout=dropout,
        deep_supervision=deep_supervision,
    )


@functools.cache
def _class() -> type[nn.Module]:
    import torch
    from torch import nn

    def convolve(given: int, made: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
        # The instance norm that follows takes any bias away.
        conv = nn.Conv3d(given, made, kernel, stride, kernel // 2, bias=False)
        return nn.Sequential(conv, nn.InstanceNorm3d(made, affine=True), nn.ReLU(inplace=True))

    class Context(nn.Module):
        """Two convolutions with dropout between them, added to what they were given."""

        def __init__(self, channels: int, dropout: float) -> None:
            super().__init__()
            self.convolutions = nn.Sequential(
                convolve(channels, channels), nn.Dropout3d(dropout), convolve(channels, channels)
            )

        def forward(self, x: Tensor) -> Tensor:
            return x + self.convolutions(x)

    class CNNDS(network_class()):
        """See :func:`cnn_ds`."""

        def __init__(
            self, *, input_channels: int, classes: int, levels: int, filters: int, dropout: float, deep_supervision: bool
        ) -> None:
            side = 2 ** (levels - 1)
            # Instance norm of a single voxel is zero whatever the voxel holds.
            super().__init__(
                input_channels=input_channels, classes=classes, input_multiple=(side, side, side), least_inner_voxels=2
            )
            channels = [filters * 2**level for level in range(levels)]
            given = [input_channels, *channels[:-1]]
            self.down = nn.ModuleList(
                convolve(g, made, stride=1 if level == 0 else 2)
                for level, (g, made) in enumerate(zip(given, channels, strict=True))
            )
            self.context = nn.ModuleList(Context(made, dropout) for made in channels)
            upper = channels[-2::-1]
            self.up = nn.ModuleList(
                nn.Sequential(nn.Upsample(scale_factor=2), convolve(2 * made, made), convolve(made, made, kernel=1))
                for made in upper
            )
            self.localization = nn.ModuleList(
                nn.Sequential(convolve(2 * made, made), convolve(made, made, kernel=1)) for made in upper
            )
            supervised = upper if deep_supervision else upper[-1:]
            self.segmentation = nn.ModuleList(nn.Conv3d(made, classes, 3, padding=1) for made in supervised)

        def logits(self, x: Tensor) -> Tensor:
            skips = []
            for down, context in zip(self.down, self.context, strict=True):
                x = context(down(x))
                skips.append(x)
            maps = []
            for up, localize, skip in zip(self.up, self.localization, skips[-2::-1], strict=True):
                x = localize(torch.cat((up(x), skip), dim=1))
                maps.append(x)
            return self._summed(maps[-len(self.segmentation) :])

        def _summed(self, maps: list[Tensor]) -> Tensor:
            """The segmentation layers' outputs, each upsampled to the next one and added to it; the coarsest come first."""
            total = None
            for segment, made in zip(self.segmentation, maps, strict=True):
                part = segment(made)
                if total is not None:
                    part = part + nn.functional.interpolate(total, scale_factor=2, mode="trilinear")
                total = part
            return total

    return CNNDS
