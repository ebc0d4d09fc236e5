"""Warnings and notes in plain words, each with its picture; the worst come first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import qt

from HTSegmentationModule.messages import severityIcon
from HTSegmentationModule.translation import tr as _

_ORDER = ("warning", "caution", "note")


class RemarksView:
    """Fills a section of the panel.

    Args:
        section: The collapsible button, whose title tells how many there are.
        widget: The section's empty widget.
    """

    def __init__(self, section: Any, widget: Any) -> None:
        self._section = section
        self._grid = qt.QGridLayout(widget)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setColumnStretch(1, 1)
        self._labels: list[Any] = []
        self._widget = widget
        self._told: list[Any] | None = None
        self.show(())

    def show(self, remarks: Iterable[Any]) -> None:
        """Shows the library's remarks."""
        told = sorted(dict.fromkeys(remarks), key=lambda remark: _ORDER.index(remark.severity.value))
        if told == self._told:
            return
        self._told = told
        self._clear()
        for row, remark in enumerate(told):
            icon = qt.QLabel(self._widget)
            icon.setPixmap(severityIcon(remark.severity.value))
            text = qt.QLabel(remark.text, self._widget)
            text.setWordWrap(True)
            text.setTextInteractionFlags(qt.Qt.TextSelectableByMouse)
            icon.setAlignment(qt.Qt.AlignTop)
            self._grid.addWidget(icon, row, 0)
            self._grid.addWidget(text, row, 1)
            self._labels += [icon, text]
        self._section.text = _("Warnings ({count})").format(count=len(told)) if told else _("Warnings")
        self._section.setVisible(bool(told))

    def _clear(self) -> None:
        for label in self._labels:
            self._grid.removeWidget(label)
            label.hide()
            label.deleteLater()
        self._labels = []
