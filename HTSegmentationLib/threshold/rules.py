"""The rule table: which second threshold follows from the SD of the first mask."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

from HTSegmentationLib.errors import ParameterError

LOWEST_HU, HIGHEST_HU = -100.0, 300.0
"""Thresholds outside this range have no meaning for blood on CT; a larger number is a slip of the hand."""


@dataclass(frozen=True)
class Rule:
    """One row of the table.

    Args:
        sd_up_to: The row fires for SD up to and including this, in HU; infinity in the last row.
        lower_hu: Second threshold, lower bound, inclusive.
        upper_hu: Second threshold, upper bound, inclusive.
        classification: The paper's words for such cases.
    """

    sd_up_to: float
    lower_hu: float
    upper_hu: float
    classification: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain values; the last row's infinity becomes None, which JSON can hold."""
        border = None if math.isinf(self.sd_up_to) else self.sd_up_to
        return {
            "sd_up_to": border,
            "lower_hu": self.lower_hu,
            "upper_hu": self.upper_hu,
            "classification": self.classification,
        }


PUBLISHED_RULES = (
    Rule(0.0, 35.0, 65.0, "under-segmented"),
    Rule(2.3, 40.0, 70.0, "under-segmented"),
    Rule(6.0, 45.0, 75.0, "under-segmented"),
    Rule(11.0, 50.0, 80.0, "well-segmented"),
    Rule(math.inf, 55.0, 85.0, "over-segmented"),
)
"""Table 1 of the adaptive-threshold paper."""


def rule_number(rules: tuple[Rule, ...], sd_hu: float) -> int:
    """Which row fires, counted from 0.

    Example:
        >>> rule_number(PUBLISHED_RULES, 6.0), rule_number(PUBLISHED_RULES, 6.01)
        (2, 3)
    """
    return next(number for number, rule in enumerate(rules) if sd_hu <= rule.sd_up_to)


def sd_range(rules: tuple[Rule, ...], number: int) -> str:
    """The SDs for which a row fires, in words: ``"2.3 < SD <= 6"``."""
    upper = rules[number].sd_up_to
    if number == 0:
        return "SD = 0" if upper == 0 else f"SD <= {upper:g}"
    lower = rules[number - 1].sd_up_to
    return f"SD > {lower:g}" if math.isinf(upper) else f"{lower:g} < SD <= {upper:g}"


def require_valid_rules(rules: tuple[Rule, ...]) -> None:
    """Checks that exactly one row fires for every SD, and that each window holds something.

    Raises:
        ParameterError: A border is out of order, the last row has a border, or a window is empty or out of range.
    """
    if not rules:
        raise ParameterError("rules: the table is empty; give at least one row without sd_up_to")
    borders = [rule.sd_up_to for rule in rules]
    if any(math.isnan(border) or border < 0 for border in borders):
        raise ParameterError(f"rules: sd_up_to must be 0 HU or more, found {borders}")
    if any(later <= earlier for earlier, later in itertools.pairwise(borders)):
        raise ParameterError(f"rules: sd_up_to must rise from row to row, found {borders}")
    if not math.isinf(borders[-1]):
        raise ParameterError(f"rules: the last row must have no sd_up_to, so that it fires above {borders[-1]:g} HU")
    for number, rule in enumerate(rules, start=1):
        require_window(f"rules, row {number}", rule.lower_hu, rule.upper_hu)


def require_window(name: str, lower_hu: float, upper_hu: float) -> None:
    """Checks a pair of thresholds in HU.

    Raises:
        ParameterError: A bound is out of range, or the lower is not below the upper.
    """
    for bound in (lower_hu, upper_hu):
        if not LOWEST_HU <= bound <= HIGHEST_HU:
            raise ParameterError(f"{name}: {bound:g} HU is outside {LOWEST_HU:g} to {HIGHEST_HU:g} HU")
    if lower_hu >= upper_hu:
        raise ParameterError(f"{name}: the lower bound ({lower_hu:g} HU) must be below the upper bound ({upper_hu:g} HU)")
