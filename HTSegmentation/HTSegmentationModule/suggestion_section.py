"""The button Suggest ROI: searches beside the window and tells what was found, and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from HTSegmentationModule.readiness import missingCT
from HTSegmentationModule.roi_nodes import showInViews
from HTSegmentationModule.suggested_rois import SuggestedRois, estimate, finishSearch, gatherSearch
from HTSegmentationModule.translation import tr as _

_MOST_SET_ASIDE = 3
"""More of what was set aside than this nobody reads in a line; the rest is counted."""


class SuggestionSection:
    """The button and what it starts.

    Args:
        ui: The panel's widgets.
        logic: The module's logic.
        apply: The section that runs work beside the window.
        onDone: Called when a search ended well.
    """

    def __init__(self, ui: Any, logic: Any, apply: Any, onDone: Callable[[], None]) -> None:
        self._button, self._logic, self._apply, self._onDone = ui.suggestRoiButton, logic, apply, onDone
        self._node: Any = None
        self._tip = self._button.toolTip
        self._button.connect("clicked()", self.run)

    def follow(self, parameterNode: Any) -> None:
        """Takes the parameter node whose CT is searched."""
        self._node = parameterNode
        self.showButton()

    def run(self) -> None:
        """Searches; the CT is prepared first if need be."""
        node = self._node
        if self._apply.running or missingCT(node):
            return
        gathered: list[Any] = []

        def gather() -> Any:
            gathered.append(gatherSearch(self._logic, node))
            return gathered[0].run

        self._apply.runOther(_("Searching"), gather, lambda found: self._finish(gathered[0], found))

    def showButton(self) -> None:
        """Tells what is missing, or that the CT can be searched."""
        reason = missingCT(self._node)
        self._button.enabled = not reason and not self._apply.running
        self._button.toolTip = reason or self._tip

    def _finish(self, gathered: Any, found: Any) -> None:
        suggested = finishSearch(self._logic, self._node, gathered, found)
        if suggested.nodes:
            showInViews(suggested.nodes[0])
        self._apply.tellOfInputs(suggestionText(suggested), "caution")
        self._onDone()


def suggestionText(suggested: SuggestedRois) -> str:
    """What was proposed and why, what was set aside and why, and what nobody can tell from blood."""
    found, lines = suggested.found, []
    for node, candidate in zip(suggested.nodes, found.proposed, strict=True):
        lines.append(f"{node.GetName()}: {candidate.reason}.")
    if lines:
        text = _(
            "A proposed region is a place to look at: see whether it holds the bleed and nothing else. Contrast staining "
            "after a thrombectomy looks the same."
        )
        lines.append(text)
    lines += [remark.text for remark in found.remarks]
    if found.set_aside:
        lines.append(_("Set aside: {what}.").format(what=_setAside(found.set_aside)))
    if not suggested.nodes:
        lines.append(_("To go on, draw an ROI: press Box or Curve."))
    return "\n".join(lines)


def _setAside(candidates: Any) -> str:
    told = [
        _("{what} ({where}, {ml} mL)").format(
            what=_(candidate.suspicion.value), where=candidate.where(), ml=estimate(candidate.size_ml)
        )
        for candidate in candidates[:_MOST_SET_ASIDE]
    ]
    if len(candidates) > _MOST_SET_ASIDE:
        told.append(_("{count} more").format(count=len(candidates) - _MOST_SET_ASIDE))
    return "; ".join(told)
