"""The panel's one line of text: what to do next, or what went wrong, never a pop-up."""

from __future__ import annotations

import logging
from typing import Any

import qt
import slicer

from HTSegmentationModule.advice import inSlicersWords
from HTSegmentationModule.translation import tr as _

_ICON_SIZE = 16


def severityIcon(name: str) -> Any:
    """The style's own picture for "note", "caution" or "warning", which suits light and dark themes."""
    icons = {
        "note": qt.QStyle.SP_MessageBoxInformation,
        "caution": qt.QStyle.SP_MessageBoxWarning,
        "warning": qt.QStyle.SP_MessageBoxCritical,
    }
    return slicer.app.style().standardIcon(icons[name]).pixmap(_ICON_SIZE, _ICON_SIZE)


def scaledFont(font: Any, factor: float) -> Any:
    """A font of another size, whether its size is given in points or in pixels."""
    if font.pointSizeF() > 0:
        font.setPointSizeF(font.pointSizeF() * factor)
    else:
        font.setPixelSize(max(1, round(font.pixelSize() * factor)))
    return font


def sentenceOf(error: Exception) -> str:
    """One sentence for the user; the details of what nobody foresaw go to the log."""
    from HTSegmentationLib.errors import HTSegError

    if isinstance(error, HTSegError):
        text = inSlicersWords(str(error))
        logging.info("HTSegmentation: %s", text)
        return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")
    logging.error("HTSegmentation: unexpected error", exc_info=error)
    return _("Something unexpected happened and nothing was changed; the log (View menu, Error Log) has the details.")


class MessageLine:
    """The line between the parameters and the Apply button.

    Args:
        icon: Label of the picture.
        text: Label of the sentence.
    """

    def __init__(self, icon: Any, text: Any) -> None:
        self._icon, self._text = icon, text
        self.clear()

    @property
    def text(self) -> str:
        """What it says."""
        return self._text.text

    def tell(self, text: str, severity: str = "note") -> None:
        """Says one sentence."""
        self._text.setText(text)
        self._icon.setPixmap(severityIcon(severity))
        self._icon.setVisible(True)
        self._text.setVisible(True)

    def clear(self) -> None:
        """Says nothing and takes no room."""
        self._text.setText("")
        self._icon.setVisible(False)
        self._text.setVisible(False)
