"""The results: shown after a run, measured again after every correction, handed on to other modules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
import slicer
from slicer.util import VTKObservationMixin

from HTSegmentationModule import other_modules
from HTSegmentationModule.messages import sentenceOf
from HTSegmentationModule.remarks_view import RemarksView
from HTSegmentationModule.results_view import ResultsView
from HTSegmentationModule.translation import tr as _

_REST_MS = 400
"""A correction by hand is measured when the hand rests this long."""


class ResultsSection(VTKObservationMixin):
    """Shows the measurements of one segment and follows its changes.

    Args:
        ui: The panel's widgets.
        logic: The module's logic.
        tell: Called with (sentence, severity) for the message line.
    """

    def __init__(self, ui: Any, logic: Any, tell: Callable[[str, str], None]) -> None:
        VTKObservationMixin.__init__(self)
        self._ui, self._logic, self._tell = ui, logic, tell
        self._view = ResultsView(ui)
        self._remarks = RemarksView(ui.remarksCollapsibleButton, ui.remarksWidget)
        self._runRemarks: tuple = ()
        self._made: tuple[Any, float | None] = (None, None)
        self._parameterNode: Any = None
        self._node: Any = None
        self._segmentID = ""
        self._comparedWith: tuple | None = None
        self._volumeID = ""
        self._timer = qt.QTimer(ui.measuresTable)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_REST_MS)
        self._timer.connect("timeout()", self.remeasure)
        ui.copyButton.connect("clicked()", self.copy)
        ui.exportButton.connect("clicked()", self.exportCsv)
        ui.tableButton.connect("clicked()", self.showTable)
        ui.editButton.connect("clicked()", self.edit)
        ui.statisticsButton.connect("clicked()", self.openStatistics)
        self._enableButtons()

    @property
    def rows(self) -> list[Any]:
        """What is shown, as rows."""
        return self._view.rows

    def show(self, parameterNode: Any, outcome: Any) -> None:
        """Shows what Apply made, and watches the segment from now on."""
        self._runRemarks = tuple(outcome.result.remarks)
        self._made = outcome.result, outcome.measurement.mask.volume_ml
        self._volumeID = parameterNode.inputVolume.GetID()
        self._watch(parameterNode, outcome.segmentationNode, outcome.segmentID)
        self._showMeasurement(outcome.measurement, outcome.further)
        self._remarks.show(outcome.remarks)

    def showRemarks(self, remarks: Any, outdated: bool) -> None:
        """Shows the warnings of a preview, or again those of the last run.

        Args:
            remarks: The warnings.
            outdated: Whether they are a preview's, so that the measurements belong to something else.
        """
        self._remarks.show(remarks)
        self._view.setOutdated(outdated)

    def tellRemarks(self, remarks: Any) -> None:
        """Shows the warnings of something else than the measurements, as those of a comparison."""
        self._remarks.show(remarks)

    def follow(self, parameterNode: Any) -> None:
        """Shows the result of the CT and output that are chosen now, compared with the reference that is chosen now."""
        from HTSegmentationModule.segmentation_output import hemorrhageSegmentID

        volumeNode, node = parameterNode.inputVolume, parameterNode.outputSegmentation
        volumeID = "" if volumeNode is None else volumeNode.GetID()
        if self._volumeID not in ("", volumeID) and _madeOf(node) is not volumeNode:
            # Another CT: its result must not replace that of the one before.
            node = parameterNode.outputSegmentation = None
        self._volumeID = volumeID
        if self._node is not None and node is not self._node:
            self.clear()
        if self._node is None:
            segmentID = "" if node is None else hemorrhageSegmentID(node)
            if segmentID and volumeNode is not None and _madeOf(node) is volumeNode:
                self._watch(parameterNode, node, segmentID)
                self.measureSoon()
        elif self._comparedWith != _referenceOf(parameterNode):
            self._parameterNode = parameterNode
            self.measureSoon()

    def measureSoon(self, caller: Any = None, event: Any = None) -> None:
        """Measures the segment when it has come to rest."""
        self._timer.start()

    def remeasure(self) -> None:
        """Measures the segment as it is now."""
        node = self._node
        if node is None or self._parameterNode is None:
            return
        if node.GetScene() is None or node.GetSegmentation().GetSegment(self._segmentID) is None:
            self.clear(_("The segment was removed. Press Apply to segment again."))
            return
        try:
            measurement = self._logic.remeasure(self._parameterNode, self._segmentID)
            further = self._logic.remeasureFurther(self._parameterNode)
        except Exception as error:  # the panel says it, whatever it is
            self.clear(_("The segment could not be measured."))
            self._tell(sentenceOf(error), "warning")
            return
        self._showMeasurement(measurement, further)
        self._remarks.show((*self._runRemarks, *measurement.mask.remarks, *measurement.remarks))

    def clear(self, sentence: str = "") -> None:
        """Shows and watches nothing."""
        self._timer.stop()
        self.removeObservers()
        self._node, self._segmentID, self._parameterNode, self._runRemarks = None, "", None, ()
        self._made = None, None
        self._ui.show3DButton.setSegmentationNode(None)
        self._view.clear(sentence or _("Nothing measured yet."))
        self._remarks.show(())
        self._enableButtons()

    def copy(self) -> None:
        """Puts the results on the clipboard."""
        slicer.app.clipboard().setText(self._view.text())
        self._tell(_("The results are on the clipboard."), "note")

    def exportCsv(self) -> None:
        """Asks for a file and writes the results table into it."""
        path = qt.QFileDialog.getSaveFileName(
            self._ui.exportButton, _("Export the results table"), "hemorrhage.csv", _("Comma-separated values (*.csv)")
        )
        if not path:
            return
        path = path if path.lower().endswith((".csv", ".tsv", ".txt")) else path + ".csv"
        if other_modules.writeCsv(self._logic.tableNode(), path):
            self._tell(_("The table was written to {path}.").format(path=path), "note")
        else:
            text = _("{path} cannot be written; choose a folder in which you may write, and close the file elsewhere.")
            self._tell(text.format(path=path), "warning")

    def showTable(self) -> None:
        """Shows the table of all segmented cases."""
        other_modules.showTable(self._logic.tableNode())

    def edit(self) -> None:
        """Opens the segment in the Segment Editor."""
        volumeNode = self._parameterNode.inputVolume
        self._open(lambda: other_modules.openSegmentEditor(self._node, self._segmentID, volumeNode))

    def openStatistics(self) -> None:
        """Opens Segment Statistics on the segment."""
        volumeNode = self._parameterNode.inputVolume
        self._open(lambda: other_modules.openSegmentStatistics(self._node, volumeNode))

    def close(self) -> None:
        """Ends with the panel."""
        self._timer.stop()
        self.removeObservers()

    def _open(self, opening: Callable[[], None]) -> None:
        try:
            opening()
        except (RuntimeError, AttributeError) as error:
            self._tell(_("The module cannot be opened here; open it from Slicer's module menu."), "caution")
            sentenceOf(error)

    def _watch(self, parameterNode: Any, node: Any, segmentID: str) -> None:
        self._timer.stop()
        self.removeObservers()
        self._parameterNode, self._node, self._segmentID = parameterNode, node, segmentID
        events = (
            slicer.vtkSegmentation.SourceRepresentationModified,
            slicer.vtkSegmentation.RepresentationModified,
            slicer.vtkSegmentation.SegmentRemoved,
        )
        for event in events:
            self.addObserver(node.GetSegmentation(), event, self.measureSoon)
        self.addObserver(node, slicer.vtkMRMLTransformableNode.TransformModifiedEvent, self.measureSoon)
        self._ui.show3DButton.setSegmentationNode(node)

    def _showMeasurement(self, measurement: Any, further: Any) -> None:
        self._comparedWith = _referenceOf(self._parameterNode)
        segment = self._node.GetSegmentation().GetSegment(self._segmentID)
        source = _("Segment {segment} of {segmentation}").format(
            segment=segment.GetName(), segmentation=self._node.GetName()
        )
        # A segment that was corrected by hand is not the mask of whose certainty the method spoke.
        result, volumeMl = self._made
        self._view.show(measurement, source, further, result if measurement.mask.volume_ml == volumeMl else None)
        self._enableButtons()

    def _enableButtons(self) -> None:
        has = self._node is not None
        for button in ("copyButton", "exportButton", "tableButton", "editButton", "statisticsButton", "show3DButton"):
            getattr(self._ui, button).setEnabled(has)


def _referenceOf(parameterNode: Any) -> tuple:
    node = parameterNode.referenceSegmentation
    return (None if node is None else node.GetID(), parameterNode.referenceSegmentID)


def _madeOf(segmentationNode: Any) -> Any:
    """The volume on which a segmentation was made; None if that is not known."""
    if segmentationNode is None:
        return None
    return segmentationNode.GetNodeReference(slicer.vtkMRMLSegmentationNode.GetReferenceImageGeometryReferenceRole())
