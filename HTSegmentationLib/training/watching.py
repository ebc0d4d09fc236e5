"""How far a whole run is, and how long it may still take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from HTSegmentationLib.training.fold_plan import Moment


@dataclass(frozen=True)
class RunMoment:
    """Where a run is, for whoever watches.

    Args:
        fold: The fold's number.
        stage: The stage of a cascade; None where there is one network.
        moment: Where the training of this network is.
        share: How much of all training is done at least, 0 to 1.
        seconds_left: Time in s that all training will take at most; None before the first step.
    """

    fold: int
    stage: int | None
    moment: Moment
    share: float
    seconds_left: float | None


class Watching:
    """Puts the moments of single networks into a run of many.

    Args:
        trainings: How many networks are trained one after the other.
        seconds: Time in s that each of them may take; None for any.
        watcher: Told each moment.
    """

    def __init__(self, trainings: int, seconds: float | None, watcher: Callable[[RunMoment], None]) -> None:
        self._trainings = trainings
        self._seconds = seconds
        self._watcher = watcher
        self._done = 0

    def finished(self, trainings: int) -> None:
        """So many networks are done now."""
        self._done = trainings

    def __call__(self, fold: int, place: int, stage: int | None, moment: Moment) -> None:
        """Tells a moment.

        Args:
            fold: The fold's number.
            place: How many networks of this fold were trained before.
            stage: The stage of a cascade.
            moment: Where the network is.
        """
        limit, share = self._seconds, moment.share
        if limit:
            share = max(share, min(moment.seconds / limit, 1.0))
        left = None
        if share > 0:
            # Early stopping makes it less, never more.
            each = moment.seconds / share
            waiting = self._trainings - self._done - place - 1
            left = each - moment.seconds + waiting * each
        whole = (self._done + place + share) / self._trainings
        self._watcher(RunMoment(fold, stage, moment, min(whole, 1.0), left))
