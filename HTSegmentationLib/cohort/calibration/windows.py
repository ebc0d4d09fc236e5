"""The windows among which a calibration chooses."""

from __future__ import annotations

import numpy as np

from HTSegmentationLib.threshold.rules import PUBLISHED_RULES, rule_number

LOWEST_LOWER_HU, HIGHEST_LOWER_HU, LOWER_STEP_HU = 25, 65, 1
"""Lower bounds in HU: the published ones, 35 to 55, and 10 HU to each side, more than scanners differ by."""

NARROWEST_HU, WIDEST_HU, WIDTH_STEP_HU = 20, 50, 5
"""Widths in HU; the published windows are all 30 wide."""


def candidate_windows() -> np.ndarray:
    """All windows: lower and upper bound in HU, both inclusive; shape (n, 2).

    Those of one lower bound follow each other, from narrow to wide; the published windows are among them.

    Example:
        >>> candidate_windows()[0].tolist(), len(candidate_windows())
        ([25.0, 45.0], 287)
    """
    lower = np.arange(LOWEST_LOWER_HU, HIGHEST_LOWER_HU + 1, LOWER_STEP_HU, dtype=float)
    width = np.arange(NARROWEST_HU, WIDEST_HU + 1, WIDTH_STEP_HU, dtype=float)
    return np.stack([np.repeat(lower, len(width)), np.add.outer(lower, width).ravel()], axis=1)


def published_windows(sds_hu: np.ndarray) -> np.ndarray:
    """Which candidate the published table chooses for each SD; shape (n,)."""
    windows = candidate_windows()
    numbers = []
    for sd in sds_hu:
        rule = PUBLISHED_RULES[rule_number(PUBLISHED_RULES, float(sd))]
        numbers.append(int(np.flatnonzero((windows == (rule.lower_hu, rule.upper_hu)).all(axis=1))[0]))
    return np.array(numbers, dtype=int)
