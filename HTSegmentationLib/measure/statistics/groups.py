"""Whether groups of cases differ: Mann and Whitney for two, Kruskal and Wallis with Dunn's test for more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike
from scipy import special, stats

from HTSegmentationLib.measure.statistics.correction import false_discovery
from HTSegmentationLib.measure.statistics.values import Result, finite_values


@dataclass(frozen=True)
class MannWhitney(Result):
    """The comparison of two groups; None if one of them is empty.

    Args:
        u: Mann and Whitney's U of the first group: pairs in which its value is the larger one, ties count half.
        p_value: Two-sided.
        probability_larger: U / (n1 n2): how probably a case of the first group has the larger value; 0.5 if they are alike.
        n_first: Cases of the first group.
        n_second: Cases of the second group.
        missing: Values that were left out of both.
    """

    u: float | None
    p_value: float | None
    probability_larger: float | None
    n_first: int
    n_second: int
    missing: int = 0


@dataclass(frozen=True)
class DunnPair(Result):
    """Two of several groups compared after Kruskal and Wallis.

    Args:
        first: Name of the one group.
        second: Name of the other.
        z: Difference of their mean ranks by its standard error, first less second.
        p_value: Two-sided, not adjusted.
        adjusted_p_value: Adjusted for the number of pairs (Benjamini and Hochberg).
    """

    first: str
    second: str
    z: float
    p_value: float
    adjusted_p_value: float


@dataclass(frozen=True)
class KruskalWallis(Result):
    """The comparison of several groups; None and no pairs if fewer than two of them have a value.

    Args:
        h: Kruskal and Wallis' H, corrected for ties.
        p_value: From the chi-squared distribution with one degree of freedom less than there are groups.
        counts: Values of each group.
        pairs: Dunn's test of each pair of groups that have values.
        missing: Values that were left out of all.
    """

    h: float | None
    p_value: float | None
    counts: Mapping[str, int]
    pairs: tuple[DunnPair, ...] = ()
    missing: int = 0


def mann_whitney(first: ArrayLike, second: ArrayLike) -> MannWhitney:
    """Compares two groups of different cases, two-sided.

    Mann and Whitney, Ann Math Stat 1947;18:50-60: exact for small groups without ties, else by the normal distribution with
    corrections for ties and continuity. Values that are all the same give p = 1.

    Args:
        first: Values of the one group.
        second: Values of the other, of any number.

    Example:
        >>> found = mann_whitney([1, 2, 3], [4, 5, 6])
        >>> found.u, found.p_value
        (0.0, 0.1)
    """
    (one, left_out), (other, also_left_out) = finite_values(first), finite_values(second)
    missing = left_out + also_left_out
    if one.size == 0 or other.size == 0:
        return MannWhitney(None, None, None, one.size, other.size, missing)
    both = np.concatenate([one, other])
    if (both == both[0]).all():
        return MannWhitney(one.size * other.size / 2, 1.0, 0.5, one.size, other.size, missing)
    found = stats.mannwhitneyu(one, other, alternative="two-sided")
    share = float(found.statistic) / (one.size * other.size)
    return MannWhitney(float(found.statistic), float(found.pvalue), share, one.size, other.size, missing)


def kruskal_wallis(groups: Mapping[str, ArrayLike] | Sequence[ArrayLike]) -> KruskalWallis:
    """Compares several groups of different cases, and each pair of them.

    Kruskal and Wallis, J Am Stat Assoc 1952;47:583-621; the pairs by Dunn, Technometrics 1964;6:241-252, both corrected for
    ties: z = (mean rank i - mean rank j) / sqrt((N (N + 1) / 12 - sum(t^3 - t) / (12 (N - 1))) (1 / n_i + 1 / n_j)), where t
    are the numbers of equal values. Values that are all the same give p = 1.

    Args:
        groups: The values of each group by its name; a list of groups is numbered from 1.

    Example:
        >>> found = kruskal_wallis({"HI1": [1, 2, 3], "HI2": [4, 5, 6], "PH": [7, 8, 9]})
        >>> round(found.h, 2), [pair.first + "-" + pair.second for pair in found.pairs if pair.adjusted_p_value < 0.05]
        (7.2, ['HI1-PH'])
    """
    named = groups if isinstance(groups, Mapping) else {str(number): group for number, group in enumerate(groups, 1)}
    known = {str(name): finite_values(values) for name, values in named.items()}
    samples = {name: values for name, (values, _) in known.items() if values.size}
    counts = {name: values.size for name, (values, _) in known.items()}
    missing = sum(left_out for _, left_out in known.values())
    if len(samples) < 2:  # noqa: PLR2004  (one group has none to differ from)
        return KruskalWallis(None, None, counts, (), missing)
    together = np.concatenate(list(samples.values()))
    ranks = np.split(stats.rankdata(together), np.cumsum([values.size for values in samples.values()])[:-1])
    size, ties = together.size, np.unique(together, return_counts=True)[1].astype(float)
    variance = size * (size + 1) / 12 - float((ties**3 - ties).sum()) / (12 * max(size - 1, 1))
    if ties.size == 1:
        variance = 0.0
    between = sum(rank.size * (rank.mean() - (size + 1) / 2) ** 2 for rank in ranks)
    h = float(between / variance) if variance else 0.0
    pairs = _dunn(dict(zip(samples, ranks, strict=True)), variance)
    return KruskalWallis(h, float(special.chdtrc(len(samples) - 1, h)), counts, pairs, missing)


def _dunn(ranks: Mapping[str, np.ndarray], variance: float) -> tuple[DunnPair, ...]:
    """Each pair of groups from their ranks; ``variance`` is that of a single rank, zero if all values are equal."""
    names = list(combinations(ranks, 2))
    found = []
    for first, second in names:
        one, other = ranks[first], ranks[second]
        error = np.sqrt(variance * (1 / one.size + 1 / other.size))
        found.append(float((one.mean() - other.mean()) / error) if error else 0.0)
    p_values = [float(2 * special.ndtr(-abs(z))) for z in found]
    adjusted = false_discovery(p_values)
    return tuple(DunnPair(*name, *values) for name, *values in zip(names, found, p_values, adjusted, strict=True))
