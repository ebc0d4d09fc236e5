"""The table of all measurements in a scene, one row a segment: a case has as many as its method has classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import vtk

from HTSegmentationModule.outcome import Measurement, Outcome
from HTSegmentationModule.translation import tr as _

_MARK = "HTSegmentation.Results"
"""The attribute by which the table is found again, whatever the user calls it."""

TABLE_NAME = "Hemorrhage measurements"
"""The table's name when it is made."""


@dataclass(frozen=True)
class Column:
    """One column.

    Args:
        name: Its name for programs, never translated.
        title: Its title for readers, with the unit.
        unit: UCUM code of the unit; empty for numbers without one and for texts.
        kind: "text", "number" or "count".
    """

    name: str
    title: str
    unit: str = ""
    kind: str = "number"

    def array(self) -> vtk.vtkAbstractArray:
        """An empty VTK array of the column's type."""
        array = {"text": vtk.vtkStringArray, "number": vtk.vtkDoubleArray, "count": vtk.vtkIntArray}[self.kind]()
        array.SetName(self.name)
        return array


def columns() -> tuple[Column, ...]:
    """All columns in their order."""
    return (
        Column("Volume", _("CT volume"), kind="text"),
        Column("Segmentation", _("Segmentation"), kind="text"),
        Column("Segment", _("Segment"), kind="text"),
        Column("Method", _("Method"), kind="text"),
        Column("VolumeMl", _("Volume [mL]"), "mL"),
        Column("UncertaintyMl", _("Uncertainty of the volume [mL]"), "mL"),
        Column("Confidence", _("Confidence (0 to 1)")),
        Column("ConfidenceReason", _("Reason of the confidence"), kind="text"),
        Column("Abc2Ml", _("ABC/2 [mL]"), "mL"),
        Column("AMm", _("A [mm]"), "mm"),
        Column("BMm", _("B [mm]"), "mm"),
        Column("CMm", _("C [mm]"), "mm"),
        Column("Components", _("Components"), kind="count"),
        Column("MeanHu", _("Mean [HU]"), "[hnsf'U]"),
        Column("MaxHu", _("Maximum [HU]"), "[hnsf'U]"),
        Column("ShareAbove90Hu", _("Above 90 HU [%]"), "%"),
        Column("LowerHu", _("Lower threshold [HU]"), "[hnsf'U]"),
        Column("UpperHu", _("Upper threshold [HU]"), "[hnsf'U]"),
        Column("SdHu", _("SD of the first mask [HU]"), "[hnsf'U]"),
        Column("Dice", _("Dice (DSC)")),
        Column("Sensitivity", _("Sensitivity in the ROI")),
        Column("Specificity", _("Specificity in the ROI")),
        Column("Auc", _("AUC in the ROI")),
        Column("VolumeDifferenceMl", _("Volume difference [mL]"), "mL"),
        Column("Hd95Mm", _("HD95 [mm]"), "mm"),
        Column("VolumeID", _("CT volume ID"), kind="text"),
        Column("SegmentationID", _("Segmentation ID"), kind="text"),
        Column("SegmentID", _("Segment ID"), kind="text"),
    )


def resultsTable(scene: Any, create: bool = True) -> Any:
    """The scene's table; None if there is none and none shall be made."""
    nodes = scene.GetNodesByClass("vtkMRMLTableNode")
    nodes.UnRegister(None)
    for number in range(nodes.GetNumberOfItems()):
        node = nodes.GetItemAsObject(number)
        if node.GetAttribute(_MARK) is not None:
            return node
    if not create:
        return None
    node = scene.AddNewNodeByClass("vtkMRMLTableNode", TABLE_NAME)
    node.SetAttribute(_MARK, "1")
    node.SetUseColumnTitleAsColumnHeader(True)
    return node


def updateRows(tableNode: Any, volumeNode: Any, outcome: Outcome) -> None:
    """Writes a row for each class of what Apply made, the hemorrhage first; see :func:`updateRow`."""
    measured = [(outcome.segmentID, outcome.measurement)]
    measured += [(further.segmentID, further.measurement) for further in outcome.further]
    for segmentID, measurement in measured:
        updateRow(tableNode, volumeNode, outcome.segmentationNode, segmentID, measurement, result=outcome.result)


def updateRow(
    tableNode: Any,
    volumeNode: Any,
    segmentationNode: Any,
    segmentID: str,
    measurement: Measurement,
    *,
    result: Any = None,
) -> int:
    """Writes the row of a segment: the one that it has, or a new one.

    Args:
        tableNode: The table; columns that it lacks are added.
        volumeNode: The CT; together with the segmentation it is the case.
        segmentationNode: The segmentation.
        segmentID: The segment; a case has a row for each class.
        measurement: The numbers.
        result: The library's result; None keeps what the row tells of the method.

    Returns:
        The row's number, from 0.
    """
    _addMissingColumns(tableNode)
    table = tableNode.GetTable()
    row = _rowOf(tableNode, (volumeNode.GetID(), segmentationNode.GetID(), segmentID))
    values = _measuredValues(measurement)
    if row is None:
        row = tableNode.AddEmptyRow()
        values |= _resultValues(result)
    elif result is not None:
        values |= _resultValues(result)
    elif table.GetColumnByName("VolumeMl").GetValue(row) != measurement.mask.volume_ml:
        # Corrected by hand: the method said nothing of this mask's certainty.
        values |= _surenessValues(None)
    segment = segmentationNode.GetSegmentation().GetSegment(segmentID)
    values |= {
        "Volume": volumeNode.GetName(),
        "Segmentation": segmentationNode.GetName(),
        "Segment": "" if segment is None else segment.GetName(),
        "VolumeID": volumeNode.GetID(),
        "SegmentationID": segmentationNode.GetID(),
        "SegmentID": segmentID,
    }
    for name, value in values.items():
        table.GetColumnByName(name).SetValue(row, value)
    table.Modified()
    tableNode.Modified()
    return row


def _measuredValues(measurement: Measurement) -> dict[str, Any]:
    mask, overlap, agreement = measurement.mask, measurement.overlap, measurement.agreement
    share = None if mask.share_above_90_hu is None else 100 * mask.share_above_90_hu
    values = {
        "VolumeMl": mask.volume_ml,
        "Abc2Ml": mask.abc2_ml,
        "AMm": mask.a_mm,
        "BMm": mask.b_mm,
        "CMm": mask.c_mm,
        "MeanHu": mask.mean_hu,
        "MaxHu": mask.max_hu,
        "ShareAbove90Hu": share,
        "Dice": overlap and overlap.dice,
        "Sensitivity": agreement and agreement.sensitivity,
        "Specificity": agreement and agreement.specificity,
        "Auc": agreement and agreement.auc,
        "VolumeDifferenceMl": overlap and overlap.volume_difference_ml,
        "Hd95Mm": measurement.hd95Mm,
    }
    return {name: _number(value) for name, value in values.items()} | {"Components": int(mask.component_count or 0)}


def _resultValues(result: Any) -> dict[str, Any]:
    """What the method tells: its name, and the thresholds and SD of those that have them."""
    details = result.details.as_dict() if result is not None and result.details is not None else {}
    lower, upper = details.get("threshold_hu") or (None, None)
    numbers = {"LowerHu": lower, "UpperHu": upper, "SdHu": details.get("sd_hu")}
    method = {"Method": "" if result is None else result.method}
    return {name: _number(value) for name, value in numbers.items()} | method | _surenessValues(result)


def _surenessValues(result: Any) -> dict[str, Any]:
    """The volume's uncertainty and the confidence, which are those of the result's first class."""
    confidence = None if result is None else result.confidence
    return {
        "UncertaintyMl": _number(None if result is None else result.uncertainty_ml),
        "Confidence": _number(None if confidence is None else confidence.value),
        "ConfidenceReason": "" if confidence is None else confidence.reason,
    }


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def _addMissingColumns(tableNode: Any) -> None:
    table = tableNode.GetTable()
    for column in columns():
        if table.GetColumnByName(column.name) is not None:
            continue
        array = column.array()
        array.SetNumberOfValues(table.GetNumberOfRows())
        if column.kind == "number":
            # The rows of an older scene do not know it.
            array.Fill(float("nan"))
        tableNode.AddColumn(array)
        tableNode.SetColumnTitle(column.name, column.title)
        tableNode.SetColumnUnitLabel(column.name, column.unit)


def _rowOf(tableNode: Any, case: tuple[str, str, str]) -> int | None:
    """The row of volume, segmentation and segment; also one of an older scene, whose rows do not tell the segment."""
    arrays = [tableNode.GetTable().GetColumnByName(name) for name in ("VolumeID", "SegmentationID", "SegmentID")]
    for row in range(tableNode.GetNumberOfRows()):
        if tuple(array.GetValue(row) for array in arrays) in (case, (*case[:2], "")):
            return row
    return None
