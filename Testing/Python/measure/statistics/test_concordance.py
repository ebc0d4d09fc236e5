import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from HTSegmentationLib.measure.statistics import lins_ccc

WRIGHT = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]
"""Peak flow in L/min by two meters: Bland and Altman, Lancet 1986, Table 1."""

values = st.lists(st.tuples(st.floats(-50, 50), st.floats(-50, 50)), min_size=3, max_size=30)


def by_the_published_formula(x, y, quantile=1.959963984540054):
    """Lin 1989 with the variance of Lin 2000, written as printed there."""
    n = len(x)
    sx2, sy2, sxy = (np.cov(x, y, ddof=0)[at] for at in ((0, 0), (1, 1), (0, 1)))
    c = 2 * sxy / (sx2 + sy2 + (np.mean(x) - np.mean(y)) ** 2)
    r = np.corrcoef(x, y)[0, 1]
    u = (np.mean(x) - np.mean(y)) / (sx2 * sy2) ** 0.25
    first = (1 - r**2) * c**2 / ((1 - c**2) * r**2)
    second = 2 * c**3 * (1 - c) * u**2 / (r * (1 - c**2) ** 2)
    third = c**4 * u**4 / (2 * r**2 * (1 - c**2) ** 2)
    z = 0.5 * np.log((1 + c) / (1 - c))
    half = quantile * np.sqrt((first + second - third) / (n - 2))
    return c, (np.tanh(z - half), np.tanh(z + half)), r


def test_the_formula_as_published_gives_the_same_on_published_data():
    found, (ccc, interval, pearson) = lins_ccc(WRIGHT, MINI), by_the_published_formula(WRIGHT, MINI)
    assert found.ccc == pytest.approx(ccc)
    assert found.ccc == pytest.approx(0.943, abs=5e-4)
    assert found.pearson == pytest.approx(pearson)
    assert (found.interval.low, found.interval.high) == pytest.approx(interval)
    assert found.bias_correction == pytest.approx(ccc / pearson)


@pytest.mark.parametrize(("shift", "scale"), [(0.0, 1.0), (0.8, 1.0), (0.5, 1.6)])
def test_the_interval_of_simulated_raters_is_as_wide_as_their_spread(shift, scale):
    """Raters of different means and spreads tell the corrected variance from the one first printed, which is 7% too wide."""
    random = np.random.default_rng(11)
    both = random.multivariate_normal([0, 0], [[1, 0.8], [0.8, 1]], size=(4000, 300))
    x, y = both[..., 0], shift + scale * both[..., 1]
    found = [lins_ccc(*pair) for pair in zip(x, y, strict=True)]
    z = np.arctanh([one.ccc for one in found])
    errors = [(np.arctanh(one.interval.high) - np.arctanh(one.interval.low)) / (2 * 1.959964) for one in found]
    assert np.mean(errors) == pytest.approx(z.std(), rel=0.03)
    truth = 2 * 0.8 * scale / (1 + scale**2 + shift**2)
    covered = np.mean([one.interval.low <= truth <= one.interval.high for one in found])
    assert covered == pytest.approx(0.95, abs=0.012)


@settings(max_examples=100, deadline=None)
@given(pairs=values)
def test_it_is_symmetric_and_never_above_the_correlation(pairs):
    x, y = np.array(pairs).T
    there, back = lins_ccc(x, y), lins_ccc(y, x)
    if there.ccc is not None:
        assert there.ccc == pytest.approx(back.ccc)
        assert -1 <= there.ccc <= 1
    if there.pearson is not None:
        assert abs(there.ccc) <= abs(there.pearson) + 1e-9
        assert 0 < there.bias_correction <= 1 + 1e-9
    if there.interval is not None:
        assert there.interval.low - 1e-9 <= there.ccc <= there.interval.high + 1e-9


def test_equal_measurements_agree_fully_and_have_no_interval():
    found = lins_ccc([0.1, 0.2, 0.7], [0.1, 0.2, 0.7])
    assert (found.ccc, found.pearson, found.bias_correction, found.interval) == (1, 1, 1, None)


def test_a_measurement_that_does_not_vary_agrees_with_nothing():
    found = lins_ccc([0.1, 0.1, 0.1], [1, 2, 5])
    assert (found.ccc, found.pearson, found.interval) == (0, None, None)
    assert lins_ccc([0.1, 0.1, 0.1], [0.1, 0.1, 0.1]).ccc is None
    assert lins_ccc([0.1, 0.1, 0.1], [0.2, 0.2, 0.2]).ccc == 0


def test_no_correlation_has_an_interval_about_zero():
    found = lins_ccc([-1, 0, 1, 0], [0, 1, 0, -1])
    assert (found.ccc, found.pearson) == (0, 0)
    assert found.interval.low == pytest.approx(-found.interval.high)


def test_two_pairs_have_a_coefficient_and_no_interval():
    found = lins_ccc([1, 2], [1, 3])
    assert (found.n, found.interval) == (2, None)
    assert found.ccc == pytest.approx(by_the_published_formula([1, 2, 1, 2], [1, 3, 1, 3])[0])
    assert lins_ccc([1], [1]).ccc is None
