"""How long work tells its caller where it is, and how the caller stops it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Protocol


class Progress(Protocol):
    """Called with the stage's name and the fraction (0 to 1) of the whole call that is done.

    Raise :class:`HTSegmentationLib.errors.Cancelled` from it to stop the work; nothing half-done is kept.
    """

    def __call__(self, stage: str, fraction: float) -> None:
        """Tells where the work is."""
        ...


def silent(stage: str, fraction: float) -> None:
    """The progress of a caller that does not want to hear of it."""


def part_of(progress: Progress, start: float, end: float) -> Progress:
    """The progress of a step that is the part from ``start`` to ``end`` of the whole call."""

    def scaled(stage: str, fraction: float) -> None:
        progress(stage, start + fraction * (end - start))

    return scaled


class StageClock:
    """Measures stages and tells the progress of each when it starts.

    Example:
        >>> clock = StageClock()
        >>> with clock.stage("closing", 0.9):
        ...     pass
        >>> list(clock.seconds)
        ['closing']
    """

    def __init__(self, progress: Progress = silent) -> None:
        self.seconds: dict[str, float] = {}
        """Wall time of each stage in s, in the order in which they ran."""
        self._progress = progress

    @contextlib.contextmanager
    def stage(self, name: str, fraction: float) -> Iterator[None]:
        """Tells that a stage starts at this fraction of the whole, and measures it."""
        self._progress(name, fraction)
        start = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - start
