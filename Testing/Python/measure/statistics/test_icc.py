import numpy as np
import pandas as pd
import pingouin
import pytest

from HTSegmentationLib.errors import UsageError
from HTSegmentationLib.measure.statistics import Icc, Interval, intraclass_correlation

FORMS = ("icc1", "icc2", "icc3", "icc1k", "icc2k", "icc3k")
SHROUT_AND_FLEISS = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
"""Their Table 2: six cases, four raters."""


def by_pingouin(table):
    cases, raters = np.indices(np.shape(table))
    rows = pd.DataFrame({"case": cases.ravel(), "rater": raters.ravel(), "rating": np.ravel(table)})
    return pingouin.intraclass_corr(rows, "case", "rater", "rating")


def test_the_published_table_has_the_published_correlations():
    found = intraclass_correlation(SHROUT_AND_FLEISS)
    assert [round(getattr(found, form).value, 2) for form in FORMS] == [0.17, 0.29, 0.71, 0.44, 0.62, 0.91]
    assert (found.n, found.raters) == (6, 4)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("seed", range(4))
def test_pingouin_finds_the_same_correlations_intervals_and_p_values(seed):
    random = np.random.default_rng(seed)
    n, k = random.integers(5, 20), random.integers(2, 5)
    table = random.gamma(1.2, 9, (n, 1)) + random.normal(0, 1 + 2 * seed, (n, k)) + random.normal(0, 1, (1, k))
    theirs, found = by_pingouin(table), intraclass_correlation(table)
    ends = np.array([list(pair) for pair in theirs.filter(like="CI").iloc[:, 0]])
    p_values = theirs["pval"]
    for row, form in enumerate(FORMS):
        icc = getattr(found, form)
        assert icc.value == pytest.approx(theirs["ICC"][row])
        assert icc.p_value == pytest.approx(p_values[row])
        # It rounds its intervals to two digits.
        assert (icc.interval.low, icc.interval.high) == pytest.approx(tuple(ends[row]), abs=0.0051)


def test_other_confidences_nest():
    wide, narrow = (intraclass_correlation(SHROUT_AND_FLEISS, confidence) for confidence in (0.99, 0.5))
    for form in FORMS:
        outer, inner = getattr(wide, form).interval, getattr(narrow, form).interval
        assert outer.low < inner.low < getattr(narrow, form).value < inner.high < outer.high


def test_raters_who_agree_fully_have_a_correlation_of_one():
    found = intraclass_correlation([[1, 1], [5, 5], [9, 9]])
    assert {getattr(found, form) for form in FORMS} == {Icc(1, Interval(1, 1, 0.95), 0)}


def test_raters_who_differ_by_a_constant_are_consistent_and_do_not_agree():
    found = intraclass_correlation([[1, 3], [5, 7], [9, 11]])
    assert (found.icc3.value, found.icc3.interval) == (1, Interval(1, 1, 0.95))
    nearly = intraclass_correlation([[1, 3], [5, 7], [9, 11 + 1e-6]])
    assert found.icc2.interval.low < found.icc2.value < found.icc2.interval.high < 1
    assert found.icc2.value == pytest.approx(nearly.icc2.value)
    assert (found.icc2.interval.low, found.icc2.interval.high) == pytest.approx(
        (nearly.icc2.interval.low, nearly.icc2.interval.high)
    )


def test_an_interval_whose_approximation_fails_is_left_out():
    # The single rating's interval reaches below -1/2, where the mean of three ratings has none.
    found = intraclass_correlation([[4, 2, 2], [5, 4, 5], [2, 4, 5]])
    assert (found.icc2.interval.low, found.icc2.interval.high) == pytest.approx((-0.6196, 0.9667), abs=1e-4)
    assert (found.icc2k.value, found.icc2k.interval) == (pytest.approx(0.466667, abs=1e-6), None)
    assert intraclass_correlation([[0, 11], [0, 12], [8, 3]]).icc2.interval is None


def test_cases_with_a_missing_rating_are_left_out():
    with_gaps = [*SHROUT_AND_FLEISS, [1, None, 2, 3], [4, 5, float("nan"), 1]]
    found = intraclass_correlation(with_gaps)
    assert (found.n, found.missing) == (6, 2)
    assert found.icc2 == intraclass_correlation(SHROUT_AND_FLEISS).icc2


def test_too_little_to_compare_leaves_all_out():
    for table in ([[1, 2]], [[1], [2]], [[0.1, 0.1], [0.1, 0.1]], np.empty((0, 2))):
        assert intraclass_correlation(table).icc1 is None
    with pytest.raises(UsageError, match="a table of cases by raters"):
        intraclass_correlation([1, 2, 3])


def test_cases_that_do_not_differ_have_no_correlation_of_means():
    found = intraclass_correlation([[1, 3], [3, 1], [1, 3]])
    assert found.icc1 is None
    assert found.icc3 is None
