"""The list of regions of interest: made in one click, taken from the scene, shown, hidden, deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
import slicer
import vtk

from HTSegmentationModule.readiness import roiNodesOf
from HTSegmentationModule.roi_nodes import newRoiNode, showInViews
from HTSegmentationModule.suggested_mark import reasonOf
from HTSegmentationModule.translation import tr as _

_BOX_MM = (60.0, 60.0, 40.0)
"""Right-left, anterior-posterior, inferior-superior: holds four of five published bleeds, and is easily made smaller."""

_KINDS = ("vtkMRMLMarkupsROINode", "vtkMRMLMarkupsClosedCurveNode")


class RoiList:
    """The table of ROIs and its buttons.

    Args:
        ui: The panel's widgets.
        onChanged: Called when the list of the parameter node was changed here.
    """

    def __init__(self, ui: Any, onChanged: Callable[[], None]) -> None:
        self._table, self._onChanged = ui.roiTable, onChanged
        self._removeButton = ui.removeRoiButton
        self._parameterNode: Any = None
        self._rows: list[Any] = []
        self._menu = qt.QMenu(ui.addExistingButton)
        header = self._table.horizontalHeader()
        header.setVisible(False)
        header.setSectionResizeMode(0, qt.QHeaderView.Stretch)
        header.setSectionResizeMode(1, qt.QHeaderView.ResizeToContents)
        self._table.verticalHeader().setVisible(False)
        self._table.verticalHeader().setDefaultSectionSize(self._table.fontMetrics().height() + 6)
        ui.addBoxButton.connect("clicked()", self.addBox)
        ui.addCurveButton.connect("clicked()", self.addCurve)
        ui.addExistingButton.setMenu(self._menu)
        self._menu.connect("aboutToShow()", self.fillMenu)
        self._removeButton.connect("clicked()", self.removeSelected)
        self._table.connect("cellChanged(int,int)", self._onCellChanged)
        self._table.connect("itemSelectionChanged()", self._onSelectionChanged)
        self._table.connect("cellDoubleClicked(int,int)", self._onDoubleClicked)

    def show(self, parameterNode: Any) -> None:
        """Shows the ROIs of a parameter node, or none for None."""
        self._parameterNode, before = parameterNode, self._rows
        self._rows = [] if parameterNode is None else list(roiNodesOf(parameterNode))
        segment = self._segment()
        if segment is not None:
            self._rows.append(None)
        added = (row for row, node in enumerate(self._rows) if not any(node is other for other in before))
        selected = next(added, self._table.currentRow())
        self._table.blockSignals(True)
        self._table.setRowCount(len(self._rows))
        for row, node in enumerate(self._rows):
            first = qt.QTableWidgetItem(segment.GetName() if node is None else node.GetName())
            flags = qt.Qt.ItemIsSelectable | qt.Qt.ItemIsEnabled
            first.setFlags(flags | qt.Qt.ItemIsUserCheckable)
            first.setCheckState(qt.Qt.Checked if self._isShown(node) else qt.Qt.Unchecked)
            first.setToolTip(_tip(node))
            second = qt.QTableWidgetItem(_("segment") if node is None else _extent(node))
            second.setFlags(flags)
            self._table.setItem(row, 0, first)
            self._table.setItem(row, 1, second)
        if self._rows:
            self._table.setCurrentCell(min(max(selected, 0), len(self._rows) - 1), 0)
        self._table.blockSignals(False)
        self._onSelectionChanged()

    def addBox(self) -> Any:
        """Places a box in the middle of the slice views, or of the CT, and takes it as ROI."""
        node = newRoiNode("vtkMRMLMarkupsROINode", _("ROI box"))
        node.SetSize(*_BOX_MM)
        node.SetCenterWorld(*_middle(self._parameterNode.inputVolume))
        node.GetDisplayNode().SetFillOpacity(0.05)
        self._take(node)
        return node

    def addCurve(self) -> Any:
        """Starts a closed curve: the next clicks in a slice view place its points."""
        node = newRoiNode("vtkMRMLMarkupsClosedCurveNode", _("ROI curve"))
        self._take(node)
        markups = slicer.modules.markups.logic()
        # In this order: starting the mode makes points of a new list what a click places.
        markups.StartPlaceMode(True)
        markups.SetActiveList(node)
        return node

    def fillMenu(self) -> None:
        """Offers what the scene holds and the list does not."""
        self._menu.clear()
        taken = {node.GetID() for node in self._rows if node is not None}
        for kind in _KINDS:
            for node in slicer.util.getNodesByClass(kind):
                if node.GetID() not in taken and not node.GetHideFromEditors():
                    self._offer(node.GetName(), lambda checked=False, node=node: self._take(node))
        for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode"):
            if node.GetHideFromEditors():
                continue
            for segmentID in node.GetSegmentation().GetSegmentIDs():
                name = f"{node.GetName()} / {node.GetSegmentation().GetSegment(segmentID).GetName()}"
                self._offer(name, lambda checked=False, node=node, segmentID=segmentID: self.takeSegment(node, segmentID))
        if self._menu.isEmpty():
            self._menu.addAction(_("The scene holds no other box, curve or segment")).setEnabled(False)

    def takeSegment(self, segmentationNode: Any, segmentID: str) -> None:
        """Takes a segment as ROI; it replaces an earlier segment, not the boxes and curves."""
        self._parameterNode.roiSegmentation = segmentationNode
        self._parameterNode.roiSegmentID = segmentID
        self._onChanged()

    def removeSelected(self) -> None:
        """Deletes the selected markups node; a segment, which may be somebody's work, is only taken off the list."""
        row = self._table.currentRow()
        if self._parameterNode is None or not 0 <= row < len(self._rows):
            return
        node = self._rows[row]
        if node is None:
            self._parameterNode.roiSegmentation = None
            self._parameterNode.roiSegmentID = ""
        else:
            self._parameterNode.roiNodes = [other for other in roiNodesOf(self._parameterNode) if other is not node]
            slicer.mrmlScene.RemoveNode(node)
        self._onChanged()

    def _offer(self, text: str, chosen: Callable[..., None]) -> None:
        self._menu.addAction(text).connect("triggered(bool)", chosen)

    def _take(self, node: Any) -> None:
        self._parameterNode.roiNodes = [*roiNodesOf(self._parameterNode), node]
        self._onChanged()

    def _segment(self) -> Any:
        if self._parameterNode is None or self._parameterNode.roiSegmentation is None:
            return None
        return self._parameterNode.roiSegmentation.GetSegmentation().GetSegment(self._parameterNode.roiSegmentID)

    def _isShown(self, node: Any) -> bool:
        if node is not None:
            return bool(node.GetDisplayVisibility())
        display = self._parameterNode.roiSegmentation.GetDisplayNode()
        return display is not None and bool(display.GetSegmentVisibility(self._parameterNode.roiSegmentID))

    def _onCellChanged(self, row: int, column: int) -> None:
        shown = self._table.item(row, column).checkState() == qt.Qt.Checked
        node = self._rows[row]
        if node is not None:
            node.SetDisplayVisibility(shown)
        elif self._parameterNode.roiSegmentation.GetDisplayNode() is not None:
            self._parameterNode.roiSegmentation.GetDisplayNode().SetSegmentVisibility(
                self._parameterNode.roiSegmentID, shown
            )

    def _onDoubleClicked(self, row: int, column: int) -> None:
        if self._rows[row] is not None:
            showInViews(self._rows[row])

    def _onSelectionChanged(self) -> None:
        row = self._table.currentRow()
        self._removeButton.setEnabled(0 <= row < len(self._rows))
        if 0 <= row < len(self._rows):
            self._removeButton.setText(_("Take off") if self._rows[row] is None else _("Delete"))


def _tip(node: Any) -> str:
    """How to use the row, and of a proposed region why it was proposed."""
    if node is None:
        return _("Tick to show it in the views.")
    use = _("Tick to show it in the views; double-click to go there.")
    reason = reasonOf(node)
    return f"{reason}\n{use}" if reason else use


def _extent(node: Any) -> str:
    """Size of a box, or number of points of a curve."""
    if node.IsA("vtkMRMLMarkupsROINode"):
        size = [0.0, 0.0, 0.0]
        node.GetSizeWorld(size)
        return _("{size} mm").format(size=" x ".join(f"{length:.0f}" for length in size))
    return _("curve, {count} points").format(count=node.GetNumberOfDefinedControlPoints())


def _middle(volumeNode: Any) -> list[float]:
    """World RAS of the axial slice view's centre if it lies in the volume, else the volume's centre; else the origin."""
    bounds = [0.0] * 6
    if volumeNode is not None:
        volumeNode.GetRASBounds(bounds)
    center = [(low + high) / 2 for low, high in zip(bounds[::2], bounds[1::2], strict=True)]
    sliceNode = slicer.mrmlScene.GetNodeByID("vtkMRMLSliceNodeRed")
    if sliceNode is None:
        return center
    matrix: vtk.vtkMatrix4x4 = sliceNode.GetSliceToRAS()
    seen = [matrix.GetElement(row, 3) for row in range(3)]
    inside = all(low < value < high for low, value, high in zip(bounds[::2], seen, bounds[1::2], strict=True))
    return seen if inside or volumeNode is None else center
