"""The section that compares the chosen method with another one."""

from __future__ import annotations

import html
from typing import Any

from HTSegmentationModule.comparison import finishComparison, gatherComparison, missingForComparison
from HTSegmentationModule.sureness import volumeText
from HTSegmentationModule.translation import tr as _


class ComparisonSection:
    """The choice of the second method, the button, and the line that tells how far the two agree.

    Args:
        ui: The panel's widgets.
        logic: The module's logic.
        apply: The section that runs work beside the window.
        showRemarks: Called with the remarks of both methods.
    """

    def __init__(self, ui: Any, logic: Any, apply: Any, showRemarks: Any) -> None:
        self._ui, self._logic, self._apply, self._showRemarks = ui, logic, apply, showRemarks
        self._node: Any = None
        ui.compareButton.connect("clicked()", self.run)
        ui.compareComboBox.connect("currentIndexChanged(int)", lambda _index: self.showButton())
        self.clear()

    @property
    def other(self) -> str:
        """The second method's name; empty if none is chosen."""
        box = self._ui.compareComboBox
        return box.itemData(box.currentIndex) if box.currentIndex >= 0 else ""

    def offer(self, methods: list[Any]) -> None:
        """Offers methods, and keeps the one that is chosen if it is still among them."""
        box, chosen = self._ui.compareComboBox, self.other
        box.blockSignals(True)
        box.clear()
        for method in methods:
            box.addItem(_(method.title), method.name)
        # The first method is the one that is chosen above unless somebody chose another.
        second = min(1, len(methods) - 1)
        box.setCurrentIndex(max(box.findData(chosen), 0) if chosen else second)
        box.blockSignals(False)
        self.showButton()

    def follow(self, parameterNode: Any) -> None:
        """Tells what can be compared now; the line stays until the CT is another one."""
        volumeNode = None if parameterNode is None else parameterNode.inputVolume
        if self._node is not None and volumeNode is not self._volumeNode:
            self.clear()
        self._node, self._volumeNode = parameterNode, volumeNode
        self.showButton()

    def run(self) -> None:
        """Compares; the CT is prepared first if need be."""
        node, other = self._node, self.other
        if node is None or self._apply.running or missingForComparison(node, other):
            return
        gathered: list[Any] = []

        def gather() -> Any:
            gathered.append(gatherComparison(self._logic, node, other, self._apply.currentResult(node)))
            return gathered[0].run

        self._apply.runOther(_("Comparing"), gather, lambda results: self._finish(gathered[0], results))

    def clear(self) -> None:
        """Shows no comparison."""
        self._volumeNode = None
        self._ui.comparisonLabel.setText("")
        self._ui.comparisonLabel.setVisible(False)

    def _finish(self, gathered: Any, results: Any) -> None:
        comparison = finishComparison(self._node, gathered, results)
        self._ui.comparisonLabel.setText(comparisonText(comparison))
        self._ui.comparisonLabel.setVisible(True)
        self._showRemarks(comparison.remarks)

    def showButton(self) -> None:
        """Tells what is missing, or that the comparison can be made."""
        reason = _("Choose the CT.") if self._node is None else missingForComparison(self._node, self.other)
        button = self._ui.compareButton
        button.enabled = not reason and not self._apply.running
        button.toolTip = reason or _(
            "Runs both methods on this CT and ROI and shows, as segments, what each found and what only one of them found."
        )


def comparisonText(comparison: Any) -> str:
    """How far two methods agree, in one line of rich text."""
    first, second = (html.escape(title) for title in comparison.titles)
    volumes = zip(comparison.volumesMl, comparison.uncertaintiesMl, strict=True)
    firstMl, secondMl = (volumeText(ml, uncertaintyMl) for ml, uncertaintyMl in volumes)
    text = _(
        "Dice <b>{dice:.3f}</b>; {first} {firstMl}, {second} {secondMl}; "
        "only one of them found <b>{apart:.2f} mL</b>. The segments are in {node}."
    )
    return text.format(
        dice=comparison.dice,
        first=first,
        firstMl=firstMl,
        second=second,
        secondMl=secondMl,
        apart=comparison.disagreementMl,
        node=html.escape(comparison.segmentationNode.GetName()),
    )
