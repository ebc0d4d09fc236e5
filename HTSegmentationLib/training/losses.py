"""The losses of the papers' ablations (Abramova et al., section 3.2; the nnU-Net comparison, Table 1)."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from HTSegmentationLib.errors import MissingPackageError
from HTSegmentationLib.inference.device import import_torch
from HTSegmentationLib.networks.base import slices_of
from HTSegmentationLib.training.choices import LOSSES
from HTSegmentationLib.training.settings import TrainingSettings

if TYPE_CHECKING:
    from torch import Tensor

_SMOOTHING = 1e-5
"""Added above and below in Dice and Tversky, so that nothing in a batch and nothing found is no loss."""

_LEAST_LOSS = 1e-6
"""Below this, a Tversky loss counts as this much: at 0 its root has no slope."""

_AXES_OF_SLICES = 4
"""(N, classes, y, x): logits of a network that treats slices alone."""

Loss = Callable[["Tensor | Sequence[Tensor]", "Tensor"], "Tensor"]
"""Of logits (N, classes, z, y, x), or of those of several depths, and target (N, 1, z, y, x)."""


def make_loss(settings: TrainingSettings) -> Loss:
    """The loss of a training.

    With p the softmax of the logits, g the one-hot target, sums over the voxels of the whole batch (patches without a lesion
    have no Dice of their own), and a mean over the classes, the background left out unless ``include_background``:

    - ``dice``: 1 - (2 sum p g) / (sum p + sum g), MONAI's DiceLoss; Arab et al. take the background in.
    - ``dice-ce``: ``dice`` plus the cross-entropy of all voxels, MONAI's DiceCELoss.
    - ``focal``: mean of -(1 - p)^gamma g log p over voxels and classes, MONAI's FocalLoss (Lin et al. 2017, without alpha).
    - ``tversky``: 1 - TI, TI = sum p g / (sum p g + alpha FP + beta FN), MONAI's TverskyLoss (Salehi et al. 2017: 0.3, 0.7).
    - ``focal-tversky``: (1 - TI)^gamma (Abraham and Khan 2019: 1 / gamma = 4/3).
    - ``dice-topk``: ``dice`` plus the mean cross-entropy of the hardest ``share`` of voxels (Ma et al. 2021: 10%).

    Logits of several depths count with the same weight and are summed (Xu et al., section 4.2), each against the target in
    its own size, taken at its voxels' centres.

    Args:
        settings: ``loss`` and ``loss_parameters``.

    Returns:
        A function of logits and target that gives one number in single precision.

    Raises:
        MissingPackageError: torch or MONAI is not installed.

    Example:
        >>> loss = make_loss(published_settings("se-unet"))          # doctest: +SKIP
        >>> loss(network(x), target).backward()                      # doctest: +SKIP
    """
    parameters = {**LOSSES[settings.loss], **settings.loss_parameters}
    return functools.partial(_summed, _LOSSES[settings.loss](**parameters))


def _summed(single: Callable[[Tensor, Tensor], Tensor], logits: Tensor | Sequence[Tensor], target: Tensor) -> Tensor:
    depths = [logits] if hasattr(logits, "shape") else list(logits)
    # Half precision has too few digits for sums over a batch.
    losses = [single(depth.float(), _as_large(target, depth)) for depth in depths]
    return functools.reduce(lambda total, loss: total + loss, losses)


def _as_large(target: Tensor, logits: Tensor) -> Tensor:
    """The target in the size of logits, and as slices where they are."""
    if logits.ndim == _AXES_OF_SLICES and target.ndim > _AXES_OF_SLICES:
        target = slices_of(target)
    if target.shape[2:] == logits.shape[2:]:
        return target
    sized = import_torch().nn.functional.interpolate(target.float(), logits.shape[2:], mode="nearest-exact")
    return sized.to(target.dtype)


def _monai(name: str, **arguments: Any) -> Callable[[Tensor, Tensor], Tensor]:
    try:
        from monai import losses
    except ModuleNotFoundError as error:
        raise MissingPackageError("monai", "for the losses of a training", "dl") from error
    return getattr(losses, name)(to_onehot_y=True, **arguments)


def _overlap(name: str, include_background: bool, **arguments: Any) -> Callable[[Tensor, Tensor], Tensor]:
    smooth = {"smooth_nr": _SMOOTHING, "smooth_dr": _SMOOTHING}
    return _monai(name, softmax=True, batch=True, include_background=include_background, **smooth, **arguments)


def _focal(gamma: float) -> Callable[[Tensor, Tensor], Tensor]:
    return _monai("FocalLoss", gamma=gamma, use_softmax=True)


def _focal_tversky(alpha: float, beta: float, gamma: float, include_background: bool) -> Callable[[Tensor, Tensor], Tensor]:
    tversky = _overlap("TverskyLoss", include_background, alpha=alpha, beta=beta, reduction="none")
    return lambda logits, target: tversky(logits, target).clamp_min(_LEAST_LOSS).pow(gamma).mean()


def _dice_topk(share: float, include_background: bool) -> Callable[[Tensor, Tensor], Tensor]:
    dice = _overlap("DiceLoss", include_background)
    entropy = import_torch().nn.CrossEntropyLoss(reduction="none")

    def loss(logits: Tensor, target: Tensor) -> Tensor:
        each = entropy(logits, target[:, 0]).flatten()
        return dice(logits, target) + each.topk(max(int(share * each.numel()), 1), sorted=False).values.mean()

    return loss


_LOSSES: dict[str, Callable[..., Callable[[Tensor, Tensor], Tensor]]] = {
    "dice": functools.partial(_overlap, "DiceLoss"),
    "dice-ce": functools.partial(_overlap, "DiceCELoss"),
    "focal": _focal,
    "tversky": functools.partial(_overlap, "TverskyLoss"),
    "focal-tversky": _focal_tversky,
    "dice-topk": _dice_topk,
}
"""What makes each loss from its parameters."""
