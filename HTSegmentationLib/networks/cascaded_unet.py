"""One stage of the cascade: a residual U-Net with deep supervision (method D)."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from HTSegmentationLib.networks.base import network_class, slices_of
from HTSegmentationLib.networks.layers import layer
from HTSegmentationLib.networks.torch_library import require_monai

if TYPE_CHECKING:
    from torch import Tensor, nn

_STEPS = 6
"""Steps down: in-plane all six, so that 320 voxels become 5 (section 4.1)."""

_THROUGH_PLANE_STEPS = (3, 4)
"""The two steps that also halve the number of slices, counted from 0. The paper says that there are two, not which: after
three in-plane steps a voxel of 0.488 mm has grown to 3.9 mm, about the 5 mm from slice to slice."""


def cascaded_unet(
    *,
    input_channels: int = 1,
    classes: int = 2,
    dimensions: int = 3,
    filters: int = 32,
    most_filters: int = 320,
    supervised_levels: int = 4,
) -> nn.Module:
    """One stage of the cascaded U-Net; both stages are made alike and do not share weights.

    Six levels in encoder and decoder, each of two convolutions with batch norm and ReLU and a residual connection, over a
    bottleneck of 4x5x5 for a patch of 16x320x320 (z, y, x). ``forward_supervised`` gives the logits of several decoder
    levels, each at its own size, for the summed losses of training.

    The paper gives neither the number of filters, nor how maps become smaller and larger, nor which decoder levels are
    supervised. Its settings (2D, 3D-Lowres, 3D-Fullres) bear nnU-Net's names, so nnU-Net's habits are taken: 32 filters,
    doubled up to 320; convolutions of stride 2 down, transposed convolutions up.

    A single stage ("3D-Fullres", "3D-Lowres") is this network alone; :mod:`HTSegmentationLib.networks.cascade` plans what
    the second stage sees.

    Args:
        input_channels: Channels of the input.
        classes: Output channels.
        dimensions: 3, or 2 for the ablation "2D-Model".
        filters: Channels of the first level; each deeper level has twice as many.
        most_filters: No level has more channels than this.
        supervised_levels: How many decoder levels have logits of their own, 1 to 6, the finest first.

    Raises:
        MissingPackageError: MONAI, whose blocks it is made of, is not installed.

    Example:
        >>> network = cascaded_unet()                                               # doctest: +SKIP
        >>> network.input_multiple                                                  # doctest: +SKIP
        (4, 64, 64)
        >>> [tuple(y.shape[2:]) for y in network.forward_supervised(patch)]         # doctest: +SKIP
        [(16, 320, 320), (16, 160, 160), (16, 80, 80), (16, 40, 40)]
    """
    require_monai()
    return _class()(
        input_channels=input_channels,
        classes=classes,
        dimensions=dimensions,
        filters=filters,
        most_filters=most_filters,
        supervised_levels=supervised_levels,
    )


@functools.cache
def _class() -> type[nn.Module]:
    import torch
    from monai.networks.blocks.dynunet_block import UnetResBlock
    from torch import nn

    class CascadedUNet(network_class()):
        """See :func:`cascaded_unet`."""

        def __init__(
            self,
            *,
            input_channels: int,
            classes: int,
            dimensions: int,
            filters: int,
            most_filters: int,
            supervised_levels: int,
        ) -> None:
            strides = [_stride(step, dimensions) for step in range(_STEPS)]
            slices = 2 ** len(_THROUGH_PLANE_STEPS) if dimensions == 3 else 1  # noqa: PLR2004
            super().__init__(
                input_channels=input_channels,
                classes=classes,
                spatial_dims=dimensions,
                input_multiple=(slices, 2**_STEPS, 2**_STEPS),
            )
            channels = [min(filters * 2**level, most_filters) for level in range(_STEPS + 1)]

            def block(given: int, made: int, stride: tuple[int, ...] | int = 1) -> nn.Module:
                return UnetResBlock(dimensions, given, made, 3, stride, norm_name="batch", act_name="relu")

            self.encoder = nn.ModuleList(
                block(given, made, stride)
                for given, made, stride in zip([input_channels, *channels], channels, [1, *strides], strict=False)
            )
            rising = list(reversed(range(_STEPS)))
            self.up = nn.ModuleList(
                layer("ConvTranspose", dimensions)(
                    channels[level + 1], channels[level], strides[level], strides[level], bias=False
                )
                for level in rising
            )
            self.decoder = nn.ModuleList(block(2 * channels[level], channels[level]) for level in rising)
            self.heads = nn.ModuleList(
                layer("Conv", dimensions)(channels[level], classes, 1) for level in range(supervised_levels)
            )

        def logits(self, x: Tensor) -> Tensor:
            return self.heads[0](self._decoded(x)[-1])

        def forward_supervised(self, x: Tensor) -> list[Tensor]:
            """Logits of several decoder levels, each at its own size, the finest first.

            Slices of a volume come back as slices (N z, classes, y, x) from a network of two dimensions.

            Raises:
                ParameterError: The batch has other channels, axes or sides than the network takes.
            """
            self.check(x)
            maps = self._decoded(x if x.ndim - 2 == self.spatial_dims else slices_of(x))[::-1]
            return [head(made) for head, made in zip(self.heads, maps, strict=False)]

        def _decoded(self, x: Tensor) -> list[Tensor]:
            """The decoder's maps, the coarsest first."""
            skips = []
            for block in self.encoder:
                x = block(x)
                skips.append(x)
            maps = []
            for up, block, skip in zip(self.up, self.decoder, skips[-2::-1], strict=True):
                x = block(torch.cat((up(x), skip), dim=1))
                maps.append(x)
            return maps

    return CascadedUNet


def _stride(step: int, dimensions: int) -> tuple[int, ...]:
    """The stride of a step down, (z, y, x) or (y, x)."""
    through_plane = 2 if step in _THROUGH_PLANE_STEPS else 1
    return (through_plane, 2, 2)[-dimensions:]
