"""The batches of a training: which patches come in which step, cut from the prepared cases."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from HTSegmentationLib.errors import ParameterError, UsageError
from HTSegmentationLib.inference.device import import_torch
from HTSegmentationLib.training.cached_case import CachedCase
from HTSegmentationLib.training.patch_source import Batch, PatchSource
from HTSegmentationLib.training.settings import TrainingSettings

if TYPE_CHECKING:
    from torch.utils.data import DataLoader

_AHEAD = 4
"""Batches that each worker makes ahead of the network."""


class PatchLoader:
    """Gives the batches of each epoch: patches around voxels, slices, whole heads, or crops of the bleed.

    What a batch holds follows from the seed, the epoch and the step alone, not from what was asked before, nor from how many
    processes cut it: a training goes on at any step with what it would have been given. Each patch lies within the brain's
    box, moved inwards where its centre is too near the border, as the windows of inference lie. An incomplete last batch of
    an epoch of training is left out; its patches come in another epoch.

    Args:
        cases: Prepared cases.
        settings: Patches, sampling, augmentation, batch size and seed.
        training: Whether patches come in another order each epoch and are varied; else each epoch is the same, as
            validation needs it.
        stage: 2 for crops of the bleed, which a cascade's second stage reads; cases without a lesion give none.
        workers: Processes that cut patches ahead of the network; 0 cuts in this one.
        rank: Which of several processors this is.
        ranks: How many there are; each gets its part of every batch of training, and all of validation.
        pinned: Whether batches lie in memory from which a graphics card reads faster; needs workers.

    Raises:
        ParameterError: The batch cannot be shared out, or an epoch has fewer patches than processors.
        UsageError: There is no case to cut from.

    Example:
        >>> loader = PatchLoader(cached, settings, training=True)      # doctest: +SKIP
        >>> x, target = next(loader.epoch(0))                          # doctest: +SKIP
        >>> tuple(x.shape)                                             # doctest: +SKIP
        (32, 2, 16, 32, 32)
    """

    def __init__(
        self,
        cases: Sequence[CachedCase],
        settings: TrainingSettings,
        *,
        training: bool,
        stage: int = 1,
        workers: int = 0,
        rank: int = 0,
        ranks: int = 1,
        pinned: bool = False,
    ) -> None:
        used = [case for case in cases if stage == 1 or case.has_lesion]
        if not used:
            raise UsageError("there is no case to take patches from" + (" that has a lesion" if cases else ""))
        self._source = PatchSource(used, settings, training=training, stage=stage, rank=rank, ranks=ranks)
        if training and settings.batch_size % ranks:
            text = f"batch_size is {settings.batch_size} and {ranks} processors share it; allowed are multiples of {ranks}"
            raise ParameterError(text)
        if training and self._source.patches < ranks:
            raise ParameterError(f"an epoch has {self._source.patches} patches for {ranks} processors; ask for more patches")
        self.wait_seconds = 0.0
        """Time in s in which somebody waited for a batch."""
        self._wanted = _Wanted()
        self._batches = _data_loader(self._source, self._wanted, workers, pinned=pinned) if workers else None

    @property
    def steps(self) -> int:
        """Batches in an epoch."""
        return self._source.steps

    def epoch(self, number: int, first_step: int = 0) -> Iterator[Batch]:
        """The batches of an epoch, from a step on.

        Args:
            number: The epoch, from 0.
            first_step: The step, from 0.
        """
        self._wanted.begin(number, first_step, self.steps)
        batches = map(self._source.__getitem__, self._wanted) if self._batches is None else iter(self._batches)
        while True:
            start = time.perf_counter()
            batch = next(batches, None)
            self.wait_seconds += time.perf_counter() - start
            if batch is None:
                return
            yield batch


class _Wanted:
    """The (epoch, step) that are wanted next: workers live from epoch to epoch and are told so which one it is."""

    def __init__(self) -> None:
        self._epoch = 0
        self._steps = range(0)

    def begin(self, epoch: int, first: int, steps: int) -> None:
        self._epoch, self._steps = epoch, range(first, steps)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        epoch = self._epoch
        return ((epoch, step) for step in self._steps)

    def __len__(self) -> int:
        return len(self._steps)


def _data_loader(source: PatchSource, wanted: _Wanted, workers: int, *, pinned: bool) -> DataLoader:
    from torch.utils.data import DataLoader

    return DataLoader(
        source,
        batch_size=None,
        sampler=wanted,
        num_workers=workers,
        prefetch_factor=_AHEAD,
        persistent_workers=True,
        pin_memory=pinned,
        worker_init_fn=_begin_worker,
        # Else each epoch would take a number from the generator that dropout draws from.
        generator=import_torch().Generator(),
    )


def _begin_worker(_number: int) -> None:
    # Ctrl+C goes to all processes of a terminal; the parent decides what becomes of it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
