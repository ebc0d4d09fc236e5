"""How long work tells its caller where it is, and how the caller stops it."""

from __future__ import annotations

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
