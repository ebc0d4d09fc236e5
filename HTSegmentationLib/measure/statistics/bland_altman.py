"""The limits of agreement of two measurements: Bland and Altman."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from HTSegmentationLib.measure.statistics.interval import Interval, t_quantile
from HTSegmentationLib.measure.statistics.values import Result, finite_pairs, sample_sd

_LIMIT = 1.96
"""The limits hold 95% of normally distributed differences, as published and whatever the confidence of their intervals."""


@dataclass(frozen=True)
class BlandAltman(Result):
    """The differences of two measurements, first less second, in their own unit; None where there are too few.

    Args:
        n: Pairs that were counted.
        bias: Mean difference.
        sd: Sample standard deviation (n - 1) of the differences; None for one pair, as all that follow.
        lower: Lower limit of agreement, bias - 1.96 SD.
        upper: Upper limit of agreement, bias + 1.96 SD.
        bias_interval: Interval of the bias.
        lower_interval: Interval of the lower limit.
        upper_interval: Interval of the upper limit.
        missing: Pairs that were left out.
    """

    n: int
    bias: float | None = None
    sd: float | None = None
    lower: float | None = None
    upper: float | None = None
    bias_interval: Interval | None = None
    lower_interval: Interval | None = None
    upper_interval: Interval | None = None
    missing: int = 0


def bland_altman(first: ArrayLike, second: ArrayLike, confidence: float = 0.95) -> BlandAltman:
    """The bias and the 95% limits of agreement of paired measurements, with their intervals.

    Bland and Altman, Lancet 1986;1:307-310. The standard error of the bias is SD / sqrt(n); that of a limit is
    SD sqrt(1 / n + 1.96^2 / (2 (n - 1))), from Bland and Altman, Stat Methods Med Res 1999;8:135-160 (their paper of 1986
    rounds it to SD sqrt(3 / n)). Both are taken times the quantile of Student's t with n - 1 degrees of freedom.

    Args:
        first: One measurement of each case.
        second: The other measurement of the same cases, subtracted from the first.
        confidence: Of the intervals.

    Raises:
        UsageError: The two differ in length.
        ParameterError: The confidence is not between 0 and 1.

    Example:
        >>> found = bland_altman([1, 2, 3], [2, 3, 1])
        >>> found.bias, round(found.upper, 2)
        (0.0, 3.39)
    """
    one, other, missing = finite_pairs(first, second)
    count = one.size
    quantile = t_quantile(confidence, max(count - 1, 1))
    if count == 0:
        return BlandAltman(0, missing=missing)
    differences = one - other
    bias, sd = float(differences.mean()), sample_sd(differences)
    if sd is None:
        return BlandAltman(count, bias, missing=missing)
    lower, upper = bias - _LIMIT * sd, bias + _LIMIT * sd
    of_bias = quantile * sd / np.sqrt(count)
    of_limit = quantile * sd * np.sqrt(1 / count + _LIMIT**2 / (2 * (count - 1)))
    return BlandAltman(
        n=count,
        bias=bias,
        sd=sd,
        lower=lower,
        upper=upper,
        bias_interval=Interval.around(bias, of_bias, confidence),
        lower_interval=Interval.around(lower, of_limit, confidence),
        upper_interval=Interval.around(upper, of_limit, confidence),
        missing=missing,
    )
