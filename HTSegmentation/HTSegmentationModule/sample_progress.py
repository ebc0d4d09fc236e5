"""The simulation of the sample, beside the window, which says so and can be told to give it up."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import slicer

from HTSegmentationModule.background_work import BackgroundWork
from HTSegmentationModule.messages import sentenceOf
from HTSegmentationModule.translation import tr as _

if TYPE_CHECKING:
    from HTSegmentationLib.simulate.case import SimulatedCase
    from HTSegmentationLib.simulate.parameters import SimulationParameters

_BUSY = 0
"""A progress bar with this end only tells that something is going on: how far the simulation is, nobody knows."""


class SampleProgress:
    """One simulation in a thread, and the dialog that tells of it; a simulation given up is never shown.

    Args:
        parameters: What is simulated.
        onDone: Called in the main thread with the case.
    """

    _running: ClassVar[set[SampleProgress]] = set()
    """Keeps those at work alive: nobody else does."""

    def __init__(self, parameters: SimulationParameters, onDone: Callable[[SimulatedCase], Any]) -> None:
        self._parameters, self._onDone = parameters, onDone
        self._work = BackgroundWork(slicer.util.mainWindow())
        self._dialog = slicer.util.createProgressDialog(
            labelText=_("Simulating a head CT..."), windowTitle=_("Simulated hemorrhage"), maximum=_BUSY, autoClose=False
        )

    def start(self) -> None:
        """Starts and returns at once."""
        SampleProgress._running.add(self)
        self._dialog.connect("canceled()", self._stopped)
        self._work.start(self._simulate, self._tell, self._finished, self._failed)

    def _simulate(self, _progress: Callable[[str, float], None]) -> SimulatedCase:
        from HTSegmentationLib.simulate.head import simulate_head

        return simulate_head(self._parameters)

    def _tell(self, _stage: str, _fraction: float) -> None:
        """The dialog moves by itself."""

    def _finished(self, case: SimulatedCase) -> None:
        self._close()
        self._onDone(case)

    def _failed(self, error: Exception) -> None:
        self._close()
        slicer.util.errorDisplay(sentenceOf(error))

    def _stopped(self) -> None:
        self._work.cancel()
        self._close()

    def _close(self) -> None:
        self._dialog.disconnect("canceled()", self._stopped)
        self._dialog.close()
        self._dialog.deleteLater()
        SampleProgress._running.discard(self)
