"""What the panel tells of a network: what it finds, what it must not be trusted with, where it runs and for how long."""

from __future__ import annotations

import html
import sys
from collections.abc import Mapping
from typing import Any

import slicer

from HTSegmentationModule.run_times import RunTimes
from HTSegmentationModule.translation import tr as _

_LONG_S = 90
"""From here on a time is told in minutes."""


class NetworkSection:
    """The widgets below the method's name that only a network has.

    Args:
        ui: The panel's widgets.
    """

    def __init__(self, ui: Any) -> None:
        self._ui = ui
        self._parameterNode: Any = None
        self._method: Any = None
        self.times = RunTimes(slicer.app.settings())
        for name, title in _devices():
            ui.deviceComboBox.addItem(title, name)
        ui.deviceComboBox.connect("currentIndexChanged(int)", self._onDeviceChosen)

    def show(self, parameterNode: Any, method: Any) -> None:
        """Shows a method; nothing of a threshold, of which there is nothing to tell here.

        Args:
            parameterNode: Names the device.
            method: The method of the library's registry; None for one that is not installed.
        """
        self._parameterNode, self._method = parameterNode, method
        isNetwork = method is not None and method.is_network
        self._ui.networkWidget.setVisible(isNetwork)
        if not isNetwork:
            return
        self._ui.networkInfoLabel.setText(aboutText(method))
        box, device = self._ui.deviceComboBox, parameterNode.device
        if box.findData(device) < 0:
            # A scene that was made on a computer with other cards.
            box.addItem(device, device)
        if box.itemData(box.currentIndex) != device:
            box.blockSignals(True)
            box.setCurrentIndex(box.findData(device))
            box.blockSignals(False)
        self._ui.expectedLabel.setText(timeText(self.times.seconds(method, device)))

    def offerCards(self, record: Mapping[str, Any]) -> None:
        """Offers each graphics card of a computer that has several.

        Args:
            record: What ``htseg check --json`` says.
        """
        found = {entry["name"]: entry["text"] for entry in record.get("findings", ()) if entry["level"] == "ok"}
        cards = {name: text for name, text in found.items() if name.startswith("card-")}
        for name, text in cards.items() if len(cards) > 1 else ():
            device = name.replace("card-", "cuda:")
            if self._ui.deviceComboBox.findData(device) < 0:
                self._ui.deviceComboBox.addItem(f"{text.partition(',')[0]} ({device})", device)

    def measured(self, seconds: float) -> None:
        """Remembers how long the network took that is shown; does nothing for a threshold."""
        if self._method is not None and self._method.is_network:
            self.times.remember(self._method, self._parameterNode.device, seconds)
            self.show(self._parameterNode, self._method)

    def _onDeviceChosen(self, index: int) -> None:
        if self._parameterNode is not None and index >= 0:
            self._parameterNode.device = self._ui.deviceComboBox.itemData(index)


def aboutText(method: Any) -> str:
    """What a model says of itself, as rich text; its words are never taken for markup."""
    labels = ", ".join(
        f'<span style="color:rgb{label.color}">&#9632;</span> {_plain(label.name)}' for label in method.labels
    )
    lines = [_("Finds {labels}.").format(labels=labels)]
    if not method.needs_roi:
        lines.append(_("An ROI is not needed; one that is drawn restricts the result to it."))
    description = None if method.model is None else method.model.description
    if description is not None:
        known = [_("Version {version}").format(version=_plain(description.version))]
        known += [_("licence {licence}").format(licence=_plain(description.licence))] if description.licence else []
        lines.append(", ".join(known) + ".")
        lines += [_plain(description.intended_use)] if description.intended_use else []
        lines += [f"<b>{_plain(description.warning)}</b>"] if description.warning else []
    return "<br>".join(lines)


def timeText(seconds: float | None) -> str:
    """How long a run is going to take."""
    if seconds is None:
        return _("not measured yet on this computer")
    if seconds < _LONG_S:
        return _("about {seconds:.0f} s, as the last run").format(seconds=max(1.0, seconds))
    return _("about {minutes:.1f} min, as the last run").format(minutes=seconds / 60)


def _devices() -> list[tuple[str, str]]:
    card = ("mps", _("Apple's graphics (mps)")) if sys.platform == "darwin" else ("cuda", _("Graphics card (cuda)"))
    return [("auto", _("Automatic")), card, ("cpu", _("Processor (cpu)"))]


def _plain(text: str) -> str:
    return html.escape(" ".join(text.split()))
