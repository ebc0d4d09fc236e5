"""Hands a result on to Slicer's own modules and views."""

from __future__ import annotations

import csv
import logging
import math
from pathlib import Path
from typing import Any

import slicer


def openSegmentEditor(segmentationNode: Any, segmentID: str, volumeNode: Any) -> None:
    """Opens the Segment Editor on a segment.

    Raises:
        RuntimeError: There is no main window.
    """
    slicer.util.selectModule("SegmentEditor")
    editor = slicer.modules.segmenteditor.widgetRepresentation().self().editor
    editor.setSegmentationNode(segmentationNode)
    editor.setSourceVolumeNode(volumeNode)
    editor.setCurrentSegmentID(segmentID)


def openSegmentStatistics(segmentationNode: Any, volumeNode: Any) -> None:
    """Opens Segment Statistics on a segmentation and the CT.

    Raises:
        RuntimeError: There is no main window.
    """
    slicer.util.selectModule("SegmentStatistics")
    widget = slicer.modules.segmentstatistics.widgetRepresentation().self()
    widget.segmentationSelector.setCurrentNode(segmentationNode)
    widget.scalarSelector.setCurrentNode(volumeNode)


def showTable(tableNode: Any) -> None:
    """Shows a table below the slice and 3D views."""
    manager = slicer.app.layoutManager()
    if manager is not None:
        # First, since a view that is not there yet takes no table.
        manager.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpTableView)
    logic = slicer.app.applicationLogic()
    logic.GetSelectionNode().SetActiveTableID(tableNode.GetID())
    logic.PropagateTableSelection()


def writeCsv(tableNode: Any, path: str) -> bool:
    """Writes a table as CSV with all digits; what was not measured stays empty.

    Returns:
        False if the file cannot be written.
    """
    # VTK's own writer keeps six digits and writes nan.
    table = tableNode.GetTable()
    columns = [table.GetColumn(number) for number in range(table.GetNumberOfColumns())]
    try:
        with Path(path).open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow([column.GetName() for column in columns])
            for row in range(table.GetNumberOfRows()):
                writer.writerow([_cell(column.GetValue(row)) for column in columns])
    except OSError as error:
        logging.info("HTSegmentation: %s", error)
        return False
    return True


def _cell(value: Any) -> Any:
    return "" if isinstance(value, float) and math.isnan(value) else value
