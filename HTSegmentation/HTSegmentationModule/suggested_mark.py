"""How an ROI is known as proposed by the program, and as not yet moved by the user, also in a saved scene."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from HTSegmentationLib.remark import Remark, Severity
from HTSegmentationModule.translation import tr as _

_MARK = "HTSegmentation.Suggested"
"""The node's attribute: centre, size and axes of the box as it was proposed, world LPS in mm."""

_TOLERANCE = 0.01
"""Less than this, in mm, is what saving and loading changes; no hand moves a handle by so little."""


def markAsSuggested(node: Any, reason: str) -> None:
    """Marks an ROI box, as it is now, as proposed by the program for a reason."""
    # Slicer empties the node's description whenever a box is moved or loaded, and keeps its point's.
    node.SetDescription(reason)
    node.SetNthControlPointDescription(0, reason)
    node.SetAttribute(_MARK, " ".join(f"{value:.6f}" for value in _numbers(node)))


def reasonOf(node: Any) -> str:
    """Why an ROI was proposed; empty if it was not, or was moved since."""
    return node.GetNthControlPointDescription(0) if isAsSuggested(node) else ""


def isAsSuggested(node: Any) -> bool:
    """Whether a node was proposed by the program and is where and what it was then.

    Args:
        node: Any ROI markups node.
    """
    from HTSegmentationLib.errors import ROIError

    known = node.GetAttribute(_MARK)
    if not known or not node.IsA("vtkMRMLMarkupsROINode"):
        return False
    try:
        proposed, now = [float(word) for word in known.split()], _numbers(node)
    except (ROIError, ValueError):
        # What cannot be compared counts as the user's own, and is never deleted.
        return False
    return len(proposed) == len(now) and np.allclose(proposed, now, rtol=0, atol=_TOLERANCE)


def suggestedRemarks(nodes: Iterable[Any]) -> list[Remark]:
    """What a result must tell of the ROIs that nobody drew or moved; nothing if there is none."""
    untouched = [node for node in nodes if isAsSuggested(node)]
    if not untouched:
        return []
    text = _(
        "The program proposed the region of interest. Look whether it holds the bleed and nothing else; contrast staining "
        "after a thrombectomy looks the same. {places}."
    )
    places = "; ".join(f"{node.GetName()}: {reasonOf(node)}" for node in untouched)
    return [Remark("roi-automatic", text.format(places=places), Severity.CAUTION)]


def _numbers(node: Any) -> list[float]:
    from HTSegmentationModule.roi_conversion import shapeOfMarkups

    box, _remarks = shapeOfMarkups(node)
    return [*box.center, *box.size, *(value for axis in box.axes for value in axis)]
