"""A case's files as nodes of the scene."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import slicer

from HTSegmentationLib.ct.read import read_ct
from HTSegmentationLib.errors import InputError
from HTSegmentationLib.roi import read_mask, read_roi
from HTSegmentationLib.roi.mask_files import is_mask_name
from HTSegmentationLib.segmenter import HEMORRHAGE
from HTSegmentationModule.nodes_from_images import (
    REFERENCE_COLOR,
    ROI_COLOR,
    segmentationOfVolume,
    segmentFromMask,
    showAsBrain,
    volumeFromImage,
)
from HTSegmentationModule.readiness import needsRoi
from HTSegmentationModule.world import RAS_TO_LPS

if TYPE_CHECKING:
    import SimpleITK as sitk

    from HTSegmentationLib.remark import Remark
    from HTSegmentationModule.batch.arguments import Batch
    from HTSegmentationModule.batch.cases import Case

ROI_SEGMENT, REFERENCE_SEGMENT = "ROI", "Reference"
"""Names of the segments that masks become."""


class Reader(Protocol):
    """Makes nodes of files; :class:`HTSegmentationModule.batch.files.SlicerFiles` in Slicer."""

    def volume(self, path: str, name: str) -> Any:
        """A volume file as a volume node."""

    def markups(self, path: str) -> list[Any]:
        """All markups nodes of a file."""


def loadVolume(case: Case, batch: Batch, files: Reader, logic: Any) -> Any:
    """The case's CT as a volume node.

    Volume files are read by Slicer. DICOM, for which Slicer would need its database, and scans whose values are shifted are
    read by the library; what it did to them stays known to the logic.

    Raises:
        HTSegError: The file cannot be read, or is no CT.
    """
    if not case.image:
        raise InputError(case.name, "it has no image", "fill in the column image")
    if not Path(case.image).exists():
        raise InputError(case.image, "there is no such file or folder", "check its name")
    if is_mask_name(case.image) and case.series is None and batch.offsetHU == 0:
        node = files.volume(case.image, case.name)
        showAsBrain(node)
        return node
    scan = read_ct(case.image, series=case.series, assume_hu=batch.assumeHU, hu_offset=batch.offsetHU)
    node = volumeFromImage(scan.image, case.name)
    logic.storePrepared(node, logic.prepareScan(scan))
    return node


def loadRois(case: Case, grid: sitk.Image, volumeNode: Any, files: Reader, parameterNode: Any) -> tuple[Remark, ...]:
    """The case's ROIs as nodes, named by the parameter node.

    Markups become markups nodes. Masks, of which every label counts, and whatever is cut to a range of slices, become one
    segment.

    Args:
        case: Names the files.
        grid: The scan's image; only its grid is used.
        volumeNode: The CT.
        files: Reads them.
        parameterNode: Is told of the nodes.

    Returns:
        What must be told of the masks.

    Raises:
        HTSegError: A file cannot be read, or holds no ROI of this scan.
    """
    if not case.rois and case.box is None:
        if not needsRoi(parameterNode):
            return ()
        raise InputError(case.name, "it has no ROI", "fill in the column roi")
    drawn = [path for path in case.rois if _isMarkups(path) and case.slices is None]
    painted = [path for path in case.rois if path not in drawn]
    nodes = [node for path in drawn for node in files.markups(path)]
    if case.box is not None:
        nodes.append(_boxNode(case.box))
    parameterNode.roiNodes = nodes
    if not painted:
        return ()
    roi = read_roi(painted, grid, slice_range=case.slices)
    node = segmentationOfVolume(volumeNode, f"{case.name} ROI")
    parameterNode.roiSegmentID = segmentFromMask(node, roi.on_grid(grid), ROI_SEGMENT, ROI_COLOR)
    node.GetDisplayNode().SetVisibility2DFill(False)
    parameterNode.roiSegmentation = node
    return roi.remarks


def loadReference(case: Case, volumeNode: Any, parameterNode: Any) -> tuple[Remark, ...]:
    """The case's reference as a segment, named by the parameter node; all labels of the file count.

    Returns:
        What must be told of it.

    Raises:
        InputError: The file cannot be read, or is no mask.
    """
    if not case.reference:
        return ()
    mask, remarks = read_mask(case.reference)
    node = segmentationOfVolume(volumeNode, f"{case.name} reference")
    parameterNode.referenceSegmentID = segmentFromMask(node, mask, REFERENCE_SEGMENT, REFERENCE_COLOR, HEMORRHAGE)
    node.GetDisplayNode().SetVisibility2DFill(False)
    parameterNode.referenceSegmentation = node
    return remarks


def _isMarkups(path: str) -> bool:
    return path.lower().endswith(".json")


def _boxNode(box: tuple[float, ...]) -> Any:
    """A box in LPS mm (x0, x1, y0, y1, z0, z1) as an ROI node."""
    ends = list(zip(box[0::2], box[1::2], strict=True))
    center = [(low + high) / 2 for low, high in ends]
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsROINode", ROI_SEGMENT)
    node.SetSize(*(abs(high - low) for low, high in ends))
    node.SetCenter(*(RAS_TO_LPS @ [*center, 1.0])[:3].tolist())
    return node
