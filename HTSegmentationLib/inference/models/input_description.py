"""What a network reads: channels, grid, HU window and normalisation."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from HTSegmentationLib.errors import ParameterError
from HTSegmentationLib.inference.models.fields import Fields

CHANNELS = ("ct", "symmetric")
"""The scan, and its mirror image registered to it."""

_NORMALIZATIONS = {"scale": ("low", "high"), "z-score": ("over",), "none": ()}
"""The ways to normalise, and the keys that each needs."""

_ORIENTATION = "(?=.*[LR])(?=.*[AP])(?=.*[SI])[LRAPSI]{3}"
"""Three letters, one of each axis, toward which x, y and z rise."""

_LARGEST_SIDE = 2048
"""Voxels along an axis; more fits into no memory."""

_HU_RANGE = (-32768.0, 32767.0)
"""Everything that a CT can hold."""

_LARGEST_VALUE = 1e6
"""Network inputs beyond this are a mistake."""


@dataclass(frozen=True)
class Normalization:
    """How clipped HU become what the network reads.

    Args:
        kind: ``"scale"`` (the window's ends become ``low`` and ``high``), ``"z-score"`` or ``"none"`` (HU as they are).
        low: What the window's lower end becomes; None unless scaled.
        high: What its upper end becomes; None unless scaled.
        over: Whose mean and SD a z-score takes: ``"brain"``, ``"image"`` or ``"patch"``; None otherwise.
    """

    kind: str
    low: float | None = None
    high: float | None = None
    over: str | None = None

    @classmethod
    def from_json(cls, values: Any, place: str) -> Normalization:
        """Reads it, and names the key that is wrong."""
        fields = Fields(values, place, ("kind", "low", "high", "over"))
        kind = fields.choice("kind", tuple(_NORMALIZATIONS))
        for key in ("low", "high", "over"):
            if fields.has(key) and key not in _NORMALIZATIONS[kind]:
                raise fields.refuse(key, f"nothing, since {place}.kind is {kind!r}")
        if kind == "z-score":
            return cls(kind, over=fields.choice("over", ("brain", "image", "patch")))
        if kind == "none":
            return cls(kind)
        low = fields.number("low", low=-_LARGEST_VALUE, high=_LARGEST_VALUE)
        high = fields.number("high", low=-_LARGEST_VALUE, high=_LARGEST_VALUE)
        if not low < high:
            raise fields.refuse("high", f"a number above {place}.low, {low:g}")
        return cls(kind, low, high)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"kind": self.kind} | {key: getattr(self, key) for key in _NORMALIZATIONS[self.kind]}


@dataclass(frozen=True)
class InputDescription:
    """What a network reads.

    Args:
        channels: ``"ct"``, or ``"ct"`` and ``"symmetric"``, in the order in which the network takes them.
        orientation: Toward which of the patient's sides x, y and z rise, as ``"LPS"``.
        spacing_mm: Voxel distances (x, y, z) in mm on the oriented axes; None keeps the scan's own.
        size: Voxels (x, y, z) into which the whole scan is resized; None when it is not.
        window_hu: HU are clipped to this range.
        normalization: What is done after clipping.
        brain_only: Whether voxels outside the brain get ``outside_value``.
        outside_value: That value, in the units after normalisation; voxels beyond the scan have it in any case.
    """

    channels: tuple[str, ...]
    orientation: str
    spacing_mm: tuple[float | None, ...]
    size: tuple[int, ...] | None
    window_hu: tuple[float, float]
    normalization: Normalization
    brain_only: bool = False
    outside_value: float = 0.0

    @classmethod
    def from_json(cls, values: Any, place: str) -> InputDescription:
        """Reads it, and names the key that is wrong."""
        fields = Fields(values, place, tuple(cls.__dataclass_fields__))
        channels = fields.words("channels", CHANNELS)
        if "ct" not in channels:
            raise fields.refuse("channels", "a list with 'ct' in it")
        low, high = fields.numbers("window_hu", 2, low=_HU_RANGE[0], high=_HU_RANGE[1])
        if not low < high:
            raise fields.refuse("window_hu", "two HU, the smaller first")
        size = fields.wholes("size", 3, low=1, high=_LARGEST_SIDE) if fields.has("size") else None
        spacing = fields.numbers("spacing_mm", 3, low=0.1, high=20, gaps=True)
        if size is not None and any(spacing):
            raise ParameterError(f"{place}.spacing_mm and {place}.size are both given; allowed is one, the other one null")
        return cls(
            channels=channels,
            orientation=fields.matching("orientation", _ORIENTATION, "three letters, one of L R, A P and S I, as 'LPS'"),
            spacing_mm=spacing,
            size=size,
            window_hu=(low, high),
            normalization=fields.part("normalization", Normalization.from_json),
            brain_only=fields.flag("brain_only"),
            outside_value=fields.number("outside_value", low=-_LARGEST_VALUE, high=_LARGEST_VALUE)
            if fields.has("outside_value")
            else 0.0,
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        values = asdict(self) | {"normalization": self.normalization.as_dict()}
        return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}
