import numpy as np
import pandas as pd
import pytest
from scipy import stats

from HTSegmentationLib.measure.statistics import kruskal_wallis, mann_whitney

from ... import needs

RANDOM = np.random.default_rng(6)
GROUPS = {
    "HI1": RANDOM.normal(0, 1, 9).round(1),
    "HI2": RANDOM.normal(1, 1, 12).round(1),
    "PH": RANDOM.normal(1, 2, 7).round(1),
}
"""Rounded, so that there are ties."""


def test_mann_and_whitney_count_the_pairs_won():
    found = mann_whitney([5, 7, 3], [1, 3, 4, 9])
    # 5 wins 3 of 4, 7 wins 3, 3 wins 1 and ties 1.
    assert (found.u, found.probability_larger) == (7.5, 7.5 / 12)
    assert (found.n_first, found.n_second) == (3, 4)


def test_the_exact_p_value_of_small_groups_by_hand():
    # Of 20 ways to choose three of six, two are as extreme.
    assert mann_whitney([1, 2, 3], [4, 5, 6]).p_value == pytest.approx(2 / 20)


def test_ties_get_the_corrected_normal_p_value():
    first, second = GROUPS["HI1"], GROUPS["HI2"]
    found = mann_whitney(first, second)
    ranks = stats.rankdata([*first, *second])
    n, m, size = 9, 12, 21
    ties = np.unique([*first, *second], return_counts=True)[1]
    sd = np.sqrt(n * m / 12 * (size + 1 - (ties**3 - ties).sum() / (size * (size - 1))))
    u = ranks[:9].sum() - n * (n + 1) / 2
    z = (abs(u - n * m / 2) - 0.5) / sd
    assert found.u == pytest.approx(u)
    assert found.p_value == pytest.approx(2 * stats.norm.sf(z))


def test_groups_that_do_not_differ_have_p_of_one():
    assert mann_whitney([0.1, 0.1], [0.1]).p_value == 1
    alike = kruskal_wallis({"a": [0.1, 0.1], "b": [0.1], "c": [0.1, 0.1]})
    assert (alike.h, alike.p_value) == (0, 1)
    assert {pair.p_value for pair in alike.pairs} == {1}


def test_empty_groups_have_no_p_value():
    assert mann_whitney([], [1, 2]).p_value is None
    found = kruskal_wallis({"a": [1, 2], "b": [None], "c": []})
    assert (found.p_value, found.pairs, found.counts, found.missing) == (None, (), {"a": 2, "b": 0, "c": 0}, 1)


def test_scipy_finds_the_same_h_with_ties():
    theirs = stats.kruskal(*GROUPS.values())
    found = kruskal_wallis(GROUPS)
    assert (found.h, found.p_value) == pytest.approx((theirs.statistic, theirs.pvalue))
    assert found.counts == {"HI1": 9, "HI2": 12, "PH": 7}


def test_scikit_posthocs_finds_the_same_pairs():
    scikit_posthocs = needs.package("scikit_posthocs", "not compared with it")
    rows = pd.DataFrame([(name, value) for name, values in GROUPS.items() for value in values], columns=["group", "value"])
    plain, adjusted = (
        scikit_posthocs.posthoc_dunn(rows, "value", "group", p_adjust=adjustment) for adjustment in (None, "fdr_bh")
    )
    found = kruskal_wallis(GROUPS)
    assert [(pair.first, pair.second) for pair in found.pairs] == [("HI1", "HI2"), ("HI1", "PH"), ("HI2", "PH")]
    for pair in found.pairs:
        assert pair.p_value == pytest.approx(plain.loc[pair.first, pair.second])
        assert pair.adjusted_p_value == pytest.approx(adjusted.loc[pair.first, pair.second])


def test_dunn_s_z_by_hand():
    found = kruskal_wallis([[1, 2], [3, 4], [5, 6]])
    # Mean ranks 1.5, 3.5 and 5.5; the error is sqrt(6 x 7 / 12 x (1 / 2 + 1 / 2)).
    assert [pair.z for pair in found.pairs] == pytest.approx([-2 / 3.5**0.5, -4 / 3.5**0.5, -2 / 3.5**0.5])
    assert [pair.first + pair.second for pair in found.pairs] == ["12", "13", "23"]


def test_a_group_without_values_is_left_out_of_the_test():
    whole, part = kruskal_wallis(GROUPS), kruskal_wallis(GROUPS | {"PH2": []})
    assert (whole.h, whole.p_value, whole.pairs) == (part.h, part.p_value, part.pairs)


def test_two_groups_agree_with_mann_and_whitney_without_continuity():
    first, second = GROUPS["HI1"], GROUPS["PH"]
    theirs = stats.mannwhitneyu(first, second, use_continuity=False, method="asymptotic")
    assert kruskal_wallis([first, second]).p_value == pytest.approx(theirs.pvalue)
