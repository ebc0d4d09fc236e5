"""Lin's concordance correlation coefficient: how near pairs of measurements lie to the line of equality.

Lin, Biometrics 1989;45:255-268, with the corrected variance of Lin, Biometrics 2000;56:324-325. The adaptive-threshold paper
reports it for volumes: 0.88 (0.79 to 0.93).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from HTSegmentationLib.measure.statistics.interval import Interval, normal_quantile
from HTSegmentationLib.measure.statistics.values import Result, finite_pairs, is_constant

_FEWEST = 3
"""The variance of the coefficient is divided by n - 2."""


@dataclass(frozen=True)
class Concordance(Result):
    """The concordance of two measurements of the same cases.

    Args:
        ccc: -1 to 1; None for fewer than two pairs, and if all values of both are one and the same.
        interval: Asymptotic interval, symmetric on Fisher's z; None for fewer than three pairs, if one measurement does not
            vary, and at -1 and 1, where there is no z.
        pearson: Pearson's correlation (precision); None if one measurement does not vary.
        bias_correction: How far the best line is from the line of equality (accuracy, C_b), 0 to 1: ccc / pearson.
        n: Pairs that were counted.
        missing: Pairs that were left out.
    """

    ccc: float | None
    interval: Interval | None
    pearson: float | None
    bias_correction: float | None
    n: int
    missing: int = 0


def lins_ccc(x: ArrayLike, y: ArrayLike, confidence: float = 0.95) -> Concordance:
    """Lin's concordance correlation coefficient of paired measurements.

    ccc = 2 s_xy / (s_x^2 + s_y^2 + (mean x - mean y)^2), variances and covariance divided by n, as in Lin 1989 (not n - 1).
    Its interval is tanh(z +- q s_z) with z = artanh(ccc), where, with r = pearson, c = ccc and
    u^2 = (mean x - mean y)^2 / (s_x s_y),

        s_z^2 = 1 / (n - 2) x [(1 - r^2) c^2 / ((1 - c^2) r^2) + 2 c^3 (1 - c) u^2 / (r (1 - c^2)^2)
                - c^4 u^4 / (2 r^2 (1 - c^2)^2)]

    Args:
        x: One measurement of each case.
        y: The other measurement of the same cases.
        confidence: Of the interval.

    Raises:
        UsageError: The two differ in length.
        ParameterError: The confidence is not between 0 and 1.

    Example:
        >>> found = lins_ccc([1, 2, 3, 4], [1, 2, 3, 6])
        >>> round(found.ccc, 3), round(found.bias_correction, 3)
        (0.8, 0.837)
    """
    quantile = normal_quantile(confidence)
    one, other, missing = finite_pairs(x, y)
    count = one.size
    if count < 2:  # noqa: PLR2004  (a single pair does not vary)
        return Concordance(None, None, None, None, count, missing)
    shift = float(one.mean() - other.mean())
    spread = [0.0 if is_constant(values) else float(values.std()) for values in (one, other)]
    total = spread[0] ** 2 + spread[1] ** 2 + shift**2
    product = spread[0] * spread[1]
    if product == 0:
        return Concordance(0.0 if total else None, None, None, None, count, missing)
    if (one == other).all():
        return Concordance(1.0, None, 1.0, 1.0, count, missing)
    together = float(((one - one.mean()) * (other - other.mean())).mean())
    ccc = float(np.clip(2 * together / total, -1, 1))
    pearson = float(np.clip(together / product, -1, 1))
    accuracy = 2 * product / total
    interval = None
    if count >= _FEWEST and abs(ccc) < 1:
        error = np.sqrt(_variance_of_z(pearson, accuracy, shift**2 / product) / (count - 2))
        low, high = np.tanh(np.arctanh(ccc) + np.array([-quantile, quantile]) * error)
        interval = Interval(float(low), float(high), confidence)
    return Concordance(ccc, interval, pearson, accuracy, count, missing)


def _variance_of_z(pearson: float, accuracy: float, shift: float) -> float:
    """(n - 2) times the variance of z; c = r C_b is put in, so that nothing is divided by a correlation of zero."""
    ccc = pearson * accuracy
    rest = 1 - ccc**2
    first = (1 - pearson**2) * accuracy**2 / rest
    second = 2 * ccc**2 * accuracy * (1 - ccc) * shift / rest**2
    third = ccc**2 * accuracy**2 * shift**2 / (2 * rest**2)
    return max(first + second - third, 0.0)
