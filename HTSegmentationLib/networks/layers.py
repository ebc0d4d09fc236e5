"""The layers that several architectures are made of, for two and for three dimensions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


def layer(kind: str, dimensions: int) -> type[nn.Module]:
    """A layer of torch for 2 or 3 dimensions.

    Args:
        kind: As torch names it, without the dimensions: ``"Conv"``, ``"ConvTranspose"``, ``"BatchNorm"``, ``"MaxPool"``.
        dimensions: 2 or 3.

    Example:
        >>> layer("Conv", 3).__name__   # doctest: +SKIP
        'Conv3d'
    """
    from torch import nn

    return getattr(nn, f"{kind}{dimensions}d")


def convolution(
    dimensions: int,
    given: int,
    made: int,
    *,
    kernel: int = 3,
    stride: int = 1,
    dilation: int = 1,
    relu: bool = True,
) -> nn.Sequential:
    """A convolution that keeps the sides (or divides them by the stride), batch norm, and ReLU.

    Args:
        dimensions: 2 or 3.
        given: Channels of the input.
        made: Channels of the output.
        kernel: Side of the kernel, odd.
        stride: Steps in voxels.
        dilation: Distance of the kernel's taps in voxels.
        relu: Whether a ReLU follows.
    """
    from torch import nn

    padding = dilation * (kernel // 2)
    # The batch norm that follows has a bias of its own.
    conv = layer("Conv", dimensions)(given, made, kernel, stride, padding, dilation, bias=False)
    parts = [conv, layer("BatchNorm", dimensions)(made)]
    return nn.Sequential(*parts, nn.ReLU(inplace=True)) if relu else nn.Sequential(*parts)
