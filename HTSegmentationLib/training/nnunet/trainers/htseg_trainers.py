"""Trainers for nnU-Net v2 with the losses that were compared for ICH, PHE and IVH.

nnU-Net finds them by ``-tr NAME`` when the environment variable ``nnUNet_extTrainer`` names this folder. It imports the file
by itself, in its own process: torch, nnunetv2 and MONAI are all that it needs, and a copy of it works anywhere.

- ``nnUNetTrainerDiceCE``: soft Dice and cross-entropy, nnU-Net's own loss;
- ``nnUNetTrainerFocal``: focal loss;
- ``nnUNetTrainerTversky``: Tversky loss;
- ``nnUNetTrainerFocalTversky``: Tversky loss to a power;
- ``nnUNetTrainerDiceTopK``: soft Dice, and cross-entropy of the worst voxels.

Each trains for 1800 epochs, as published. ``nnUNetTrainerFocal_5epochs`` trains for five, and so on for any number; nnU-Net
keeps what it trained in a folder of its own.

Source: Kok et al., Radiology: Artificial Intelligence 4(6):e220096 (2022), which names no parameters but the code whose
parameters these are (Ma et al., Medical Image Analysis 71:102035, 2021).
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import Any

import torch
from nnunetv2.training.loss.compound_losses import DC_and_topk_loss
from nnunetv2.training.loss.deep_supervision import DeepSupervisionWrapper
from nnunetv2.training.loss.dice import get_tp_fp_fn_tn
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
from nnunetv2.utilities.ddp_allgather import AllGatherGrad
from torch import nn

_PUBLISHED_EPOCHS = 1800
"""Epochs of every model (Kok et al., Network Implementation); nnU-Net's own trainer has 1000."""

_FOCAL_GAMMA, _FOCAL_ALPHA = 2.0, 0.5
"""How much easy voxels count less, and the share of the foreground's weight: one half weighs all classes alike."""

_TVERSKY_ALPHA, _TVERSKY_BETA = 0.3, 0.7
"""Weights of false positives and of false negatives: what is missed costs more."""

_FOCAL_TVERSKY_POWER = 0.75
"""Below 1 it lets the loss of what is almost right fall more steeply (Abraham and Khan, 2019: 1 / gamma, gamma 4/3)."""

_TOP_PERCENT = 10
"""Share of the voxels, those with the largest cross-entropy, that counts."""

_SMOOTH = 1e-5
"""nnU-Net's own; a class that is in neither mask has an index of 1."""

_SMALLEST_LOSS = 1e-6
"""The power's slope has no bound at 0."""

_CARD = torch.device("cuda")
"""nnU-Net's default device."""


class FocalLoss(nn.Module):
    """The mean over the voxels of ``-alpha (1 - p)^gamma ln p``, where p is the probability of the voxel's own class.

    Args:
        ignore_label: Voxels of this value do not count; None where there is no such value.

    Source: Lin et al., ICCV 2017, equation 5; computed by MONAI.
    """

    def __init__(self, ignore_label: int | None = None) -> None:
        from monai.losses import FocalLoss as OfEachClass

        super().__init__()
        self.ignore_label = ignore_label
        self.of_each_class = OfEachClass(
            to_onehot_y=True, use_softmax=True, gamma=_FOCAL_GAMMA, alpha=_FOCAL_ALPHA, reduction="none"
        )

    def forward(self, logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """The loss of logits (batch, classes, ...) against label values (batch, 1, ...)."""
        counted = _counted(target, self.ignore_label)
        losses = self.of_each_class(logits, torch.where(counted, target, 0)).sum(1, keepdim=True)
        return (losses * counted).sum() / counted.sum().clamp_min(1)


class TverskyLoss(nn.Module):
    """``(1 - TI)^power``, TI the mean of ``TP / (TP + alpha FP + beta FN)`` over the classes without background.

    TP, FP and FN are sums of probabilities.

    Args:
        batch: Whether the sums are taken over the whole batch, on all cards, as nnU-Net's plans say for Dice.
        gather: Whether several cards train.
        power: To which power the mean is taken.
        ignore_label: Voxels of this value do not count; None where there is no such value.

    Source: Salehi et al., MLMI 2017; the power: Abraham and Khan, ISBI 2019, taken of the mean as in the code of Ma et al.
    """

    def __init__(self, *, batch: bool, gather: bool, power: float = 1.0, ignore_label: int | None = None) -> None:
        super().__init__()
        self.batch, self.gather, self.power, self.ignore_label = batch, gather, power, ignore_label

    def forward(self, logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """The loss of logits (batch, classes, ...) against label values (batch, 1, ...)."""
        counted = _counted(target, self.ignore_label)
        axes = list(range(2, logits.ndim))
        sums = get_tp_fp_fn_tn(
            torch.softmax(logits.float(), 1),
            torch.where(counted, target, 0),
            [0, *axes] if self.batch else axes,
            None if self.ignore_label is None else counted,
        )[:3]
        if self.batch and self.gather:
            sums = [AllGatherGrad.apply(part).sum(0, dtype=torch.float32) for part in sums]
        tp, fp, fn = (part[..., 1:] for part in sums)
        index = (tp + _SMOOTH) / (tp + _TVERSKY_ALPHA * fp + _TVERSKY_BETA * fn + _SMOOTH)
        loss = 1 - index.mean()
        return loss if self.power == 1 else loss.clamp_min(_SMALLEST_LOSS) ** self.power


def _counted(target: torch.Tensor, ignore_label: int | None) -> torch.Tensor:
    """Which voxels count; all where there is no value to ignore."""
    return torch.ones_like(target, dtype=torch.bool) if ignore_label is None else target != ignore_label


class nnUNetTrainerDiceCE(nnUNetTrainer):  # noqa: N801  (nnU-Net's way of naming trainers)
    """nnU-Net's own loss, trained as long as the others, so that they can be compared."""

    epochs = _PUBLISHED_EPOCHS

    def __init__(
        self,
        plans: dict[str, Any],
        configuration: str,
        fold: int,
        dataset_json: dict[str, Any],
        device: torch.device = _CARD,
    ) -> None:
        # nnU-Net keeps the arguments by these very names.
        super().__init__(plans, configuration, fold, dataset_json, device)
        self.num_epochs = self.epochs


class _WithAnotherLoss(nnUNetTrainerDiceCE, ABC):
    """Puts another loss in the place of nnU-Net's; what wraps it for deep supervision stays, with its weights."""

    def _build_loss(self) -> nn.Module:
        if self.label_manager.has_regions:
            problem = "its loss is one of labels that exclude each other, and dataset.json has regions"
            raise ValueError(f"{type(self).__name__}: {problem}; take nnUNetTrainerDiceCE")
        usual = super()._build_loss()
        if isinstance(usual, DeepSupervisionWrapper):
            usual.loss = self._loss()
            return usual
        return self._loss()

    @abstractmethod
    def _loss(self) -> nn.Module:
        """The loss of one output."""

    @property
    def _of_classes(self) -> dict[str, Any]:
        """How losses by class sum, and what they leave out."""
        batch, ignored = self.configuration_manager.batch_dice, self.label_manager.ignore_label
        return {"batch": batch, "gather": self.is_ddp, "ignore_label": ignored}


class nnUNetTrainerFocal(_WithAnotherLoss):  # noqa: N801
    """Focal loss."""

    def _loss(self) -> nn.Module:
        return FocalLoss(self.label_manager.ignore_label)


class nnUNetTrainerTversky(_WithAnotherLoss):  # noqa: N801
    """Tversky loss."""

    def _loss(self) -> nn.Module:
        return TverskyLoss(**self._of_classes)


class nnUNetTrainerFocalTversky(_WithAnotherLoss):  # noqa: N801
    """Focal Tversky loss."""

    def _loss(self) -> nn.Module:
        return TverskyLoss(power=_FOCAL_TVERSKY_POWER, **self._of_classes)


class nnUNetTrainerDiceTopK(_WithAnotherLoss):  # noqa: N801
    """Soft Dice and the cross-entropy of the worst voxels, both by nnU-Net."""

    def _loss(self) -> nn.Module:
        batch = self.configuration_manager.batch_dice
        dice = {"batch_dice": batch, "smooth": _SMOOTH, "do_bg": False, "ddp": self.is_ddp}
        return DC_and_topk_loss(dice, {"k": _TOP_PERCENT}, ignore_label=self.label_manager.ignore_label)


def __getattr__(name: str) -> type[nnUNetTrainer]:
    """A trainer with another number of epochs, as ``nnUNetTrainerFocal_5epochs``; nnU-Net asks this file for the name."""
    match = re.fullmatch(r"(nnUNetTrainer[A-Za-z]+)_([1-9]\d{0,4})epochs", name)
    trainer = globals().get(match[1]) if match else None
    if trainer is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return type(name, (trainer,), {"epochs": int(match[2]), "__module__": __name__, "__doc__": trainer.__doc__})
