"""What the user drew as region of interest, as the library's ROI."""

from __future__ import annotations

from typing import Any

import numpy as np
import SimpleITK as sitk
import vtk

from HTSegmentationLib.errors import HTSegError, ROIError
from HTSegmentationLib.remark import Remark
from HTSegmentationLib.roi import BoxShape, CurveShape, Roi, Shape, roi_from_shapes
from HTSegmentationLib.roi.shapes import LEAST_CURVE_POINTS
from HTSegmentationModule.segmentation_conversion import latticeIndex, maskOnGrid, requireSegment, segmentMask
from HTSegmentationModule.suggested_mark import suggestedRemarks
from HTSegmentationModule.translation import tr as _
from HTSegmentationModule.world import RAS_TO_LPS, asArray


def hasRoi(parameterNode: Any) -> bool:
    """Whether the parameter node names any ROI."""
    return bool(_nodes(parameterNode)) or parameterNode.roiSegmentation is not None


def roiOnGrid(parameterNode: Any, grid: sitk.Image) -> Roi:
    """The union of all ROI markups and the ROI segment.

    Args:
        parameterNode: Names the nodes.
        grid: The scan's image; only its grid is used.

    Raises:
        ROIError: There is none, one is not usable, or none holds a voxel of the scan.
    """
    nodes = _nodes(parameterNode)
    rois = []
    if nodes:
        shapes, remarks = [], []
        for node in nodes:
            shape, told = shapeOfMarkups(node)
            shapes.append(shape)
            remarks += told
        remarks += suggestedRemarks(nodes)
        rois.append(roi_from_shapes(grid, shapes, sources=tuple(node.GetName() for node in nodes), remarks=remarks))
    if parameterNode.roiSegmentation is not None:
        rois.append(roiOfSegment(parameterNode.roiSegmentation, parameterNode.roiSegmentID, grid))
    if not rois:
        raise ROIError(_noRoi())
    if len(rois) == 1:
        return rois[0]
    first, second = rois
    union = first.on_grid(grid) | second.on_grid(grid)
    return Roi.from_mask(union, first.sources + second.sources, (*first.remarks, *second.remarks))


def requireShapes(parameterNode: Any) -> None:
    """Checks, without a scan, that there is an ROI and that each of its nodes can be used.

    Raises:
        ROIError: There is none, or one is not usable.
        UsageError: The ROI segment is not there.
    """
    if not hasRoi(parameterNode):
        raise ROIError(_noRoi())
    for node in _nodes(parameterNode):
        shapeOfMarkups(node)
    if parameterNode.roiSegmentation is not None:
        requireSegment(parameterNode.roiSegmentation, parameterNode.roiSegmentID)


def usableRoi(parameterNode: Any, grid: sitk.Image) -> Roi | None:
    """The ROI, or None where there is none to be used: for what can do without one."""
    try:
        return roiOnGrid(parameterNode, grid) if hasRoi(parameterNode) else None
    except HTSegError:
        return None


def shapeOfMarkups(node: Any) -> tuple[Shape, list[Remark]]:
    """A markups node as a shape of the world, LPS mm.

    Returns:
        The shape, and what must be told of it.

    Raises:
        ROIError: The node is no box or closed curve, or was not finished.
    """
    if node.IsA("vtkMRMLMarkupsROINode"):
        return _box(node), []
    if node.IsA("vtkMRMLMarkupsClosedCurveNode"):
        return _curve(node)
    found = node.GetMarkupType() if hasattr(node, "GetMarkupType") else node.GetClassName()
    text = _("{name} is a {found}; draw an ROI box or a closed curve instead")
    raise ROIError(text.format(name=node.GetName(), found=found))


def roiOfSegment(segmentationNode: Any, segmentID: str, grid: sitk.Image) -> Roi:
    """A segment as an ROI.

    Raises:
        ROIError: The segment is empty or lies outside the scan.
        UsageError: The segment is not there.
    """
    name = requireSegment(segmentationNode, segmentID)
    mask = segmentMask(segmentationNode, segmentID, grid)
    if mask is None:
        raise ROIError(_("{name} is empty; choose or draw another region of interest").format(name=name))
    remarks = []
    if latticeIndex(mask, grid) is None:
        text = _("The ROI's segment {name} has voxels of its own; it was resampled to the scan's with nearest neighbours.")
        remarks.append(Remark("roi-resampled", text.format(name=name)))
    onGrid = maskOnGrid(mask, grid)
    if not sitk.GetArrayViewFromImage(onGrid).any():
        raise ROIError(_("{name} lies outside the scan; choose a region of interest of this scan").format(name=name))
    return Roi.from_mask(onGrid, (name,), tuple(remarks))


def _noRoi() -> str:
    return _("there is no region of interest; draw a box or a closed curve around the bleed")


def _nodes(parameterNode: Any) -> list[Any]:
    """The ROI markups that are still in the scene."""
    return [node for node in parameterNode.roiNodes or () if node is not None and node.GetScene() is not None]


def _box(node: Any) -> BoxShape:
    name = node.GetName()
    if node.GetInsideOut():
        raise ROIError(
            _("{name} is inside out, so that it means everything but the box; untick Inside out").format(name=name)
        )
    if node.GetNumberOfDefinedControlPoints() < 1 or min(node.GetSize()) <= 0:
        raise ROIError(_("{name} has no size yet; place it around the bleed").format(name=name))
    # Slicer keeps these axes at right angles, whatever transform the ROI lies under, and draws the ROI with them.
    matrix = RAS_TO_LPS @ asArray(node.GetObjectToWorldMatrix())
    size = [0.0, 0.0, 0.0]
    node.GetSizeWorld(size)
    axes = matrix[:3, :3] / np.linalg.norm(matrix[:3, :3], axis=0)
    return BoxShape(
        center=tuple(matrix[:3, 3].tolist()),
        axes=tuple(tuple(axis) for axis in axes.T.tolist()),
        size=tuple(size),
    )


def _curve(node: Any) -> tuple[CurveShape, list[Remark]]:
    name, remarks = node.GetName(), []
    placed = node.GetNumberOfDefinedControlPoints()
    if placed < LEAST_CURVE_POINTS:
        text = _("{name} has {count} points; a closed curve needs at least {least}")
        raise ROIError(text.format(name=name, count=placed, least=LEAST_CURVE_POINTS))
    if placed < node.GetNumberOfControlPoints():
        text = _("{count} control points of {name} were never placed and were left out.")
        remarks.append(
            Remark("roi-points-not-placed", text.format(count=node.GetNumberOfControlPoints() - placed, name=name))
        )
    points: vtk.vtkPoints | None = node.GetCurvePointsWorld()
    if points is None or points.GetNumberOfPoints() < LEAST_CURVE_POINTS:
        raise ROIError(_("{name} has no outline yet; draw it around the bleed").format(name=name))
    outline = np.array([points.GetPoint(n) for n in range(points.GetNumberOfPoints())]) * np.diag(RAS_TO_LPS)[:3]
    try:
        return CurveShape(tuple(map(tuple, outline.tolist()))), remarks
    except ROIError as error:
        raise ROIError(f"{name}: {error}") from error
