"""How a network is run over a scan."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from HTSegmentationLib.inference.models.cascade_description import CascadeDescription
from HTSegmentationLib.inference.models.fields import Fields

_LARGEST_SIDE = 2048
"""Voxels along an axis; more fits into no memory."""

_LARGEST_OVERLAP = 0.95
"""Windows that overlap by more than this take twenty times as long along each axis."""


@dataclass(frozen=True)
class InferenceDescription:
    """How a network is run over a scan.

    Args:
        patch: Voxels (x, y, z) that the network sees at once; None when it decides itself.
        overlap: Share of a patch that the next one covers again, 0 to 0.95.
        blending: How overlapping patches are averaged: ``"gaussian"`` (the middle counts more) or ``"uniform"``.
        mirroring: Whether mirrored patches are averaged in.
        activation: ``"softmax"`` (one class a voxel) or ``"sigmoid"`` (classes of their own).
        probability_threshold: Above which probability a voxel is of a class; None for the most probable class.
        needs_roi: Whether it works only inside an ROI.
        cascade: A second stage; None without one.
    """

    patch: tuple[int, ...] | None = None
    overlap: float = 0.5
    blending: str = "gaussian"
    mirroring: bool = False
    activation: str = "softmax"
    probability_threshold: float | None = None
    needs_roi: bool = False
    cascade: CascadeDescription | None = None

    @classmethod
    def from_json(cls, values: Any, place: str) -> InferenceDescription:
        """Reads it, and names the key that is wrong."""
        fields = Fields(values, place, tuple(cls.__dataclass_fields__))
        patch = fields.wholes("patch", 3, low=1, high=_LARGEST_SIDE) if fields.has("patch") else None
        threshold = None
        if fields.has("probability_threshold"):
            threshold = fields.number("probability_threshold", low=0.01, high=0.99)
        return cls(
            patch=patch,
            overlap=fields.number("overlap", low=0, high=_LARGEST_OVERLAP),
            blending=fields.choice("blending", ("gaussian", "uniform")),
            mirroring=fields.flag("mirroring"),
            activation=fields.choice("activation", ("softmax", "sigmoid")),
            probability_threshold=threshold,
            needs_roi=fields.flag("needs_roi"),
            cascade=fields.part("cascade", CascadeDescription.from_json) if fields.has("cascade") else None,
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        values = asdict(self) | {"patch": None if self.patch is None else list(self.patch)}
        if self.cascade is None:
            del values["cascade"]
            return values
        return values | {"cascade": self.cascade.as_dict()}
