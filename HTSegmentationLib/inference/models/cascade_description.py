"""What a second stage sees of the first one's answer."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from HTSegmentationLib.inference.models.fields import Fields

_MOST_WEIGHTS = 99
"""Places in the list of weights."""

_MOST_ENLARGEMENT = 5.0
"""A bleed's box that grows by more than five times its length at each end is the whole brain."""

_MOST_MAGNIFICATION = 100.0
"""Voxels of the patch for one voxel of the scan."""


@dataclass(frozen=True)
class CascadeDescription:
    """A second stage, which sees the coarse bleed of the first one enlarged, cropped and resized to the patch.

    Args:
        stage2: The place in ``weights``, from 0, at which the second stage's files begin; those before it are the first's.
        enlargement: Share of the bleed's length that is added at each of its ends; None for the usual share.
        most_magnification: How many voxels of the patch one voxel of the scan becomes at most; None for the usual number.
    """

    stage2: int
    enlargement: float | None = None
    most_magnification: float | None = None

    @classmethod
    def from_json(cls, values: Any, place: str) -> CascadeDescription:
        """Reads it, and names the key that is wrong."""
        fields = Fields(values, place, tuple(cls.__dataclass_fields__))
        enlargement = magnification = None
        if fields.has("enlargement"):
            enlargement = fields.number("enlargement", low=0, high=_MOST_ENLARGEMENT)
        if fields.has("most_magnification"):
            magnification = fields.number("most_magnification", low=1, high=_MOST_MAGNIFICATION)
        return cls(fields.whole("stage2", low=1, high=_MOST_WEIGHTS), enlargement, magnification)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; what is left to the usual numbers is left out."""
        return {key: value for key, value in asdict(self).items() if value is not None}
