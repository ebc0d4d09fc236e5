"""Confidence intervals by resampling the cases: no distribution need be assumed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from HTSegmentationLib.errors import ParameterError
from HTSegmentationLib.measure.statistics.interval import Interval, require_confidence
from HTSegmentationLib.measure.statistics.values import finite_values, is_constant

RESAMPLES = 2000
"""Resamples that an interval is made of; enough for its ends to be stable to a few percent of its width."""

_METHODS = ("bca", "percentile")

_LARGEST = 2_000_000
"""Values held at once; more cases or resamples are worked off in blocks."""


def bootstrap_interval(
    values: ArrayLike,
    statistic: Callable[..., np.ndarray] = np.mean,
    *,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
    method: str = "bca",
) -> Interval | None:
    """The bootstrap interval of a statistic of one sample.

    With ``"bca"``, the percentiles are corrected for bias and skewness: Efron, J Am Stat Assoc 1987;82:171-185. The bias is
    taken from the share of resamples below the statistic (ties count half), the acceleration from the jackknife. Where the
    correction does not exist, and with ``"percentile"``, they are the plain percentiles.

    Args:
        values: One value a case; None, NaN and infinity are left out.
        statistic: Called as ``statistic(samples, axis=-1)``, as NumPy's functions are. For a median choose the plain
            percentiles: the jackknife does not suit it.
        confidence: As 0.95.
        resamples: How many samples of the same size are drawn, with replacement; 0 for no interval.
        seed: The same seed gives the same interval.
        method: ``"bca"`` or ``"percentile"``.

    Returns:
        The interval; None for fewer than two values or no resample.

    Raises:
        ParameterError: Confidence, number of resamples or method cannot be used.

    Example:
        >>> interval = bootstrap_interval([0.5, 0.6, 0.7, 0.8], seed=1)
        >>> interval.low < 0.65 < interval.high
        True
    """
    require_confidence(confidence)
    if resamples < 0:
        raise ParameterError(f"resamples is {resamples}; it must be 0 (no interval) or more, as {RESAMPLES}")
    if method not in _METHODS:
        raise ParameterError(f"method is {method!r}; it must be one of {', '.join(_METHODS)}")
    sample, _ = finite_values(values)
    if sample.size < 2 or resamples == 0:  # noqa: PLR2004  (one value does not vary)
        return None
    if is_constant(sample):
        return Interval.around(float(statistic(sample, axis=-1)), 0.0, confidence)
    drawn = np.concatenate([statistic(sample[rows], axis=-1) for rows in _resampled(sample.size, resamples, seed)])
    shares = np.array([(1 - confidence) / 2, (1 + confidence) / 2])
    if method == "bca":
        shares = _corrected(shares, sample, statistic, drawn)
    low, high = np.quantile(drawn, shares)
    return Interval(float(low), float(high), confidence)


def _resampled(count: int, resamples: int, seed: int) -> Iterator[np.ndarray]:
    """Blocks of rows of drawn positions; how they are cut does not change what is drawn."""
    random = np.random.default_rng(seed)
    block = max(1, _LARGEST // count)
    for start in range(0, resamples, block):
        yield random.integers(0, count, (min(block, resamples - start), count))


def _corrected(
    shares: np.ndarray, sample: np.ndarray, statistic: Callable[..., np.ndarray], drawn: np.ndarray
) -> np.ndarray:
    """The shares at which percentiles are taken, corrected for bias and skewness; unchanged where that is undefined."""
    whole = float(statistic(sample, axis=-1))
    below = (np.count_nonzero(drawn < whole) + np.count_nonzero(drawn <= whole)) / (2 * drawn.size)
    without_one = _jackknife(sample, statistic)
    lean = without_one.mean() - without_one
    largest = np.abs(lean).max()
    if largest == 0 or not 0 < below < 1:
        return shares
    lean = lean / largest  # skewness has no unit, and tiny numbers have no cube
    bias, acceleration = special.ndtri(below), (lean**3).sum() / (6 * (lean**2).sum() ** 1.5)
    z = bias + special.ndtri(shares)
    return special.ndtr(bias + z / (1 - acceleration * z))


def _jackknife(sample: np.ndarray, statistic: Callable[..., np.ndarray]) -> np.ndarray:
    """The statistic of the sample without each of its values in turn (n,)."""
    count = sample.size
    places = np.arange(count - 1)
    block = max(1, _LARGEST // count)
    found = []
    for start in range(0, count, block):
        left_out = np.arange(start, min(start + block, count))[:, None]
        found.append(statistic(sample[places + (places >= left_out)], axis=-1))
    return np.concatenate(found)
