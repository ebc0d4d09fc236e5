"""Makes the batch of any step of any epoch from the prepared cases."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from HTSegmentationLib.inference.device import import_torch
from HTSegmentationLib.training.augmentation import Augmentation, Pair, seen_as, varying
from HTSegmentationLib.training.cached_case import CachedCase
from HTSegmentationLib.training.centres import draw_centres, generator_for
from HTSegmentationLib.training.crops import bleed_crop, cut
from HTSegmentationLib.training.settings import TrainingSettings

if TYPE_CHECKING:
    from torch import Tensor

_LEAST_SD = 1e-6
"""A patch of one value has no SD to divide by: it becomes zeros, as at inference."""

_SPATIAL = (-3, -2, -1)

Batch = tuple["Tensor", "Tensor"]
"""Patches, float32 (N, channels, z, y, x), and classes, int64 (N, 1, z, y, x)."""

_varying = functools.cache(varying)
"""MONAI is imported, and its transforms made, once in each process."""


class PatchSource:
    """Makes the batch of any (epoch, step); goes from process to process.

    Args:
        cases: Prepared cases.
        settings: Patches, sampling, augmentation, batch size and seed.
        training: Whether patches come in another order each epoch and are varied.
        stage: 2 for crops of the bleed.
        rank: Which part of every batch of training is wanted.
        ranks: In how many parts it is divided.
    """

    def __init__(
        self,
        cases: Sequence[CachedCase],
        settings: TrainingSettings,
        *,
        training: bool,
        stage: int = 1,
        rank: int = 0,
        ranks: int = 1,
    ) -> None:
        self._cases = list(cases)
        self._settings = settings
        self._augmentation = settings.augmentation if training else Augmentation()
        self._training = training
        self._stage = stage
        self._share = slice(rank, None, ranks) if training else slice(None)
        self._kind = "training" if training else "validation"
        self._starts: tuple[int, np.ndarray] | None = None
        self._order: tuple[int, np.ndarray] | None = None

    @property
    def patches(self) -> int:
        """Patches in an epoch, those that an incomplete last batch would hold included."""
        return len(self._cases) * self._settings.patches_per_case * self._augmentation.views

    @property
    def steps(self) -> int:
        """Batches in an epoch."""
        size = self._settings.batch_size
        return max(self.patches // size, 1) if self._training else math.ceil(self.patches / size)

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, place: tuple[int, int]) -> Batch:
        torch = import_torch()
        epoch, step = place
        size = self._settings.batch_size
        numbers = self._ordered(epoch)[step * size : (step + 1) * size][self._share]
        pairs = [self._pair(epoch, number) for number in numbers.tolist()]
        # PyTorch turns half precision into single many times faster than NumPy does.
        x = torch.from_numpy(np.stack([pair[0] for pair in pairs])).float()
        target = torch.from_numpy(np.stack([pair[1] for pair in pairs])[:, None]).long()
        return x, target

    def _ordered(self, epoch: int) -> np.ndarray:
        """The numbers of an epoch's patches in their order."""
        drawn = epoch if self._training else 0
        if self._order is None or self._order[0] != drawn:
            random = generator_for(self._settings.seed, self._kind, "order", drawn)
            self._order = drawn, random.permutation(self.patches)
        return self._order[1]

    def _pair(self, epoch: int, number: int) -> Pair:
        """One patch and its classes."""
        slot, view = divmod(number, self._augmentation.views)
        case = self._cases[slot // self._settings.patches_per_case]
        random = functools.partial(generator_for, self._settings.seed, self._kind, "variation", epoch, number)
        if self._stage > 1:
            jitter = random() if self._training else None
            crop = bleed_crop(case, self._settings.window, self._settings.inference.cascade, jitter)
            x, target = cut(case, crop, self._settings.classes)
        else:
            box = self._box(epoch, slot)
            x, target = case.channels[(slice(None), *box)], case.target[box]
        x, target = seen_as(view, (x, target))
        if self._settings.input.normalization.over == "patch":
            x = x.astype(np.float32)
            x = (x - x.mean(_SPATIAL, keepdims=True)) / np.maximum(x.std(_SPATIAL, keepdims=True), _LEAST_SD)
        if not self._augmentation.is_random:
            return x, target
        return _varying(self._augmentation)((x.astype(np.float32), target), random())

    def _box(self, epoch: int, slot: int) -> tuple[slice, ...]:
        """Where a patch lies in its case."""
        window = self._settings.window
        if self._settings.patch is None:
            return tuple(slice(side) for side in window)
        start = self._drawn(epoch)[slot].tolist()
        return tuple(slice(first, first + side) for first, side in zip(start, window, strict=True))

    def _drawn(self, epoch: int) -> np.ndarray:
        """The first voxel (z, y, x) of all patches of an epoch, those of each case together."""
        sampling, window = self._settings.sampling, np.array(self._settings.window)
        draw = epoch if sampling.fresh and self._training else 0
        if self._starts is None or self._starts[0] != draw:
            starts = []
            for case in self._cases:
                random = generator_for(self._settings.seed, self._kind, "centres", draw, case.case_id)
                centres = draw_centres(case, sampling, self._settings.patches_per_case, random)
                # As the windows of inference, patches lie within the brain's box.
                starts.append(np.clip(centres - window // 2, 0, np.array(case.shape) - window))
            self._starts = draw, np.concatenate(starts)
        return self._starts[1]
