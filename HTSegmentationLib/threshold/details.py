"""What a threshold method tells of a run: its thresholds, and why these."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from HTSegmentationLib.threshold.rules import Rule, sd_range


@dataclass(frozen=True)
class FixedThresholdDetails:
    """The window of the global threshold.

    Args:
        threshold_hu: Lower and upper bound in HU, both inclusive.
    """

    threshold_hu: tuple[float, float]

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"threshold_hu": list(self.threshold_hu)}

    def explain(self) -> list[str]:
        """One sentence for the user."""
        return [f"Threshold {_window(self.threshold_hu)}, the same for every scan."]


@dataclass(frozen=True)
class AdaptiveDetails:
    """How the adaptive method came to its window.

    Args:
        first_threshold_hu: Lower and upper bound of the first threshold in HU, both inclusive.
        first_mask_voxels: Voxels of the first mask.
        mean_hu: Mean HU of the first mask; None when it is empty.
        sd_hu: SD in HU of the first mask (sample SD; 0 for fewer than two voxels).
        sd_image: ``"original"`` or ``"enhanced"``: the image on which mean and SD were taken.
        rules: The table.
        rule_number: The row that fired, from 0.
        threshold_hu: Lower and upper bound of the second, final threshold in HU, both inclusive.
        manual: Whether the user set the second threshold by hand against the rule.
    """

    first_threshold_hu: tuple[float, float]
    first_mask_voxels: int
    mean_hu: float | None
    sd_hu: float
    sd_image: str
    rules: tuple[Rule, ...]
    rule_number: int
    threshold_hu: tuple[float, float]
    manual: bool

    @property
    def rule(self) -> Rule:
        """The row that fired."""
        return self.rules[self.rule_number]

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; the row that fired stands in words, the table is among the parameters."""
        values = {
            field.name: _plain(getattr(self, field.name)) for field in dataclasses.fields(self) if field.name != "rules"
        }
        return values | {"rule": sd_range(self.rules, self.rule_number), "classification": self.rule.classification}

    def explain(self) -> list[str]:
        """Three sentences for the user."""
        mean = "it is empty" if self.mean_hu is None else f"mean {self.mean_hu:.1f} HU, SD {self.sd_hu:.2f} HU"
        row = f"Rule {self.rule_number + 1} fired ({sd_range(self.rules, self.rule_number)}"
        row += f", {self.rule.classification})" if self.rule.classification else ")"
        chosen = _window(self.threshold_hu)
        return [
            f"First threshold {_window(self.first_threshold_hu)}: {self.first_mask_voxels} voxels, {mean}.",
            f"{row}: {_window((self.rule.lower_hu, self.rule.upper_hu))}.",
            f"Final threshold {chosen}, set by hand." if self.manual else f"Final threshold {chosen}.",
        ]


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _window(bounds: tuple[float, float]) -> str:
    return f"{bounds[0]:g} to {bounds[1]:g} HU"
