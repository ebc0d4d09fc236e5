"""Probabilities of a batch of windows: one network or an ensemble, mirrored or not, in half or single precision."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

from HTSegmentationLib.errors import SegmentationError
from HTSegmentationLib.inference.device import Device, import_torch
from HTSegmentationLib.remark import Remark, Severity

if TYPE_CHECKING:
    from torch import Tensor, nn

_FLIPS = ((), (-1,), (-2,), (-2, -1))
"""The axes that are mirrored, none, x, y or both: the flips of training (Abramova et al. 2021, section 2.2.1)."""

_LEAST_SD = 1e-6
"""A patch of one value has no SD to divide by: it becomes zeros."""

_SPATIAL = (-3, -2, -1)


class Predictor:
    """Gives the probability of each class at each voxel of a batch of windows.

    The probabilities of several networks, and of the four ways to mirror a window in the plane, are averaged. Half precision
    that runs over (values that are not numbers) is given up with a remark, and the batch is computed again.

    Args:
        networks: In evaluation mode, on the device.
        device: Where they are.
        activation: ``"softmax"`` (classes exclude each other) or ``"sigmoid"``.
        mirroring: Whether to average over mirrored windows.
        half: Whether to compute in half precision.
        standardize: Whether each window gets mean 0 and SD 1 first, each channel by itself.
    """

    def __init__(
        self,
        networks: Sequence[nn.Module],
        device: Device,
        *,
        activation: str = "softmax",
        mirroring: bool = False,
        half: bool = False,
        standardize: bool = False,
    ) -> None:
        self.networks = tuple(networks)
        self.device = device
        self.half = half
        """Whether it computes in half precision now."""
        self.remarks: list[Remark] = []
        """What is to be told of the batches so far."""
        self._activation = activation
        self._flips = _FLIPS if mirroring else _FLIPS[:1]
        self._standardize = standardize

    def __call__(self, windows: Tensor) -> Tensor:
        """Probabilities, float32 (windows, classes, z, y, x), on the device.

        Args:
            windows: float32 (windows, channels, z, y, x).

        Raises:
            SegmentationError: A network gives values that are not numbers.
        """
        torch = import_torch()
        with torch.inference_mode():
            return self._finite(self._prepared(windows.to(self.device.torch_device)))

    def _prepared(self, windows: Tensor) -> Tensor:
        torch = import_torch()
        if self._standardize:
            mean, sd = windows.mean(_SPATIAL, keepdim=True), windows.std(_SPATIAL, keepdim=True, correction=0)
            windows = (windows - mean) / sd.clamp_min(_LEAST_SD)
        if self.device.name == "cpu":
            windows = windows.contiguous(memory_format=torch.channels_last_3d)
        return windows

    def _finite(self, windows: Tensor) -> Tensor:
        torch = import_torch()
        result = self._averaged(windows)
        if self.half and not bool(torch.isfinite(result).all()):
            text = "Half precision ran over in this network; the scan was computed in single precision, which takes longer."
            self.remarks.append(Remark("half-precision-given-up", text, Severity.NOTE))
            self.half = False
            result = self._averaged(windows)
        if not bool(torch.isfinite(result).all()):
            raise SegmentationError(
                "the network gave values that are not numbers; check the model by htseg models verify and the scan's HU"
            )
        return result

    def _averaged(self, windows: Tensor) -> Tensor:
        total = None
        for network, flip in itertools.product(self.networks, self._flips):
            with self.device.computing(half=self.half):
                logits = network(windows.flip(flip) if flip else windows).float()
                part = logits.softmax(1) if self._activation == "softmax" else logits.sigmoid_()
                part = part.flip(flip) if flip else part
                total = part if total is None else total.add_(part)
        return total.div_(len(self.networks) * len(self._flips))
