"""Two methods on the same cases: how much the one is better, and whether that may be chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special, stats

from HTSegmentationLib.measure.statistics.bootstrap import RESAMPLES, bootstrap_interval
from HTSegmentationLib.measure.statistics.interval import Interval, require_confidence, t_p_value
from HTSegmentationLib.measure.statistics.values import Result, finite_pairs, sample_sd

_MOST_EXACT = 50
"""Up to as many differences, Wilcoxon's p-value is counted out; for more, the normal distribution is as good."""


@dataclass(frozen=True)
class PairedComparison(Result):
    """The differences of two methods on the same cases, first less second; None where there are too few.

    Args:
        n: Cases that have both values.
        mean_difference: Mean difference, in the measurement's unit.
        interval: Bootstrap interval of the mean difference (BCa).
        median_difference: Median difference.
        wilcoxon_p: Two-sided p-value of Wilcoxon's signed-rank test; 1 if all differences are zero.
        t_p: Two-sided p-value of the paired t-test; 1 if all differences are zero, None if they are all the same otherwise.
        share_better: Share (0 to 1) of cases in which the first is the better one.
        share_worse: Share of cases in which the second is.
        share_equal: Share of cases in which they are equal.
        missing: Cases that lack a value and were left out.
    """

    n: int
    mean_difference: float | None = None
    interval: Interval | None = None
    median_difference: float | None = None
    wilcoxon_p: float | None = None
    t_p: float | None = None
    share_better: float | None = None
    share_worse: float | None = None
    share_equal: float | None = None
    missing: int = 0


def compare_paired(
    first: ArrayLike,
    second: ArrayLike,
    *,
    confidence: float = 0.95,
    higher_is_better: bool = True,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> PairedComparison:
    """Compares one measurement of two methods case by case.

    Wilcoxon, Biometrics 1945;1:80-83: zero differences are left out, ties get their mean rank; exact (ties included)
    for up to 50 differences, for more by the normal distribution without correction for continuity. The t-test assumes
    normal differences, Wilcoxon's test symmetric ones, the bootstrap neither.

    Args:
        first: The first method's values, one a case.
        second: The second method's, of the same cases in the same order.
        confidence: Of the interval.
        higher_is_better: True as for Dice, False as for a distance or an error.
        resamples: Bootstrap resamples for the interval; 0 leaves it out.
        seed: The same seed gives the same interval.

    Raises:
        UsageError: The two differ in length.
        ParameterError: Confidence or number of resamples cannot be used.

    Example:
        >>> found = compare_paired([0.7, 0.8, 0.6, 0.9], [0.5, 0.7, 0.6, 0.8])
        >>> round(found.mean_difference, 2), found.share_better, found.share_equal
        (0.1, 0.75, 0.25)
    """
    require_confidence(confidence)
    one, other, missing = finite_pairs(first, second)
    differences = one - other
    count = differences.size
    if count == 0:
        return PairedComparison(0, missing=missing)
    more, less = float((differences > 0).mean()), float((differences < 0).mean())
    return PairedComparison(
        n=count,
        mean_difference=float(differences.mean()),
        interval=bootstrap_interval(differences, confidence=confidence, resamples=resamples, seed=seed),
        median_difference=float(np.median(differences)),
        wilcoxon_p=_wilcoxon_p(differences),
        t_p=_t_p(differences),
        share_better=more if higher_is_better else less,
        share_worse=less if higher_is_better else more,
        share_equal=float((differences == 0).mean()),
        missing=missing,
    )


def _wilcoxon_p(differences: np.ndarray) -> float | None:
    if differences.size < 2:  # noqa: PLR2004  (one difference tells nothing)
        return None
    unequal = differences[differences != 0]
    if unequal.size == 0:
        return 1.0
    ranks, count = stats.rankdata(np.abs(unequal)), unequal.size
    away = abs(float(ranks[unequal > 0].sum()) - count * (count + 1) / 4)
    if count <= _MOST_EXACT:
        return _exact_p(ranks, away)
    ties = np.unique(ranks, return_counts=True)[1].astype(float)
    variance = count * (count + 1) * (2 * count + 1) / 24 - float((ties**3 - ties).sum()) / 48
    return float(2 * special.ndtr(-away / np.sqrt(variance)))


def _exact_p(ranks: np.ndarray, away: float) -> float:
    """How probably random signs bring the sum of the positive ranks as far from its mean; ties included."""
    doubled = np.rint(2 * ranks).astype(int)  # ranks of ties may end in one half
    chances = np.zeros(doubled.sum() + 1)
    chances[0] = 1.0
    for rank in doubled:
        chances[rank:] += chances[:-rank].copy()
        chances /= 2
    lowest = round(doubled.sum() / 2 - 2 * away)
    return min(1.0, 2 * float(chances[: lowest + 1].sum()))


def _t_p(differences: np.ndarray) -> float | None:
    sd = sample_sd(differences)
    if sd is None:
        return None
    if not differences.any():
        return 1.0
    t = float(differences.mean()) * np.sqrt(differences.size) / sd if sd > 0 else None
    return None if t is None else t_p_value(t, differences.size - 1)
