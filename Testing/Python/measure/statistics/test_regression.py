import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from HTSegmentationLib.measure.statistics import linear_fit

RANDOM = np.random.default_rng(4)
X = RANDOM.gamma(1.2, 9, 30)
Y = 0.9 * X + 0.5 + RANDOM.normal(0, 2, 30)


@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_statsmodels_fits_the_same_line(confidence):
    theirs = sm.OLS(Y, sm.add_constant(X)).fit()
    (intercept, slope), ends = theirs.params, theirs.conf_int(1 - confidence)
    found = linear_fit(X, Y, confidence)
    assert (found.slope, found.intercept) == pytest.approx((slope, intercept))
    assert (found.slope_interval.low, found.slope_interval.high) == pytest.approx(tuple(ends[1]))
    assert (found.intercept_interval.low, found.intercept_interval.high) == pytest.approx(tuple(ends[0]))
    assert (found.intercept_p_value, found.p_value) == pytest.approx(tuple(theirs.pvalues))
    assert found.pearson == pytest.approx(np.sqrt(theirs.rsquared))


def test_scipy_finds_the_same_correlation_of_a_falling_line():
    theirs = stats.linregress(X, -Y)
    found = linear_fit(X, -Y)
    assert (found.pearson, found.p_value) == pytest.approx((theirs.rvalue, theirs.pvalue))


def test_an_exact_line_has_intervals_of_no_width():
    found = linear_fit([0, 1, 2, 3], [1, 3, 5, 7])
    assert (found.slope, found.intercept, found.pearson, found.p_value) == (2, 1, 1, 0)
    assert (found.slope_interval.low, found.slope_interval.high, found.intercept_p_value) == (2, 2, None)


def test_what_does_not_vary_has_no_correlation():
    level = linear_fit([1, 2, 3], [0.1, 0.1, 0.1])
    assert (level.slope, level.intercept, level.pearson, level.p_value) == (0, pytest.approx(0.1), None, None)
    steep = linear_fit([0.1, 0.1, 0.1], [1, 2, 3])
    assert (steep.slope, steep.intercept, steep.n) == (None, None, 3)


def test_two_points_tell_nothing():
    assert linear_fit([1, 2], [1, 3]).slope is None
