"""Keeps the panel as high as its wrapped texts need."""

from __future__ import annotations

from typing import Any

import qt


class FittedHeight(qt.QObject):
    """Gives a widget in a scroll area the height that its layout needs at its present width.

    Slicer's module panel gives a module no less than its minimum size hint, which knows nothing of texts that wrap: with a
    longer message all other rows were squeezed.

    Args:
        widget: The widget; it needs a layout.
    """

    def __init__(self, widget: Any) -> None:
        qt.QObject.__init__(self, widget)
        self._widget = widget
        self._timer = qt.QTimer(widget)
        self._timer.setSingleShot(True)
        self._timer.setInterval(0)
        self._timer.connect("timeout()", self.fit)
        widget.installEventFilter(self)

    def eventFilter(self, watched: Any, event: Any) -> bool:
        """Fits when the present burst of changes is over; every event goes on to the widget."""
        if event.type() in (qt.QEvent.LayoutRequest, qt.QEvent.Resize):
            self._timer.start()
        return False

    def fit(self) -> None:
        """Sets the height now."""
        widget = self._widget
        needed = max(widget.layout().minimumHeightForWidth(widget.width), 0)
        if needed != widget.minimumHeight:
            widget.setMinimumHeight(needed)
