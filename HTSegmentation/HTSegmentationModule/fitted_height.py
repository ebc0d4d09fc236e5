"""Keeps the panel as high as its wrapped texts need."""

from __future__ import annotations

from typing import Any

import qt

_EVERY_MS = 150
"""Looked at this often while the panel is open; it costs microseconds where nothing has changed."""


class FittedHeight:
    """Gives a widget in a scroll area the height that its layout needs at its present width.

    Slicer's module panel gives a module no less than its minimum size hint, which knows nothing of texts that wrap: with a
    longer message all other rows were squeezed. No signal tells when a layout needs another height, so it is asked.

    Args:
        widget: The widget; it needs a layout.
    """

    def __init__(self, widget: Any) -> None:
        self._widget = widget
        self._timer = qt.QTimer(widget)
        self._timer.setInterval(_EVERY_MS)
        self._timer.connect("timeout()", self.fit)

    def follow(self, shown: bool) -> None:
        """Begins or ends with the panel."""
        if shown:
            self._timer.start()
        else:
            self._timer.stop()

    def fit(self) -> None:
        """Sets the height now."""
        widget = self._widget
        needed = max(widget.layout().minimumHeightForWidth(widget.width), 0)
        if needed != widget.minimumHeight:
            widget.setMinimumHeight(needed)
