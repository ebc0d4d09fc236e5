"""A measurement over a cohort: how many, mean and SD, median and quartiles, range, and the interval of the mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from HTSegmentationLib.measure.statistics.bootstrap import RESAMPLES, bootstrap_interval
from HTSegmentationLib.measure.statistics.interval import Interval, require_confidence
from HTSegmentationLib.measure.statistics.values import Result, finite_values, sample_sd


@dataclass(frozen=True)
class Summary(Result):
    """A measurement over a cohort; all in its own unit, None where there are too few values.

    Args:
        n: Values that were counted.
        missing: Values that were left out (None, NaN, infinite).
        mean: Their mean.
        sd: Sample standard deviation (n - 1), as the papers give it in brackets.
        median: Their median.
        q1: First quartile, interpolated linearly (type 7 of Hyndman and Fan, as R and NumPy).
        q3: Third quartile.
        low: Smallest value.
        high: Largest value.
        mean_interval: Bootstrap interval of the mean (BCa); None for fewer than two values.
    """

    n: int
    missing: int
    mean: float | None = None
    sd: float | None = None
    median: float | None = None
    q1: float | None = None
    q3: float | None = None
    low: float | None = None
    high: float | None = None
    mean_interval: Interval | None = None


def summarize(values: ArrayLike, *, confidence: float = 0.95, resamples: int = RESAMPLES, seed: int = 0) -> Summary:
    """Summarizes one measurement of a cohort.

    Args:
        values: One value a case; None, NaN and infinity are left out and counted.
        confidence: Of the interval of the mean.
        resamples: Bootstrap resamples for it; 0 leaves it out, and its time.
        seed: The same seed gives the same interval.

    Raises:
        ParameterError: Confidence or number of resamples cannot be used.

    Example:
        >>> found = summarize([0.5, 0.7, None, 0.9])
        >>> found.n, found.missing, round(found.mean, 3), round(found.sd, 3)
        (3, 1, 0.7, 0.2)
    """
    require_confidence(confidence)
    sample, missing = finite_values(values)
    if sample.size == 0:
        return Summary(0, missing)
    low, q1, median, q3, high = (float(value) for value in np.quantile(sample, [0, 0.25, 0.5, 0.75, 1]))
    return Summary(
        n=sample.size,
        missing=missing,
        mean=float(sample.mean()),
        sd=sample_sd(sample),
        median=median,
        q1=q1,
        q3=q3,
        low=low,
        high=high,
        mean_interval=bootstrap_interval(sample, confidence=confidence, resamples=resamples, seed=seed),
    )
