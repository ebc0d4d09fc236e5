"""The straight line through paired measurements, by least squares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from HTSegmentationLib.measure.statistics.interval import Interval, t_p_value, t_quantile
from HTSegmentationLib.measure.statistics.values import Result, finite_pairs, is_constant

_FEWEST = 3
"""Two points lie on a line always; nothing can be said of it."""


@dataclass(frozen=True)
class LinearFit(Result):
    """y = slope x + intercept; all None for fewer than three pairs, or if x does not vary.

    Args:
        slope: Its slope (beta); 1 if two raters are not biased against each other.
        intercept: Its intercept (alpha), in the unit of y; 0 if they are not.
        pearson: Pearson's correlation; None if y does not vary.
        p_value: Two-sided p-value of the slope (and of the correlation) against 0; None if y does not vary.
        slope_interval: Interval of the slope by Student's t with n - 2 degrees of freedom.
        intercept_interval: Interval of the intercept, likewise.
        n: Pairs that were counted.
        missing: Pairs that were left out.
        intercept_p_value: Two-sided p-value of the intercept against 0; None if the line fits exactly.
    """

    slope: float | None
    intercept: float | None
    pearson: float | None
    p_value: float | None
    slope_interval: Interval | None
    intercept_interval: Interval | None
    n: int
    missing: int = 0
    intercept_p_value: float | None = None


def linear_fit(x: ArrayLike, y: ArrayLike, confidence: float = 0.95) -> LinearFit:
    """Fits a line by ordinary least squares, as the supervised-CNN paper does to the volumes of two raters.

    slope = S_xy / S_xx; its standard error is s / sqrt(S_xx), that of the intercept s sqrt(1 / n + mean(x)^2 / S_xx), with
    s^2 the sum of squared residuals over n - 2.

    Args:
        x: The one measurement of each case.
        y: The other measurement of the same cases.
        confidence: Of the intervals.

    Raises:
        UsageError: The two differ in length.
        ParameterError: The confidence is not between 0 and 1.

    Example:
        >>> found = linear_fit([0, 1, 2, 3], [1, 3, 5, 7])
        >>> found.slope, found.intercept, found.pearson
        (2.0, 1.0, 1.0)
    """
    one, other, missing = finite_pairs(x, y)
    count = one.size
    quantile = t_quantile(confidence, max(count - 2, 1))
    if count < _FEWEST or is_constant(one):
        return LinearFit(None, None, None, None, None, None, count, missing)
    off_one, off_other = one - one.mean(), np.zeros(count) if is_constant(other) else other - other.mean()
    spread_x, spread_y = float(off_one @ off_one), float(off_other @ off_other)
    slope = float(off_one @ off_other) / spread_x
    intercept = float(other.mean() - slope * one.mean())
    residual = off_other - slope * off_one
    scatter = np.sqrt(float(residual @ residual) / (count - 2))
    errors = scatter / np.sqrt(spread_x), scatter * np.sqrt(1 / count + one.mean() ** 2 / spread_x)
    varies = spread_y > 0
    return LinearFit(
        slope=slope,
        intercept=intercept,
        pearson=float(np.clip(off_one @ off_other / np.sqrt(spread_x * spread_y), -1, 1)) if varies else None,
        p_value=(t_p_value(slope / errors[0], count - 2) if scatter > 0 else 0.0) if varies else None,
        slope_interval=Interval.around(slope, quantile * errors[0], confidence),
        intercept_interval=Interval.around(intercept, quantile * errors[1], confidence),
        n=count,
        missing=missing,
        intercept_p_value=t_p_value(intercept / errors[1], count - 2) if scatter > 0 else None,
    )
