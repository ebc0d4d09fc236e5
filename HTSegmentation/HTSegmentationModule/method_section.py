"""The method and its parameters, as far as Slicer's own bindings do not do it, and what the last result says of them."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any

import slicer

from HTSegmentationModule.histogram import HistogramView
from HTSegmentationModule.histogram_content import contentOf
from HTSegmentationModule.network_section import NetworkSection
from HTSegmentationModule.parameters import parameterNames, rulesOf, setRules
from HTSegmentationModule.robust_section import RobustSection
from HTSegmentationModule.rule_table import RuleTable
from HTSegmentationModule.translation import tr as _

_SHOWN_FOR = {
    "adaptiveWidget": "rules",
    "manualWidget": "manual_lower_hu",
    "globalWidget": "lower_hu",
    "closingLabel": "closing_diameter_voxels",
    "closingSpinBox": "closing_diameter_voxels",
    "filtersGroupBox": "smoothing_in_plane_mm",
    "robustWidget": "bound_share",
    "robustGroupBox": "background_mm",
}
"""Widgets that are shown for methods with this parameter, by the library's name of it."""


class MethodSection:
    """Keeps the method's widgets and the parameter node alike.

    Args:
        ui: The panel's widgets.
        methods: The methods that are offered.
        onChanged: Called when something changed that the parameter node does not tell of.
    """

    def __init__(self, ui: Any, methods: list[Any], onChanged: Callable[[], None]) -> None:
        from HTSegmentationLib.segmenter import HEMORRHAGE

        self._ui, self._onChanged = ui, onChanged
        self._parameterNode: Any = None
        self._result: Any = None
        self._manualChosen = False
        self._methods: dict[str, Any] = {}
        self._parameterNames: dict[str, frozenset[str]] = {}
        self.network = NetworkSection(ui)
        self._robust = RobustSection(ui)
        self.offer(methods)
        ui.sdImageComboBox.addItem(_("original HU"), "original")
        ui.sdImageComboBox.addItem(_("enhanced image (after the filters)"), "enhanced")
        self.rules = RuleTable(ui.rulesTable, ui.rulesProblemLabel, self._onRulesChanged)
        self._histogram = HistogramView(ui.histogramLabel, HEMORRHAGE.color)
        ui.methodComboBox.connect("currentIndexChanged(int)", self._onMethodChosen)
        ui.sdImageComboBox.connect("currentIndexChanged(int)", self._onSdImageChosen)
        ui.resetRulesButton.connect("clicked()", self._onResetRules)
        ui.manualCheckBox.connect("toggled(bool)", self._onManualToggled)
        ui.manualRangeWidget.connect("valuesChanged(double,double)", self._onManualChanged)
        self.showResult(None, None)

    @property
    def problem(self) -> str:
        """Why the rule table as it is shown cannot be used; empty if it can."""
        if "rules" not in self._shownNames() or not self.rules.problem:
            return ""
        return _("A cell of the rule table cannot be used: correct the marked cell, or press Reset to published.")

    @property
    def isNetwork(self) -> bool:
        """Whether the method that is shown is a network."""
        chosen = None if self._parameterNode is None else self._methods.get(self._parameterNode.method)
        return chosen is not None and chosen.is_network

    def offer(self, methods: list[Any]) -> None:
        """Offers methods; the choice stays."""
        box = self._ui.methodComboBox
        self._methods = {method.name: method for method in methods}
        self._parameterNames = {method.name: parameterNames(method) for method in methods}
        box.blockSignals(True)
        box.clear()
        for method in methods:
            box.addItem(_(method.title), method.name)
        box.blockSignals(False)
        self.show(self._parameterNode)

    def show(self, parameterNode: Any) -> None:
        """Shows the values of a parameter node; None leaves them as they are."""
        self._parameterNode = parameterNode
        if parameterNode is None:
            return
        ui = self._ui
        for box, value in ((ui.methodComboBox, parameterNode.method), (ui.sdImageComboBox, parameterNode.sdImage)):
            index = box.findData(value)
            if index != box.currentIndex:
                box.blockSignals(True)
                box.setCurrentIndex(index)
                box.blockSignals(False)
        names = self._shownNames()
        for widget, name in _SHOWN_FOR.items():
            getattr(ui, widget).setVisible(name in names)
        if self.isNetwork and self._result is not None and self._result.method != parameterNode.method:
            # What another method told of itself says nothing of a network, which has no live preview to replace it.
            self.showResult(None, None)
        self.network.show(parameterNode, self._methods.get(parameterNode.method))
        self._robust.show(parameterNode)
        self._showRules(parameterNode)
        self._showManual(parameterNode)

    def showResult(self, gathered: Any, result: Any) -> None:
        """Shows what a result tells of its thresholds; None for both shows nothing.

        Args:
            gathered: What it was made from.
            result: The library's result.
        """
        self._result = result
        details = self._details
        self.rules.highlight(getattr(details, "rule_number", None))
        self._ui.outcomeLabel.setText("" if details is None else outcomeText(details))
        self._ui.outcomeLabel.setVisible(details is not None)
        content = contentOf(gathered, result)
        if content is None:
            self._histogram.clear()
        else:
            self._histogram.show(content)

    @property
    def _details(self) -> Any:
        return None if self._result is None else self._result.details

    def _shownNames(self) -> frozenset[str]:
        """The parameters of the method that is shown."""
        node = self._parameterNode
        return frozenset() if node is None else self._parameterNames.get(node.method, frozenset())

    def _showRules(self, parameterNode: Any) -> None:
        from HTSegmentationLib.errors import ParameterError

        try:
            self.rules.show(rulesOf(parameterNode))
        except ParameterError:
            # A scene with a table that cannot be read: Apply's tooltip says so, the reset button mends it.
            self._ui.rulesProblemLabel.setText(_("The scene's rule table cannot be read; reset it."))

    def _showManual(self, parameterNode: Any) -> None:
        slider = self._ui.manualRangeWidget
        slider.setEnabled(parameterNode.manualThreshold)
        lower, upper = parameterNode.manualLower, parameterNode.manualUpper
        if (slider.minimumValue, slider.maximumValue) != (lower, upper):
            slider.blockSignals(True)
            slider.setRange(min(slider.minimum, lower), max(slider.maximum, upper))
            slider.setValues(lower, upper)
            slider.blockSignals(False)

    def _onMethodChosen(self, index: int) -> None:
        if self._parameterNode is not None and index >= 0:
            self._parameterNode.method = self._ui.methodComboBox.itemData(index)

    def _onSdImageChosen(self, index: int) -> None:
        if self._parameterNode is not None and index >= 0:
            self._parameterNode.sdImage = self._ui.sdImageComboBox.itemData(index)

    def _onRulesChanged(self, rules: tuple) -> None:
        if self._parameterNode is not None and not self.rules.problem:
            setRules(self._parameterNode, rules)
        self._onChanged()

    def _onResetRules(self) -> None:
        if self._parameterNode is not None:
            setRules(self._parameterNode, None)
            self.rules.show(rulesOf(self._parameterNode))
            self.rules.reset()
            self._onChanged()

    def _onManualToggled(self, manual: bool) -> None:
        # The slider starts where the rule left off, unless a window was chosen by hand before.
        known = hasattr(self._details, "threshold_hu") and not self._manualChosen
        if manual and self._parameterNode is not None and known:
            self._parameterNode.manualLower, self._parameterNode.manualUpper = self._details.threshold_hu

    def _onManualChanged(self, lower: float, upper: float) -> None:
        if self._parameterNode is None:
            return
        self._manualChosen = True
        with slicer.util.NodeModify(self._parameterNode.parameterNode):
            self._parameterNode.manualLower, self._parameterNode.manualUpper = lower, upper


def outcomeText(details: Any) -> str:
    """What a run tells of itself, as rich text: of a fixed window its numbers, of any other method its sentences."""
    if not hasattr(details, "threshold_hu"):
        return "<br>".join(html.escape(sentence) for sentence in details.explain())
    from HTSegmentationLib.threshold.rules import sd_range

    window = _("{lower:g} to {upper:g} HU").format(lower=details.threshold_hu[0], upper=details.threshold_hu[1])
    if not hasattr(details, "rule_number"):
        return _("Threshold <b>{window}</b>, the same for every scan.").format(window=window)
    if details.mean_hu is None:
        found = _("Nothing in the ROI lies within the first threshold (SD 0).")
    else:
        text = _("SD <b>{sd:.2f} HU</b>, mean {mean:.1f} HU in {count} voxels.")
        found = text.format(sd=details.sd_hu, mean=details.mean_hu, count=details.first_mask_voxels)
    row = _("Row {row} fired ({range}).").format(
        row=details.rule_number + 1,
        range=sd_range(details.rules, details.rule_number).replace("<=", "≤").replace("<", "&lt;").replace(">", "&gt;"),
    )
    last = _("Final threshold <b>{window}</b>, set by hand.") if details.manual else _("Final threshold <b>{window}</b>.")
    return f"{found} {row} {last.format(window=window)}"
