"""All parameters of the two published threshold methods, with the paper's values as defaults."""

from __future__ import annotations

import dataclasses
import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from HTSegmentationLib.errors import ParameterError
from HTSegmentationLib.threshold.rules import PUBLISHED_RULES, Rule, require_valid_rules, require_window


class SdImage(enum.Enum):
    """On which image the mean and SD of the first mask are taken."""

    ORIGINAL = "original"
    """The scan's own HU. With values confined to 50-80 HU the SD could never pass 11, as the paper saw it do."""

    ENHANCED = "enhanced"
    """The smoothed and sharpened image, on which the thresholds work."""


class ParameterTable:
    """What the parameters of all threshold methods share: they are a table of plain values in files and records."""

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON and TOML."""
        return {field.name: _plain(getattr(self, field.name)) for field in dataclasses.fields(self)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]):
        """The parameters of a table as ``as_dict`` gives it; what it does not name keeps its default.

        Raises:
            ParameterError: A name is unknown, or a value has the wrong type or is out of its range.
        """
        fields = {field.name: field for field in dataclasses.fields(cls)}
        unknown = sorted(set(values) - set(fields))
        if unknown:
            raise ParameterError(f"unknown parameter {', '.join(unknown)}; known are {', '.join(fields)}")
        return cls(**{name: _typed(name, value, fields[name].default) for name, value in values.items()})


@dataclass(frozen=True)
class EnhancementParameters(ParameterTable):
    """Noise reduction and edge enhancement, the same for both methods.

    Args:
        smoothing_in_plane_mm: Sigma of the Gaussian within slices, 0 to 5 mm; 0 is none (paper: 1).
        smoothing_through_plane_mm: Sigma of the Gaussian across slices, 0 to 5 mm; 0 is none (paper: 1).
        sharpening_mm: Sigma of the unsharp mask, above 0 to 5 mm (paper: 1).
        sharpening_amount: Weight of the unsharp mask, 0 to 5; 0 is none. The paper gives none; SimpleITK's own is 0.5.
        closing_diameter_voxels: Diameter in voxels of the disc that closes holes within slices, 0 to 20; 0 is none
            (paper: kernel size 4).

    Raises:
        ParameterError: A value is out of its range.
    """

    smoothing_in_plane_mm: float = 1.0
    smoothing_through_plane_mm: float = 1.0
    sharpening_mm: float = 1.0
    sharpening_amount: float = 0.5
    closing_diameter_voxels: int = 4

    def __post_init__(self) -> None:
        require("smoothing_in_plane_mm", self.smoothing_in_plane_mm, 0, 5, "mm")
        require("smoothing_through_plane_mm", self.smoothing_through_plane_mm, 0, 5, "mm")
        require("sharpening_mm", self.sharpening_mm, 0.1, 5, "mm")
        require("sharpening_amount", self.sharpening_amount, 0, 5, "(no unit)")
        require("closing_diameter_voxels", self.closing_diameter_voxels, 0, 20, "voxels")
        if self.closing_diameter_voxels != int(self.closing_diameter_voxels):
            raise ParameterError(f"closing_diameter_voxels: {self.closing_diameter_voxels} must be a whole number of voxels")


@dataclass(frozen=True)
class AdaptiveParameters(EnhancementParameters):
    """The adaptive-threshold method.

    Args:
        first_lower_hu: First threshold, lower bound, inclusive, HU (paper: 50).
        first_upper_hu: First threshold, upper bound, inclusive, HU (paper: 80).
        sd_image: The image on which mean and SD of the first mask are taken.
        rules: The rule table (paper: Table 1).
        manual_lower_hu: Lower bound that overrides the rule's, HU; None follows the rule.
        manual_upper_hu: Upper bound that overrides the rule's, HU; None follows the rule.

    Example:
        >>> AdaptiveParameters(first_lower_hu=45).first_upper_hu
        80.0
    """

    first_lower_hu: float = 50.0
    first_upper_hu: float = 80.0
    sd_image: SdImage = SdImage.ORIGINAL
    rules: tuple[Rule, ...] = PUBLISHED_RULES
    manual_lower_hu: float | None = None
    manual_upper_hu: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        require_window("first threshold", self.first_lower_hu, self.first_upper_hu)
        require_valid_rules(self.rules)
        if (self.manual_lower_hu is None) != (self.manual_upper_hu is None):
            raise ParameterError("manual_lower_hu and manual_upper_hu: give both in HU, or none to follow the rule")
        if self.manual_lower_hu is not None and self.manual_upper_hu is not None:
            require_window("manual threshold", self.manual_lower_hu, self.manual_upper_hu)


@dataclass(frozen=True)
class GlobalParameters(EnhancementParameters):
    """One fixed threshold for every scan, the baseline of the paper's Table 3.

    Args:
        lower_hu: Lower bound, inclusive, HU (paper: 50).
        upper_hu: Upper bound, inclusive, HU (paper: 80).
    """

    lower_hu: float = 50.0
    upper_hu: float = 80.0

    def __post_init__(self) -> None:
        super().__post_init__()
        require_window("threshold", self.lower_hu, self.upper_hu)


def require(name: str, value: float, lowest: float, highest: float, unit: str) -> None:
    """Checks that a parameter is a number in its range.

    Raises:
        ParameterError: It is not.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not lowest <= value <= highest:
        raise ParameterError(f"{name}: {value} must be from {lowest:g} to {highest:g} {unit}")


def _plain(value: Any) -> Any:
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, tuple):
        return [rule.as_dict() for rule in value]
    return value


def _typed(name: str, value: Any, default: Any) -> Any:
    """A value read from a file in the type of the field's default."""
    if isinstance(default, SdImage):
        try:
            return SdImage(value)
        except ValueError:
            raise ParameterError(f"{name}: {value!r} must be one of {', '.join(s.value for s in SdImage)}") from None
    if isinstance(default, tuple):
        return _rules(value)
    if value is None and default is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ParameterError(f"{name}: {value!r} must be a number")
    return value if isinstance(default, int) else float(value)


def _rules(value: Any) -> tuple[Rule, ...]:
    """The rule table of a file; a row without ``sd_up_to`` is the last one."""
    if not isinstance(value, list) or not all(isinstance(row, Mapping) for row in value):
        raise ParameterError("rules: must be a list of rows with sd_up_to, lower_hu and upper_hu")
    rules = []
    for number, row in enumerate(value, start=1):
        unknown = sorted(set(row) - {"sd_up_to", "lower_hu", "upper_hu", "classification"})
        missing = sorted({"lower_hu", "upper_hu"} - set(row))
        if unknown or missing:
            fault = f"unknown {', '.join(unknown)}" if unknown else f"missing {', '.join(missing)}"
            raise ParameterError(f"rules, row {number}: {fault}; a row has sd_up_to, lower_hu, upper_hu, classification")
        border = row.get("sd_up_to")
        numbers = [math.inf if border is None else border, row["lower_hu"], row["upper_hu"]]
        if any(isinstance(item, bool) or not isinstance(item, (int, float)) for item in numbers):
            raise ParameterError(
                f"rules, row {number}: sd_up_to, lower_hu and upper_hu must be numbers in HU, found {numbers}"
            )
        rules.append(Rule(*(float(item) for item in numbers), classification=str(row.get("classification", ""))))
    return tuple(rules)
