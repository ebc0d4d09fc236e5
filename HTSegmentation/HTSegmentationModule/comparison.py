"""Two methods on the same scan and ROI: where they agree, where they differ, and by how much."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import slicer

from HTSegmentationLib.ct.geometry import voxels_to_ml
from HTSegmentationLib.errors import UsageError
from HTSegmentationLib.measure.overlap import measure_overlap
from HTSegmentationLib.methods import Method, method
from HTSegmentationLib.progress import Progress, part_of, silent
from HTSegmentationLib.remark import Remark
from HTSegmentationLib.segmenter import HEMORRHAGE, Label, SegmentationResult
from HTSegmentationModule.readiness import missing
from HTSegmentationModule.roi_conversion import hasRoi
from HTSegmentationModule.segmentation_output import outputSegmentation, writeSegment
from HTSegmentationModule.translation import tr as _
from HTSegmentationModule.volume_conversion import requireVolume

_MARK = "HTSegmentation.Comparison"
"""The attribute by which a volume's comparison is found again, whatever the user calls it."""

_COLORS = ((188, 65, 28), (60, 120, 200), (240, 180, 60), (130, 190, 240))
"""First method, second, only the first, only the second: red against blue, which the colour-blind can tell apart."""


@dataclass(frozen=True)
class Comparison:
    """What came of a comparison.

    Args:
        titles: Names of the two methods, as the segments have them.
        volumesMl: Volume of the hemorrhage that each found, mL.
        uncertaintiesMl: Uncertainty of each volume, mL; None for a method that cannot tell.
        dice: Dice coefficient of the two.
        disagreementMl: Volume that only one of them found, mL.
        segmentationNode: The segmentation with the four segments.
        remarks: Everything that must reach the user, each once.
    """

    titles: tuple[str, str]
    volumesMl: tuple[float, float]
    uncertaintiesMl: tuple[float | None, float | None]
    dice: float
    disagreementMl: float
    segmentationNode: Any
    remarks: tuple[Remark, ...]


@dataclass(frozen=True)
class GatheredComparison:
    """All that a comparison needs, taken from the nodes.

    Args:
        methods: The two methods.
        run: Segments with both; knows no node and may run in a thread.
    """

    methods: tuple[Method, Method]
    run: Callable[[Progress], tuple[SegmentationResult, SegmentationResult]]


def compareMethods(logic: Any, parameterNode: Any, other: str, progress: Progress | None = None) -> Comparison:
    """The whole comparison, see ``HTSegmentationLogic.compare``."""
    told = progress or silent
    problem = missingForComparison(parameterNode, other)
    if problem:
        raise UsageError(problem[:1].lower() + problem[1:].rstrip("."))
    requireVolume(parameterNode.inputVolume)
    logic.prepare(parameterNode.inputVolume, part_of(told, 0.0, 0.2), parameterNode.assumeHU)
    gathered = gatherComparison(logic, parameterNode, other)
    return finishComparison(parameterNode, gathered, gathered.run(part_of(told, 0.2, 1.0)))


def missingForComparison(parameterNode: Any, other: str) -> str:
    """The next step before two methods can be compared, as a sentence; empty if there is none."""
    if not other or other == parameterNode.method:
        return _("Choose a second method that is not the one above.")
    return missing(parameterNode) or missing(parameterNode, other)


def gatherComparison(
    logic: Any, parameterNode: Any, other: str, first: SegmentationResult | None = None
) -> GatheredComparison:
    """Takes from the nodes what a comparison needs; for the main thread.

    Args:
        logic: The module's logic.
        parameterNode: Names the nodes and the first method.
        other: Name of the second method.
        first: The first method's result if it is known and nothing was changed since; None makes it again.

    Raises:
        UsageError: The CT is not prepared.
        HTSegError: A parameter is out of its range, or the ROI is not usable.
    """
    methods = method(parameterNode.method), method(other)
    prepared = logic.prepared(parameterNode.inputVolume, parameterNode.assumeHU)
    if prepared is None:
        raise UsageError(_("the scan is not prepared yet; prepare it first"))
    # One ROI for both, or none for both: only then they answer the same question.
    needed = any(chosen.needs_roi for chosen in methods) or hasRoi(parameterNode)
    roi = logic.roi(parameterNode, parameterNode.inputVolume) if needed else None
    segmenters = [logic.segmenter(parameterNode, chosen.name) for chosen in methods]

    def run(progress: Progress) -> tuple[SegmentationResult, SegmentationResult]:
        known = first or segmenters[0].segment(prepared, roi, part_of(progress, 0.0, 0.5))
        return known, segmenters[1].segment(prepared, roi, part_of(progress, 0.0 if first else 0.5, 1.0))

    return GatheredComparison(methods, run)


def finishComparison(
    parameterNode: Any, gathered: GatheredComparison, results: tuple[SegmentationResult, SegmentationResult]
) -> Comparison:
    """Writes the four segments into the volume's comparison, which is made when there is none; for the main thread.

    Compared are the first classes, which are the hemorrhage that each method measures.

    Raises:
        HTSegError: The CT is gone, or the segmentation cannot take the result.
    """
    volumeNode = parameterNode.inputVolume
    masks = [result.mask == result.labels[0].value for result in results]
    overlap = measure_overlap(*masks)
    titles = _titles(gathered.methods)
    node = _node(volumeNode, results[0])
    only = _("Only {title}")
    parts = (*masks, masks[0] > masks[1], masks[1] > masks[0])
    names = (*titles, *(only.format(title=title) for title in titles))
    for mask, name, color in zip(parts, names, _COLORS, strict=True):
        writeSegment(node, volumeNode, mask, Label(1, name, HEMORRHAGE.code, HEMORRHAGE.meaning, color))
    apart = overlap.mask_only_voxels + overlap.reference_only_voxels
    return Comparison(
        titles=titles,
        volumesMl=(overlap.mask_volume_ml, overlap.reference_volume_ml),
        uncertaintiesMl=(results[0].uncertainty_ml, results[1].uncertainty_ml),
        dice=overlap.dice,
        disagreementMl=voxels_to_ml(apart, masks[0]),
        segmentationNode=node,
        remarks=tuple(dict.fromkeys(remark for result in results for remark in result.remarks)),
    )


def _titles(methods: tuple[Method, Method]) -> tuple[str, str]:
    first, second = (_(chosen.title) for chosen in methods)
    if first != second:
        return first, second
    return tuple(f"{_(chosen.title)} ({chosen.name})" for chosen in methods)


def _node(volumeNode: Any, result: SegmentationResult) -> Any:
    """The volume's comparison, empty, where results of the volume belong."""
    if volumeNode is None or volumeNode.GetScene() is None:
        raise UsageError(_("the CT was removed from the scene while it was segmented; load it again"))
    scene = volumeNode.GetScene()
    nodes = scene.GetNodesByClass("vtkMRMLSegmentationNode")
    nodes.UnRegister(None)
    found = [nodes.GetItemAsObject(number) for number in range(nodes.GetNumberOfItems())]
    role = slicer.vtkMRMLSegmentationNode.GetReferenceImageGeometryReferenceRole()
    own = (node for node in found if node.GetAttribute(_MARK) and node.GetNodeReference(role) is volumeNode)
    node = next(own, None)
    if node is None:
        name = _("{name} comparison").format(name=volumeNode.GetName())
        node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", scene.GenerateUniqueName(name))
        node.SetAttribute(_MARK, "1")
    node.GetSegmentation().RemoveAllSegments()
    return outputSegmentation(volumeNode, result, node)
