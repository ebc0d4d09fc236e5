"""How far a training is, for whoever watches: one line on a terminal, a line for each epoch in a log."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, TextIO

from HTSegmentationLib.commands.batch_progress import duration

if TYPE_CHECKING:
    from HTSegmentationLib.training.watching import RunMoment

_LINE_WIDTH = 110
"""The line is blanked to this width when it is replaced."""

_TICK_S = 0.2
"""The line changes at most so often."""

_LOG_EVERY_S = 600.0
"""In a log, a line at least every ten minutes, however long an epoch takes."""


class TrainingProgress:
    """Shows on stderr how far a training is.

    Args:
        stream: Where to write; stderr if None.
        shown: Whether to write at all.

    Example:
        >>> train(cases, settings, "run", watcher=TrainingProgress().watch)   # doctest: +SKIP
        fold 0, epoch 12 of 100, step 88 of 562, loss 0.213, best 0.231, at most 41 min 8 s left
    """

    def __init__(self, stream: TextIO | None = None, *, shown: bool = True) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._silent = not shown
        self._watched = shown and self._stream.isatty()
        self._shown = False
        self._next = 0.0
        self._logged: tuple[int, int | None, int] | None = None

    def __call__(self, stage: str, fraction: float) -> None:
        """Shows a stage of the preparation or the prediction."""
        self._show(f"{stage} {fraction:.0%}", urgent=fraction >= 1)

    def watch(self, moment: RunMoment) -> None:
        """Shows where the training is."""
        now, place = time.monotonic(), (moment.fold, moment.stage, moment.moment.epoch)
        if self._watched:
            self._show(moment_in_words(moment), urgent=False)
        elif not self._silent and (place != self._logged or now >= self._next):
            if self._logged is not None:
                self._stream.write(f"{moment.share:.0%}: {moment_in_words(moment)}\n")
                self._stream.flush()
            self._logged, self._next = place, now + _LOG_EVERY_S

    def clear(self) -> None:
        """Takes the line away."""
        if self._shown:
            self._stream.write("\r" + " " * _LINE_WIDTH + "\r")
            self._stream.flush()
            self._shown = False

    def _show(self, text: str, *, urgent: bool) -> None:
        now = time.monotonic()
        if not self._watched or (now < self._next and not urgent):
            return
        self._shown, self._next = True, now + _TICK_S
        self._stream.write(f"\r{text:<{_LINE_WIDTH}}")
        self._stream.flush()


def moment_in_words(moment: RunMoment) -> str:
    """Fold, epoch and step, the losses, and how long it may still take."""
    now = moment.moment
    stage = f", stage {moment.stage}" if moment.stage else ""
    words = f"fold {moment.fold}{stage}, epoch {now.epoch} of {now.epochs}, step {now.step} of {now.steps}"
    words += "" if now.loss is None else f", loss {now.loss:.3f}"
    words += "" if now.best is None else f", best {now.best:.3f}"
    return words + ("" if moment.seconds_left is None else f", at most {duration(moment.seconds_left)} left")
