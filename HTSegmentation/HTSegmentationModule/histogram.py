"""Histogram of HU in ROI and brain with the thresholds drawn in, as a picture for a label."""

from __future__ import annotations

from typing import Any

import numpy as np
import qt
import SimpleITK as sitk

from HTSegmentationModule.messages import scaledFont
from HTSegmentationModule.translation import tr as _

LOWEST_HU, HIGHEST_HU = 0, 120
"""The range that is drawn: from water to beyond the densest clot."""

_TICK_HU = 20
_MARGIN = 8
_TOP, _BOTTOM = 18, 16
"""Pixels above the bars for the first threshold's line, and below them for the numbers."""

_WORD = 110
"""Pixels that a word may take."""


def huCounts(prepared: Any, roi: Any) -> np.ndarray:
    """Voxels of each whole HU of the drawn range in the ROI inside the brain.

    Args:
        prepared: The prepared scan.
        roi: The ROI on its grid.

    Returns:
        Counts, one for each HU from LOWEST_HU to HIGHEST_HU, both included.
    """
    from HTSegmentationLib.ct.geometry import crop

    size = roi.mask.GetSize()
    image, brain = crop(prepared.scan.image, roi.index, size), crop(prepared.brain_mask, roi.index, size)
    inside = (sitk.GetArrayViewFromImage(roi.mask) > 0) & (sitk.GetArrayViewFromImage(brain) > 0)
    values = np.rint(sitk.GetArrayViewFromImage(image)[inside]).astype(np.int64) - LOWEST_HU
    count = HIGHEST_HU - LOWEST_HU + 1
    return np.bincount(values[(values >= 0) & (values < count)], minlength=count)


class HistogramView:
    """Draws into a label, in the colours of the palette.

    Args:
        label: The label; its size is the picture's.
        color: Red, green, blue of what lies within the final threshold.
    """

    def __init__(self, label: Any, color: tuple[int, int, int]) -> None:
        self._label, self._color = label, color
        # A window that is resized stretches the picture until the next one is drawn.
        label.setScaledContents(True)
        self.clear()

    def clear(self) -> None:
        """Nothing to show, and no room taken."""
        self._label.setVisible(False)

    def show(self, counts: np.ndarray, final: tuple[float, float], first: tuple[float, float] | None) -> None:
        """Draws counts as :func:`huCounts` gives them, and the two thresholds in HU."""
        self._label.setVisible(True)
        self._label.setPixmap(self._drawn(counts, final, first))

    def _drawn(self, counts: np.ndarray, final: tuple[float, float], first: tuple[float, float] | None) -> Any:
        ratio = float(self._label.devicePixelRatioF())
        width, height = max(self._label.width, 200), max(self._label.minimumHeight, 80)
        pixmap = qt.QPixmap(round(width * ratio), round(height * ratio))
        pixmap.setDevicePixelRatio(ratio)
        palette = self._label.palette
        pixmap.fill(palette.color(qt.QPalette.Base))
        painter = qt.QPainter(pixmap)
        try:
            drawing = _Drawing(painter, palette, width, height)
            drawing.bars(counts, final, qt.QColor(*self._color))
            drawing.axis()
            if first is not None:
                drawing.firstThreshold(first)
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

    def bars(self, counts: np.ndarray, final: tuple[float, float], color: Any) -> None:
        """One bar for each HU, on the band of the final threshold."""
        left, right = self._x(final[0]), self._x(final[1])
        self._painter.fillRect(left, _TOP - 4, max(1, right - left), self._bottom - _TOP + 4, _faded(color, 45))
        highest = max(1, int(counts.max()))
        for number, count in enumerate(counts.tolist()):
            hu = LOWEST_HU + number
            if count:
                tall = max(1, round(count / highest * (self._bottom - _TOP)))
                left, right = self._x(hu - 0.5), self._x(hu + 0.5)
                within = final[0] <= hu <= final[1]
                bar = color if within else _faded(self._text, 110)
                self._painter.fillRect(left, self._bottom - tall, max(1, right - left), tall, bar)

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

    def firstThreshold(self, window: tuple[float, float]) -> None:
        """A bracket above the bars, with its name."""
        left, right, level = self._x(window[0]), self._x(window[1]), _TOP - 7
        self._painter.fillRect(left, level, max(1, right - left), 2, self._accent)
        for end in (left, right - 2):
            self._painter.fillRect(end, level - 3, 2, 8, self._accent)
        self._painter.setPen(self._text)
        word = _("first threshold")
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
