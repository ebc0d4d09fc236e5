"""What ``model.json`` and a training's settings say of one class of a mask."""

from __future__ import annotations

from typing import Any

from HTSegmentationLib.inference.models.fields import Fields
from HTSegmentationLib.segmenter import Label

MOST_LABELS = 255
"""A mask has 8 bits."""


def label_from_json(values: Any, place: str) -> Label:
    """Reads a class from plain values.

    Args:
        values: An object with the keys of :class:`Label`.
        place: Where it stands, for messages.

    Raises:
        ParameterError: A key is missing, is not known, or has a value that is not allowed. The value 0, which is always the
            background, is left to the caller, who knows the other classes.
    """
    fields = Fields(values, place, tuple(Label.__dataclass_fields__))
    return Label(
        value=fields.whole("value", low=0, high=MOST_LABELS),
        name=fields.matching("name", r"[^\x00-\x1f|~^]{1,64}", "1 to 64 characters without | ~ ^"),
        code=fields.matching("code", r"\d{6,18}", "a SNOMED CT code of 6 to 18 digits"),
        meaning=fields.matching("meaning", r"[^\x00-\x1f|~^]{1,64}", "1 to 64 characters without | ~ ^"),
        color=fields.wholes("color", 3, low=0, high=255),
    )
