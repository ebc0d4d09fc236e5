"""DeepMedic, the network of BLAST-CT: pathways of different resolution, without padding."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from HTSegmentationLib.errors import ParameterError
from HTSegmentationLib.networks.base import network_class

if TYPE_CHECKING:
    from torch import Tensor, nn

_LOST_BY_A_LAYER = 2
"""Voxels along each axis that an unpadded 3x3x3 convolution loses."""


def deepmedic(
    *,
    input_channels: int = 1,
    classes: int = 5,
    feature_maps: Sequence[int] = (30, 30, 40, 40, 40, 40, 50, 50),
    fully_connected: Sequence[int] = (250, 250),
    scales: Sequence[int] = (5, 3, 1),
) -> nn.Module:
    """DeepMedic as BLAST-CT version 1 has it; its published files load with all their names.

    Each pathway takes the middle voxel of every cube of its scale, convolves without padding, and repeats each voxel of the
    outcome scale times. All pathways end on the same voxels, those in the middle of the input; 1x1x1 convolutions follow.
    Every layer is batch norm, PReLU, convolution without bias; where it makes as many maps as it is given, its input is
    added to its output. The residuals have no weights, and neither has the way down: that both are as said here follows
    from the running means and variances in the published files, which fit a real scan in this way, and do not without
    residuals or with the mean of each cube. Of a cube's voxels, only the middle one gives about the same on grids turned
    against each other.

    Beyond the scan the input must be 0, the middle of the scaled HU, and not air: with air the vertex, where the coarse
    pathways look beyond the last slice, fills with extra-axial blood (0.86 mL in a real scan without any, where BLAST-CT
    finds 0.15 mL; with 0 it is 0.16 mL).

    What an output voxel becomes does not depend on the size of the input: tiles that begin at multiples of 15 voxels
    (``output_multiple``) give the same as one large input. With the defaults an input of 110 voxels a side gives 30, 125
    gives 45 and 140 gives 60.

    Args:
        input_channels: Channels of the input.
        classes: Output channels; BLAST-CT has background and four lesions.
        feature_maps: Maps of the 3x3x3 layers of each pathway.
        fully_connected: Maps of the 1x1x1 layers that follow, without the last one.
        scales: How much coarser each pathway is; odd numbers, so that all have a common middle, the coarsest first.

    Raises:
        ParameterError: ``scales`` are not odd numbers that fall.

    Example:
        >>> network = deepmedic()                              # doctest: +SKIP
        >>> network.output_size((110, 125, 140))               # doctest: +SKIP
        (30, 45, 60)
        >>> network.input_size_for((30, 30, 30))               # doctest: +SKIP
        (110, 110, 110)
    """
    if any(scale % 2 == 0 for scale in scales) or sorted(set(scales), reverse=True) != list(scales):
        raise ParameterError(f"scales: {list(scales)} must be odd numbers that fall, as 5, 3, 1")
    return _class()(input_channels, classes, tuple(feature_maps), tuple(fully_connected), tuple(scales))


@functools.cache
def _class() -> type[nn.Module]:
    import torch
    from torch import nn

    class Layer(nn.Module):
        """Batch norm, PReLU, convolution, and the residual where there is one."""

        def __init__(self, given: int, made: int, kernel: int) -> None:
            super().__init__()
            self.bn = nn.BatchNorm3d(given)
            self.prelu = nn.PReLU()
            self.conv = nn.Conv3d(given, made, kernel, bias=False)
            self.residual = given == made

        def forward(self, x: Tensor) -> Tensor:
            made = self.conv(self.prelu(self.bn(x)))
            return made + _without_rim(x, (x.shape[2] - made.shape[2]) // 2) if self.residual else made

    def layers(given: int, maps: Sequence[int], kernel: int, first: int) -> nn.Sequential:
        """Layers one after the other, with the numbers from ``first`` on as their names."""
        made = nn.Sequential()
        for number, count in enumerate(maps, start=first):
            made.add_module(str(number), Layer(given, count, kernel))
            given = count
        return made

    class Pathway(nn.Module):
        """The layers of one scale."""

        def __init__(self, scale: int, input_channels: int, feature_maps: Sequence[int]) -> None:
            super().__init__()
            self.scale = scale
            self.path = layers(input_channels, feature_maps, kernel=3, first=1)

        def forward(self, x: Tensor) -> Tensor:
            if self.scale == 1:
                return self.path(x)
            middles = slice(self.scale // 2, None, self.scale)
            coarse = self.path(x[:, :, middles, middles, middles])
            return nn.functional.interpolate(coarse, scale_factor=self.scale, mode="nearest")

    class DeepMedic(network_class()):
        """See :func:`deepmedic`."""

        def __init__(
            self,
            input_channels: int,
            classes: int,
            feature_maps: tuple[int, ...],
            fully_connected: tuple[int, ...],
            scales: tuple[int, ...],
        ) -> None:
            step = math.lcm(*scales)
            super().__init__(input_channels=input_channels, classes=classes)
            self.output_multiple = (step,) * 3
            """What the sides of the output are multiples of, (z, y, x)."""
            self._context = len(feature_maps) * _LOST_BY_A_LAYER
            self._scales = scales
            for number, scale in enumerate(scales):
                # The names of the published files.
                name = f"path({scale}, {scale}, {scale}){number}"
                self.add_module(name, Pathway(scale, input_channels, feature_maps))
            joined = len(scales) * feature_maps[-1]
            self.fully_connected = layers(joined, (*fully_connected, classes), kernel=1, first=0)

        def output_size(self, input_size: Sequence[int]) -> tuple[int, ...]:
            """Sides (z, y, x) of the logits of an input; they are those of its middle.

            Raises:
                ParameterError: No output fits into this input.
            """
            fault = self.size_fault(input_size)
            if fault:
                raise ParameterError(f"network input: {' x '.join(map(str, input_size))} voxels; {fault}")
            return tuple(side - self._context * max(self._scales) for side in input_size)

        def input_size_for(self, output: Sequence[int]) -> tuple[int, ...]:
            """Sides (z, y, x) of the input whose logits have these sides.

            Raises:
                ParameterError: They are no multiples of ``output_multiple``.
            """
            sides = tuple(side + self._context * max(self._scales) for side in output)
            self.output_size(sides)
            return sides

        def size_fault(self, sides: Sequence[int]) -> str:
            step, lost = self.output_multiple[0], self._context * max(self._scales)
            if all(side > lost and (side - lost) % step == 0 for side in sides):
                return ""
            return f"the sides must be {lost + step}, {lost + 2 * step}, {lost + 3 * step} and so on"

        def logits(self, x: Tensor) -> Tensor:
            coarsest, seen = max(self._scales), []
            for name, pathway in self.named_children():
                if name != "fully_connected":
                    rim = self._context * (coarsest - pathway.scale) // 2
                    seen.append(pathway(_without_rim(x, rim)))
            return self.fully_connected(torch.cat(seen, dim=1))

    return DeepMedic


def _without_rim(x: Tensor, rim: int) -> Tensor:
    """The middle of a volume, without that many voxels on each side."""
    return x if rim == 0 else x[:, :, rim:-rim, rim:-rim, rim:-rim]
