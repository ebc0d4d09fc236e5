"""The numbers of the Segment Statistics plugin: what a hemorrhage measures, and how it agrees with a reference.

Apart from the plugin's class, so that they can be computed and tested without the Segment Statistics module.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

VOLUME, ABC2, A, B, C = "volume_ml", "abc2_ml", "a_mm", "b_mm", "c_mm"
DICE, VOLUME_DIFFERENCE, HD95 = "dice", "volume_difference_ml", "hd95_mm"

KEYS = (VOLUME, ABC2, A, B, C, DICE, VOLUME_DIFFERENCE, HD95)
"""All measurements, in the order of the table's columns."""

DEFAULT_KEYS = (VOLUME, ABC2, DICE, VOLUME_DIFFERENCE, HD95)
"""Those that are measured unless the user chooses others; the last three need a reference."""

_COMPARED = {DICE, VOLUME_DIFFERENCE, HD95}
_CODE = ("SCT", "50960005")
_UNSPECIFIC = ("SCT", "85756007")
"""Tissue, the term that Slicer gives to every new segment: it says nothing yet."""

_NAME = "hemorrhage"
_TYPE_PART = 2
"""A term is written as context, category, type, ..., parted by ~; each of them as scheme, value, meaning, parted by ^."""


def isHemorrhage(segment: Any) -> bool:
    """Whether a segment is a hemorrhage by its term (SCT 50960005); by its name if it has none but Slicer's default."""
    parts = (segment.GetTerminology() or "").split("~")
    scheme, value, *_meaning = [*(parts[_TYPE_PART] if len(parts) > _TYPE_PART else "").split("^"), ""]
    if value and (scheme, value) != _UNSPECIFIC:
        return (scheme, value) == _CODE
    return (segment.GetName() or "").strip().lower() == _NAME


def statisticsOf(
    segmentationNode: Any, segmentID: str, requested: Iterable[str], reference: tuple[Any, str] | None = None
) -> dict[str, float]:
    """The requested measurements of one segment, in world space.

    Args:
        segmentationNode: The segmentation, under transforms of any kind.
        segmentID: The segment.
        requested: Keys of :data:`KEYS`.
        reference: Segmentation and segment ID to compare with; None for no comparison.

    Returns:
        Plain floats by key. Empty for a segment that is no hemorrhage; keys that do not apply are left out. Never raises:
        an error would cost the user the whole table, so it goes to the log.
    """
    wanted = set(requested)
    try:
        segment = segmentationNode.GetSegmentation().GetSegment(segmentID)
        if not wanted or segment is None or not isHemorrhage(segment):
            return {}
        return _measured(segmentationNode, segmentID, wanted, reference)
    except Exception:  # whatever it is, the other plugins' measurements must reach the table
        logging.exception("HTSegmentation: the segment %s could not be measured", segmentID)
        return {}


def _measured(
    segmentationNode: Any, segmentID: str, wanted: set[str], reference: tuple[Any, str] | None
) -> dict[str, float]:
    from HTSegmentationModule.measuring import measureSegment

    compared = None if reference is None or not wanted & _COMPARED else _usable(reference)
    found = measureSegment(segmentationNode, segmentID, None, compared)
    mask, overlap = found.mask, found.overlap
    values = {VOLUME: mask.volume_ml, ABC2: mask.abc2_ml, A: mask.a_mm, B: mask.b_mm, C: mask.c_mm}
    if overlap is not None:
        values |= {DICE: overlap.dice, VOLUME_DIFFERENCE: overlap.volume_difference_ml, HD95: found.hd95Mm}
    # VTK's arrays take Python's own floats only.
    return {key: float(value) for key, value in values.items() if key in wanted and value is not None}


def _usable(reference: tuple[Any, str]) -> tuple[Any, str] | None:
    """The reference if it is in the scene; a table without it is better than none."""
    node, segmentID = reference
    if node is None or node.GetScene() is None or node.GetSegmentation().GetSegment(segmentID or "") is None:
        return None
    return reference
