"""What all networks have in common: channels, classes, sides, and the check of what they are given."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

from HTSegmentationLib.errors import ParameterError

if TYPE_CHECKING:
    from torch import Tensor, nn

_AXES_OF_VOLUMES = 5
"""(N, channels, z, y, x)."""

_AXES_OF_SLICES = 4
"""(N, channels, y, x), which networks of two dimensions take as well."""


@functools.cache
def network_class() -> type[nn.Module]:
    """The class that every network derives from; made at the first call, since it needs torch."""
    from torch import nn

    class Network(nn.Module):
        """A segmentation network.

        ``network(x)`` takes a batch (N, input channels, z, y, x) and gives logits (N, classes, z, y, x). Networks of two
        dimensions treat each slice of a volume alone, and take slices (N, input channels, y, x), too.

        Args:
            input_channels: Channels of the input.
            classes: Channels of the output, the background among them.
            spatial_dims: 3, or 2 for what works slice by slice.
            input_multiple: What the sides of the input must be multiples of, (z, y, x).
            least_inner_voxels: How many voxels the smallest inner map must have; 2 where it is normalized by itself.
        """

        def __init__(
            self,
            *,
            input_channels: int,
            classes: int,
            spatial_dims: int = 3,
            input_multiple: Sequence[int] = (1, 1, 1),
            least_inner_voxels: int = 1,
        ) -> None:
            super().__init__()
            self.input_channels = input_channels
            self.classes = classes
            self.spatial_dims = spatial_dims
            self.input_multiple = tuple(input_multiple)
            self._least_inner_voxels = least_inner_voxels

        def forward(self, x: Tensor) -> Tensor:
            """Logits of a batch.

            Raises:
                ParameterError: The batch has other channels, axes or sides than the network takes.
            """
            self.check(x)
            if self.spatial_dims == x.ndim - 2:
                return self.logits(x)
            return volumes_of(self.logits(slices_of(x)), len(x))

        def logits(self, x: Tensor) -> Tensor:
            """Logits of a batch that was checked, of the network's own dimensions."""
            raise NotImplementedError

        def check(self, x: Tensor) -> None:
            """Checks channels, axes and sides of a batch.

            Raises:
                ParameterError: They are not what the network takes.
            """
            axes = {_AXES_OF_VOLUMES} if self.spatial_dims == 3 else {_AXES_OF_SLICES, _AXES_OF_VOLUMES}  # noqa: PLR2004
            if x.ndim not in axes or x.shape[1] != self.input_channels:
                wanted = f"(N, {self.input_channels}, z, y, x)"
                raise ParameterError(f"network input: its shape is {tuple(x.shape)}; it must be {wanted}")
            fault = self.size_fault(tuple(x.shape[2:]))
            if fault:
                raise ParameterError(f"network input: {' x '.join(map(str, x.shape[2:]))} voxels; {fault}")

        def size_fault(self, sides: Sequence[int]) -> str:
            """What is wrong with the sides (z, y, x) or (y, x) of an input, in words; empty when nothing is."""
            multiple = self.input_multiple[-len(sides) :]
            if any(side < 1 or side % m for side, m in zip(sides, multiple, strict=True)):
                return f"the sides must be multiples of {' x '.join(map(str, multiple))}"
            inner = 1
            for side, m in zip(sides, multiple, strict=True):
                inner *= side // m
            if inner < self._least_inner_voxels:
                return f"at least one side must be {' or '.join(str(2 * m) for m in sorted(set(multiple)))} voxels or more"
            return ""

    return Network


def slices_of(x: Tensor) -> Tensor:
    """The slices (N z, channels, y, x) of volumes (N, channels, z, y, x)."""
    return x.transpose(1, 2).flatten(0, 1)


def volumes_of(x: Tensor, count: int) -> Tensor:
    """What :func:`slices_of` took apart, put together again into that many volumes."""
    return x.unflatten(0, (count, -1)).transpose(1, 2)
