"""Background work with the panel's progress bar and Cancel button."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from HTSegmentationModule.background_work import BackgroundWork
from HTSegmentationModule.translation import tr as _

_SHOW_AFTER_S = 0.3
"""Work that is done sooner needs no bar that flashes up."""


class ProgressWork:
    """Runs one piece of work at a time; a bar tells how far it is, a button stops it.

    Args:
        ui: The panel's widgets.
    """

    def __init__(self, ui: Any) -> None:
        self._widget, self._bar = ui.progressWidget, ui.progressBar
        self._work = BackgroundWork(ui.progressWidget)
        self._title, self._started = "", 0.0
        self._onCancelled: Callable[[], None] | None = None
        ui.cancelButton.connect("clicked()", self.cancel)
        self._widget.setVisible(False)

    @property
    def running(self) -> bool:
        """Whether there is work under way."""
        return self._work.running

    def start(
        self,
        title: str,
        function: Callable[[Callable[[str, float], None]], Any],
        onDone: Callable[[Any], None],
        onFailed: Callable[[Exception], None],
        onCancelled: Callable[[], None],
    ) -> None:
        """Starts work; what was under way is given up.

        Args:
            title: What is done, for the bar.
            function: The work; gets a progress callback and knows nothing of Slicer.
            onDone: Called with what it returns.
            onFailed: Called with its error.
            onCancelled: Called when the user pressed Cancel.
        """
        self.stop()
        self._title, self._started, self._onCancelled = title, time.monotonic(), onCancelled
        self._bar.setValue(0)
        self._bar.setFormat(title)

        def done(value: Any) -> None:
            self.stop()
            onDone(value)

        def failed(error: Exception) -> None:
            self.stop()
            onFailed(error)

        self._work.start(function, self._tell, done, failed)

    def cancel(self) -> None:
        """Gives up, because the user says so."""
        if self._work.running:
            cancelled = self._onCancelled
            self.stop()
            cancelled()

    def stop(self) -> None:
        """Gives up silently."""
        self._work.cancel()
        self._onCancelled = None
        self._widget.setVisible(False)

    def close(self) -> None:
        """Gives up for good."""
        self.stop()
        self._work.stop()

    def _tell(self, stage: str, fraction: float) -> None:
        if time.monotonic() - self._started < _SHOW_AFTER_S:
            return
        self._bar.setValue(round(1000 * min(max(fraction, 0.0), 1.0)))
        text = _("{title}: {stage} %p%") if stage else "{title}"
        self._bar.setFormat(text.format(title=self._title, stage=stage))
        self._widget.setVisible(True)
