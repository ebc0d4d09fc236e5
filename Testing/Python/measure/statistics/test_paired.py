from itertools import product

import numpy as np
import pingouin
import pytest
from scipy import stats

from HTSegmentationLib.measure.statistics import bootstrap_interval, compare_paired

RANDOM = np.random.default_rng(9)
FIRST = RANDOM.beta(6, 3, 51)
SECOND = FIRST - RANDOM.normal(0.08, 0.1, 51)


def test_pingouin_and_scipy_find_the_same_p_values():
    found = compare_paired(FIRST, SECOND)
    assert found.t_p == pytest.approx(
        float(pingouin.ttest(FIRST, SECOND, paired=True).iloc[0].filter(like="p").iloc[0]), rel=1e-6
    )
    assert found.t_p == pytest.approx(stats.ttest_rel(FIRST, SECOND).pvalue)
    theirs = pingouin.wilcoxon(FIRST, SECOND, method="approx", correction=False)
    assert found.wilcoxon_p == pytest.approx(float(theirs.iloc[0].filter(like="p").iloc[0]), rel=1e-6)


def test_the_differences_are_first_less_second():
    found = compare_paired(FIRST, SECOND, seed=4)
    differences = FIRST - SECOND
    assert (found.mean_difference, found.median_difference) == pytest.approx((differences.mean(), np.median(differences)))
    assert found.interval == bootstrap_interval(differences, seed=4)
    assert found.share_better == pytest.approx(np.mean(FIRST > SECOND))


def test_the_exact_p_value_of_few_differences_by_hand():
    # All five are positive: one of 2^5 sign patterns, two-sided.
    assert compare_paired([2, 4, 6, 8, 10], [1, 2, 3, 4, 5]).wilcoxon_p == pytest.approx(2 / 32)


@pytest.mark.parametrize("count", [3, 12, 30, 50])
def test_scipy_counts_out_the_same_exact_p_value(count):
    differences = np.random.default_rng(count).normal(0.2, 1, count)
    found = compare_paired(differences, np.zeros(count), resamples=0)
    assert found.wilcoxon_p == pytest.approx(stats.wilcoxon(differences, method="exact").pvalue)


@pytest.mark.parametrize("seed", range(5))
def test_all_sign_patterns_counted_one_by_one_give_the_exact_p_value_with_ties(seed):
    differences = np.random.default_rng(seed).integers(-3, 5, 10)
    ranks = stats.rankdata(np.abs(differences[differences != 0]))
    sums = np.array(list(product((0, 1), repeat=ranks.size))) @ ranks
    observed = ranks[differences[differences != 0] > 0].sum()
    expected = np.mean(np.abs(sums - ranks.sum() / 2) >= abs(observed - ranks.sum() / 2) - 1e-9)
    found = compare_paired(differences, np.zeros(10), resamples=0)
    assert found.wilcoxon_p == pytest.approx(min(expected, 1))


def test_many_differences_with_ties_get_scipy_s_normal_p_value():
    differences = np.random.default_rng(3).normal(0.3, 2, 90).round()
    unequal = differences[differences != 0]
    found = compare_paired(differences, np.zeros(90), resamples=0)
    assert found.wilcoxon_p == pytest.approx(stats.wilcoxon(unequal).pvalue)
    assert unequal.size > 50


def test_for_a_distance_the_lower_value_is_the_better_one():
    found = compare_paired([1, 2, 3, 4], [2, 3, 3, 3], higher_is_better=False)
    assert (found.share_better, found.share_worse, found.share_equal) == (0.5, 0.25, 0.25)


def test_methods_that_never_differ_have_p_of_one():
    found = compare_paired([0.1, 0.2, 0.3], [0.1, 0.2, 0.3])
    assert (found.wilcoxon_p, found.t_p, found.mean_difference, found.share_equal) == (1, 1, 0, 1)
    assert (found.interval.low, found.interval.high) == (0, 0)


def test_a_difference_that_never_varies_has_no_t():
    found = compare_paired([2, 3, 4], [1, 2, 3])
    assert (found.t_p, found.mean_difference) == (None, 1)
    assert found.wilcoxon_p is not None


def test_swapping_the_methods_turns_the_signs_alone():
    there, back = compare_paired(FIRST, SECOND), compare_paired(SECOND, FIRST)
    assert there.mean_difference == pytest.approx(-back.mean_difference)
    assert (there.wilcoxon_p, there.t_p) == pytest.approx((back.wilcoxon_p, back.t_p))
    assert (there.share_better, there.share_equal) == (back.share_worse, back.share_equal)


def test_one_case_has_a_difference_and_no_p_value():
    found = compare_paired([3], [1])
    assert (found.n, found.mean_difference, found.wilcoxon_p, found.t_p, found.interval) == (1, 2, None, None, None)
    assert compare_paired([], []).mean_difference is None
