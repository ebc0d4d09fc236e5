"""Histogram of HU in ROI and brain with the bounds drawn in, as a picture for a label."""

from __future__ import annotations

from typing import Any

import qt

from HTSegmentationModule.histogram_content import HIGHEST_HU, LOWEST_HU, HistogramContent
from HTSegmentationModule.messages import scaledFont
from HTSegmentationModule.translation import tr as _

_TICK_HU = 20
_MARGIN = 8
_TOP, _BOTTOM = 18, 16
"""Pixels above the bars for the bracket, and below them for the numbers."""

_WORD = 110
"""Pixels that a word may take."""


class HistogramView:
    """Draws into a label, in the colours of the palette.

    Args:
        label: The label; its size is the picture's.
        color: Red, green, blue of the marked voxels.
    """

    def __init__(self, label: Any, color: tuple[int, int, int]) -> None:
        self._label, self._color = label, color
        # A window that is resized stretches the picture until the next one is drawn.
        label.setScaledContents(True)
        self.clear()

    def clear(self) -> None:
        """Nothing to show, and no room taken."""
        self._label.setVisible(False)

    def show(self, content: HistogramContent) -> None:
        """Draws what a result's histogram shows, and says in the tooltip what that is."""
        self._label.toolTip = content.meaning
        self._label.setVisible(True)
        self._label.setPixmap(self._drawn(content))

    def _drawn(self, content: HistogramContent) -> Any:
        ratio = float(self._label.devicePixelRatioF())
        width, height = max(self._label.width, 200), max(self._label.minimumHeight, 80)
        pixmap = qt.QPixmap(round(width * ratio), round(height * ratio))
        pixmap.setDevicePixelRatio(ratio)
        palette = self._label.palette
        pixmap.fill(palette.color(qt.QPalette.Base))
        painter = qt.QPainter(pixmap)
        try:
            drawing = _Drawing(painter, palette, width, height)
            if content.band is not None:
                drawing.band(content.band, qt.QColor(*self._color))
            drawing.bars(content, qt.QColor(*self._color))
            drawing.axis()
            if content.bracket is not None:
                drawing.bracket(content.bracket, content.word)
        finally:
            # An unfinished painter on a picture that is gone takes the application with it.
            painter.end()
        return pixmap


class _Drawing:
    """The strokes of one picture, in its coordinates.

    Args:
        painter: Draws on the picture.
        palette: Gives the theme's colours.
        width: Of the picture, in pixels of the screen.
        height: Likewise.
    """

    def __init__(self, painter: Any, palette: Any, width: int, height: int) -> None:
        self._painter, self._width, self._bottom = painter, width, height - _BOTTOM
        self._text, self._accent = palette.color(qt.QPalette.Text), palette.color(qt.QPalette.Highlight)
        painter.setFont(scaledFont(painter.font(), 0.85))

    def band(self, bounds: tuple[float, float], color: Any) -> None:
        """A shade between two bounds in HU."""
        left, right = self._x(bounds[0]), self._x(bounds[1])
        self._painter.fillRect(left, _TOP - 4, max(1, right - left), self._bottom - _TOP + 4, _faded(color, 45))

    def bars(self, content: HistogramContent, color: Any) -> None:
        """One bar for each HU: from below the marked voxels, above them the others."""
        highest = max(1, int(content.counts.max()))
        for number, (count, marked) in enumerate(zip(content.counts.tolist(), content.marked.tolist(), strict=True)):
            hu = LOWEST_HU + number
            left, right = self._x(hu - 0.5), self._x(hu + 0.5)
            tall, part = (max(int(n > 0), round(n / highest * (self._bottom - _TOP))) for n in (count, marked))
            self._painter.fillRect(left, self._bottom - tall, max(1, right - left), tall - part, _faded(self._text, 110))
            self._painter.fillRect(left, self._bottom - part, max(1, right - left), part, color)

    def axis(self) -> None:
        """The line below the bars, and its numbers."""
        self._painter.setPen(self._text)
        self._painter.drawLine(_MARGIN, self._bottom, self._width - _MARGIN, self._bottom)
        for hu in range(LOWEST_HU, HIGHEST_HU + 1, _TICK_HU):
            if hu == HIGHEST_HU:
                self._word(self._x(hu) - _WORD, self._bottom + 2, qt.Qt.AlignRight, _("{hu} HU").format(hu=hu))
            elif hu == LOWEST_HU:
                self._word(self._x(hu), self._bottom + 2, qt.Qt.AlignLeft, str(hu))
            else:
                self._word(self._x(hu) - _WORD // 2, self._bottom + 2, qt.Qt.AlignHCenter, str(hu))

    def bracket(self, ends: tuple[float, float], word: str) -> None:
        """A bracket above the bars, with its name."""
        left, right, level = self._x(ends[0]), self._x(ends[1]), _TOP - 7
        self._painter.fillRect(left, level, max(1, right - left), 2, self._accent)
        for end in (left, right - 2):
            self._painter.fillRect(end, level - 3, 2, 8, self._accent)
        self._painter.setPen(self._text)
        if right + 5 + _WORD < self._width:
            self._word(right + 5, level - 7, qt.Qt.AlignLeft, word)
        else:
            self._word(left - 5 - _WORD, level - 7, qt.Qt.AlignRight, word)

    def _x(self, hu: float) -> int:
        """The column of a HU; what is beyond the picture is drawn at its border."""
        shown = min(max(hu, LOWEST_HU), HIGHEST_HU) - LOWEST_HU
        return round(_MARGIN + shown * (self._width - 2 * _MARGIN) / (HIGHEST_HU - LOWEST_HU))

    def _word(self, left: int, top: int, align: Any, word: str) -> None:
        self._painter.drawText(left, top, _WORD, _BOTTOM - 1, int(align), word)


def _faded(color: Any, alpha: int) -> Any:
    """The colour, see-through: 0 is invisible, 255 is solid."""
    return qt.QColor(color.red(), color.green(), color.blue(), alpha)
