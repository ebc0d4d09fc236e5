"""Where a bleed may be, as ROI boxes of the scene: found in three steps, of which the long one can run beside the window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import slicer

from HTSegmentationModule.readiness import roiNodesOf
from HTSegmentationModule.roi_nodes import newRoiNode
from HTSegmentationModule.suggested_mark import isAsSuggested, markAsSuggested
from HTSegmentationModule.translation import tr as _
from HTSegmentationModule.world import RAS_TO_LPS, asVtk

if TYPE_CHECKING:
    from HTSegmentationLib.progress import Progress
    from HTSegmentationLib.segmenter import PreparedScan
    from HTSegmentationLib.suggest import Candidate, Suggestions

_ONE_DECIMAL_BELOW_ML = 10.0
"""Volumes of less than this are told with a decimal: the search only estimates them."""


@dataclass(frozen=True)
class SuggestedRois:
    """What came of a search.

    Args:
        nodes: The ROI of each proposed region, the most likely first.
        found: What the library found: proposed regions, those that it set aside, remarks.
    """

    nodes: tuple[Any, ...]
    found: Suggestions


@dataclass(frozen=True)
class GatheredSearch:
    """All that a search needs, taken from the nodes.

    Args:
        prepared: The prepared scan.
        run: Searches; knows no node and may run in a thread.
    """

    prepared: PreparedScan
    run: Callable[[Progress], Suggestions]


def suggestRois(logic: Any, parameterNode: Any, progress: Progress | None = None) -> SuggestedRois:
    """The whole search, see ``HTSegmentationLogic.suggestRois``."""
    from HTSegmentationLib.progress import part_of, silent
    from HTSegmentationModule.volume_conversion import requireVolume

    told = progress or silent
    requireVolume(parameterNode.inputVolume)
    logic.prepare(parameterNode.inputVolume, part_of(told, 0.0, 0.5), parameterNode.assumeHU)
    gathered = gatherSearch(logic, parameterNode)
    return finishSearch(logic, parameterNode, gathered, gathered.run(part_of(told, 0.5, 1.0)))


def gatherSearch(logic: Any, parameterNode: Any) -> GatheredSearch:
    """Takes from the nodes what a search needs; for the main thread.

    Raises:
        UsageError: The CT is not prepared.
    """
    from HTSegmentationLib.errors import UsageError
    from HTSegmentationLib.suggest import suggest_regions

    prepared = logic.prepared(parameterNode.inputVolume, parameterNode.assumeHU)
    if prepared is None:
        raise UsageError(_("the scan is not prepared yet; prepare it first"))
    return GatheredSearch(prepared, lambda progress: suggest_regions(prepared, progress=progress))


def finishSearch(logic: Any, parameterNode: Any, gathered: GatheredSearch, found: Suggestions) -> SuggestedRois:
    """Puts the proposed boxes into scene and list, in place of those of before that nobody moved; for the main thread.

    Raises:
        UsageError: The CT was changed, moved or replaced by another one meanwhile.
    """
    from HTSegmentationLib.errors import UsageError

    volumeNode = parameterNode.inputVolume
    if volumeNode is None or logic.prepared(volumeNode, parameterNode.assumeHU) is not gathered.prepared:
        raise UsageError(_("the CT was changed while it was searched; press Suggest ROI again"))
    slicer.mrmlScene.SaveStateForUndo()
    before = roiNodesOf(parameterNode)
    replaced = [node for node in before if isAsSuggested(node)]
    kept = [node for node in before if node not in replaced]
    for node in replaced:
        slicer.mrmlScene.RemoveNode(node)
    nodes = tuple(_node(candidate, number) for number, candidate in enumerate(found.proposed, start=1))
    parameterNode.roiNodes = [*kept, *nodes]
    return SuggestedRois(nodes, found)


def _node(candidate: Candidate, number: int) -> Any:
    """The ROI of a region, in the world and under no transform, with its reason as description."""
    sides = {"left": _("left"), "right": _("right"), "midline": _("midline")}
    name = _("Suggested {number} ({side}, {ml} mL)").format(
        number=number, side=sides[candidate.side], ml=estimate(candidate.size_ml)
    )
    node = newRoiNode("vtkMRMLMarkupsROINode", name)
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = candidate.box.directions().T, candidate.box.center
    if np.linalg.det(matrix) < 0:
        # A scan whose axes are mirrored; Slicer's boxes are not, and a box is its own mirror image.
        matrix[:3, 0] *= -1
    node.SetAndObserveObjectToNodeMatrix(asVtk(RAS_TO_LPS @ matrix))
    node.SetSize(*candidate.box.size)
    node.GetDisplayNode().SetFillOpacity(0.05)
    markAsSuggested(node, candidate.reason)
    return node


def estimate(ml: float) -> str:
    """A volume that is only estimated, in mL, without decimals that nobody knows."""
    return f"{ml:.1f}" if ml < _ONE_DECIMAL_BELOW_ML else f"{ml:.0f}"
