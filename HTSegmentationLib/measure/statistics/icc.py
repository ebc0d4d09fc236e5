"""Intraclass correlation: how much of the spread of ratings is that of the cases rather than of the raters.

Shrout and Fleiss, Psychol Bull 1979;86:420-428; intervals and absolute agreement by McGraw and Wong, Psychol Methods
1996;1:30-46.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from HTSegmentationLib.errors import UsageError
from HTSegmentationLib.measure.statistics.interval import Interval, require_confidence
from HTSegmentationLib.measure.statistics.values import Result, is_constant


@dataclass(frozen=True)
class Icc(Result):
    """One intraclass correlation.

    Args:
        value: At most 1; below 0 when raters differ more within a case than cases do.
        interval: By the F distribution. Those of ICC(2,1) and (2,k) rest on an approximation of its degrees of freedom and
            are None where it fails: if single ratings agree so badly that their mean may have no meaning.
        p_value: Of F against a correlation of 0, one-sided as published.
    """

    value: float
    interval: Interval | None
    p_value: float


@dataclass(frozen=True)
class IntraclassCorrelation(Result):
    """The six forms of Shrout and Fleiss; None for fewer than two cases or raters, and if the cases do not differ.

    ICC(2,k) is None as well where its denominator is not above 0: if raters disagree far more than cases differ.

    Args:
        n: Cases that all raters rated.
        raters: How many raters there are.
        missing: Cases that were left out because a rating is missing.
        icc1: ICC(1,1): each case was rated by raters of its own.
        icc2: ICC(2,1): the raters stand for all raters; absolute agreement of a single rating.
        icc3: ICC(3,1): these raters alone matter; consistency of a single rating.
        icc1k: ICC(1,k): as ICC(1,1), of the mean of all ratings.
        icc2k: ICC(2,k): as ICC(2,1), of the mean of all ratings.
        icc3k: ICC(3,k): as ICC(3,1), of the mean of all ratings.
    """

    n: int
    raters: int
    missing: int = 0
    icc1: Icc | None = None
    icc2: Icc | None = None
    icc3: Icc | None = None
    icc1k: Icc | None = None
    icc2k: Icc | None = None
    icc3k: Icc | None = None


@dataclass(frozen=True)
class _MeanSquares:
    """Mean squares of the analysis of variance, of n cases and k raters."""

    n: int
    k: int
    cases: float
    within: float
    raters: float
    residual: float


def intraclass_correlation(ratings: ArrayLike, confidence: float = 0.95) -> IntraclassCorrelation:
    """All intraclass correlations of a table of ratings, as volumes that several raters measured.

    With the mean squares of cases (R), within cases (W), of raters (C) and of the residual (E), of n cases and k raters:

        ICC(1,1) = (R - W) / (R + (k - 1) W)                        ICC(1,k) = (R - W) / R
        ICC(2,1) = (R - E) / (R + (k - 1) E + k (C - E) / n)        ICC(2,k) = (R - E) / (R + (C - E) / n)
        ICC(3,1) = (R - E) / (R + (k - 1) E)                        ICC(3,k) = (R - E) / R

    Args:
        ratings: (n cases, k raters); cases with a rating that is None, NaN or infinite are left out.
        confidence: Of the intervals.

    Raises:
        UsageError: The ratings are not a table.
        ParameterError: The confidence is not between 0 and 1.

    Example:
        >>> found = intraclass_correlation([[9, 2], [6, 1], [8, 4], [7, 1]])
        >>> round(found.icc3.value, 3)
        0.545
    """
    require_confidence(confidence)
    table = np.asarray(ratings, dtype=np.float64)
    if table.ndim != 2:  # noqa: PLR2004  (cases and raters)
        raise UsageError(f"ratings must be a table of cases by raters; they have the shape {table.shape}")
    whole = table[np.isfinite(table).all(axis=1)]
    (n, k), missing = whole.shape, table.shape[0] - whole.shape[0]
    if min(n, k) < 2 or is_constant(whole):  # noqa: PLR2004  (one case or rater has none to differ from)
        return IntraclassCorrelation(n, k, missing)
    found = _analysis(whole)
    icc1, icc1k = _relative(found.cases, found.within, (n - 1, n * (k - 1)), k, confidence)
    icc2, icc2k = _absolute(found, confidence)
    icc3, icc3k = _relative(found.cases, found.residual, (n - 1, (n - 1) * (k - 1)), k, confidence)
    return IntraclassCorrelation(n, k, missing, icc1, icc2, icc3, icc1k, icc2k, icc3k)


def _analysis(table: np.ndarray) -> _MeanSquares:
    n, k = table.shape
    middle, of_cases, of_raters = table.mean(), table.mean(axis=1), table.mean(axis=0)
    cases = k * ((of_cases - middle) ** 2).sum() / (n - 1)
    within = ((table - of_cases[:, None]) ** 2).sum() / (n * (k - 1))
    raters = n * ((of_raters - middle) ** 2).sum() / (k - 1)
    residual = ((table - of_cases[:, None] - of_raters + middle) ** 2).sum() / ((n - 1) * (k - 1))
    return _MeanSquares(n, k, float(cases), float(within), float(raters), float(residual))


def _relative(
    cases: float, error: float, degrees: tuple[int, int], k: int, confidence: float
) -> tuple[Icc | None, Icc | None]:
    """ICC(1,1) and (1,k) with the mean square within cases as error, ICC(3,1) and (3,k) with the residual one."""
    if cases == 0:
        return None, None
    f, share = cases / error if error else np.inf, (1 + confidence) / 2
    p_value = float(special.fdtrc(*degrees, f))
    low, high = f / special.fdtri(*degrees, share), f * special.fdtri(degrees[1], degrees[0], share)
    single = Interval(float(1 - k / (low + k - 1)), float(1 - k / (high + k - 1)), confidence)
    mean = Interval(float(1 - 1 / low), float(1 - 1 / high), confidence)
    return (
        Icc((cases - error) / (cases + (k - 1) * error), single, p_value),
        Icc((cases - error) / cases, mean, p_value),
    )


def _absolute(found: _MeanSquares, confidence: float) -> tuple[Icc | None, Icc | None]:
    """ICC(2,1) and (2,k); the interval with Satterthwaite's degrees of freedom, equations of Shrout and Fleiss."""
    n, k, cases, raters, error = found.n, found.k, found.cases, found.raters, found.residual
    if cases == 0:
        return None, None
    if raters == error == 0:
        full = Icc(1.0, Interval(1.0, 1.0, confidence), 0.0)
        return full, full
    # Summed up so that nothing cancels: with two cases and raters, the residual does not count at all.
    single = (cases - error) / (cases + k * raters / n + (k - 1 - k / n) * error)
    of_mean = cases + (raters - error) / n
    mean = (cases - error) / of_mean if of_mean > 0 else None
    p_value = float(special.fdtrc(n - 1, (n - 1) * (k - 1), cases / error if error else np.inf))
    of_raters, rest = k * single * raters, (n * (1 + (k - 1) * single) - k * single) * error
    share, spread = (1 + confidence) / 2, k * raters + (k * n - k - n) * error
    with np.errstate(all="ignore"):  # what fails is no number, and left out below
        degrees = np.float64((k - 1) * (n - 1) * (of_raters + rest) ** 2) / ((n - 1) * of_raters**2 + rest**2)
        up, down = special.fdtri(n - 1, degrees, share), special.fdtri(degrees, n - 1, share)
        low = float(n * (cases / up - error) / (spread + n * cases / up))
        high = float(n * (down * cases - error) / (spread + n * down * cases))
    of_single = Interval(low, high, confidence) if low <= single <= high else None
    if mean is None:
        return Icc(single, of_single, p_value), None
    # Spearman and Brown's formula gives the means' ends; below the least correlation that k ratings can have, it has a pole.
    ends = [k * end / (1 + (k - 1) * end) for end in (low, high) if 1 + (k - 1) * end > 0]
    of_means = Interval(*ends, confidence) if of_single and len(ends) == 2 else None  # noqa: PLR2004  (low and high)
    return Icc(single, of_single, p_value), Icc(mean, of_means, p_value)
