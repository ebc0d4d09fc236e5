"""The values of the robust threshold: their limits are the library's, and the two ends of its lower bound never cross."""

from __future__ import annotations

from typing import Any

import slicer

from HTSegmentationModule.parameters import FIELDS, storeParameters
from HTSegmentationModule.translation import tr as _


class RobustSection:
    """The spin boxes that only the robust threshold has; Slicer's own bindings move their values.

    Args:
        ui: The panel's widgets; the box of the parameter node's field ``name`` is called ``nameSpinBox``.
    """

    def __init__(self, ui: Any) -> None:
        from HTSegmentationLib.threshold.robust.parameters import ROBUST_LIMITS, RobustParameters

        self._parameterNode: Any = None
        self._limits = {name: limits[:2] for name, limits in ROBUST_LIMITS.items()}
        self._boxes = {name: getattr(ui, f"{FIELDS[name]}SpinBox") for name in self._limits}
        fitted = RobustParameters()
        for name, box in self._boxes.items():
            lowest, highest = self._limits[name]
            text = _("{meaning} From {lowest:g} to {highest:g}{unit} (fitted: {value:g}{unit}).")
            values = {"lowest": lowest, "highest": highest, "value": getattr(fitted, name), "unit": box.suffix}
            box.toolTip = text.format(meaning=box.toolTip, **values)
        ui.resetRobustButton.connect("clicked()", self._onReset)

    def show(self, parameterNode: Any) -> None:
        """Sets the limits, which Slicer's bindings take away: least and most contrast end at each other."""
        self._parameterNode = parameterNode
        values = {name: getattr(parameterNode, FIELDS[name]) for name in self._boxes}
        for name, box in self._boxes.items():
            lowest, highest = self._limits[name]
            if name == "least_contrast_hu":
                highest = max(lowest, min(highest, values["most_contrast_hu"]))
            elif name == "most_contrast_hu":
                lowest = min(highest, max(lowest, values["least_contrast_hu"]))
            _show(box, values[name], lowest, highest)

    def _onReset(self) -> None:
        from HTSegmentationLib.threshold.robust.parameters import RobustParameters

        if self._parameterNode is not None:
            with slicer.util.NodeModify(self._parameterNode.parameterNode):
                storeParameters(self._parameterNode, RobustParameters())


def _show(box: Any, value: float, lowest: float, highest: float) -> None:
    """A value within limits; one that a scene brought from beyond them is shown as it is, and the library tells of it."""
    wanted = min(lowest, value), max(highest, value), value
    # What is just being typed is not disturbed.
    if (box.minimum, box.maximum, box.value) != wanted:
        box.blockSignals(True)
        box.minimum, box.maximum, box.value = wanted
        box.blockSignals(False)
