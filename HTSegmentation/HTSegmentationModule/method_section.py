"""The method and its parameters, as far as Slicer's own bindings do not do it, and what the last result says of them."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any

import slicer

from HTSegmentationModule.histogram import HistogramView, huCounts
from HTSegmentationModule.network_section import NetworkSection
from HTSegmentationModule.parameters import rulesOf, setRules
from HTSegmentationModule.rule_table import RuleTable
from HTSegmentationModule.translation import tr as _


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
        self._details: Any = None
        self._manualChosen = False
        self._methods: dict[str, Any] = {}
        self.network = NetworkSection(ui)
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
        usesRules = self._parameterNode is not None and self._parameterNode.method == "adaptive"
        if not usesRules or not self.rules.problem:
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
        adaptive, fixed = parameterNode.method == "adaptive", parameterNode.method == "global"
        ui.adaptiveWidget.setVisible(adaptive)
        ui.manualWidget.setVisible(adaptive)
        ui.globalWidget.setVisible(fixed)
        for name in ("closingLabel", "closingSpinBox", "filtersGroupBox"):
            getattr(ui, name).setVisible(adaptive or fixed)
        if self.isNetwork and hasattr(self._details, "threshold_hu"):
            # A threshold's histogram says nothing of a network.
            self.showResult(None, None)
        self.network.show(parameterNode, self._methods.get(parameterNode.method))
        self._showRules(parameterNode)
        self._showManual(parameterNode)

    def showResult(self, gathered: Any, details: Any) -> None:
        """Shows what a result tells of its thresholds; None for both shows nothing.

        Args:
            gathered: What it was made from.
            details: What the method tells of the run.
        """
        self._details = details
        self.rules.highlight(getattr(details, "rule_number", None))
        self._ui.outcomeLabel.setText("" if details is None else outcomeText(details))
        self._ui.outcomeLabel.setVisible(details is not None)
        if gathered is None or gathered.roi is None or not hasattr(details, "threshold_hu"):
            self._histogram.clear()
        else:
            counts = huCounts(gathered.prepared, gathered.roi)
            self._histogram.show(counts, details.threshold_hu, getattr(details, "first_threshold_hu", None))

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
    """What a run tells of itself, in one line of rich text: of a threshold its numbers, of a network its sentences."""
    if not hasattr(details, "threshold_hu"):
        return " ".join(html.escape(sentence) for sentence in details.explain())
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
