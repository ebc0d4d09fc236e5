import numpy as np
import pingouin
import pytest
from scipy import stats

from HTSegmentationLib.measure.statistics import bland_altman

from ... import needs
from .test_concordance import MINI, WRIGHT


def test_the_published_example_has_its_published_values():
    """Bland and Altman, Lancet 1986: bias -2.1, SD 38.8, limits -79.7 and 75.5 with 2 SD; here 1.96 SD."""
    found = bland_altman(WRIGHT, MINI)
    assert (found.n, round(found.bias, 1), round(found.sd, 1)) == (17, -2.1, 38.8)
    assert found.lower == pytest.approx(-2.1 - 1.96 * 38.8, abs=0.1)
    assert found.upper == pytest.approx(-2.1 + 1.96 * 38.8, abs=0.1)
    # Published: the bias from -22.0 to 17.8.
    assert (found.bias_interval.low, found.bias_interval.high) == pytest.approx((-22.0, 17.8), abs=0.1)


def test_the_intervals_of_the_limits_have_the_error_of_1999():
    found = bland_altman(WRIGHT, MINI, confidence=0.9)
    differences = np.subtract(WRIGHT, MINI)
    variance = differences.var(ddof=1)
    error = np.sqrt(variance * (1 / 17 + 1.96**2 / (2 * 16)))
    ends = stats.t.interval(0.9, 16, loc=found.upper, scale=error)
    assert (found.upper_interval.low, found.upper_interval.high) == pytest.approx(ends)
    assert found.upper_interval.high - found.upper == pytest.approx(found.lower - found.lower_interval.low)


def test_pingouin_draws_the_same_limits_and_nearly_the_same_intervals():
    matplotlib = needs.package("matplotlib", "not compared with it")
    matplotlib.use("Agg")
    axes = pingouin.plot_blandaltman(np.array(WRIGHT, float), np.array(MINI, float))
    lines = sorted({round(float(np.ravel(line.get_ydata())[0]), 6) for line in axes.lines} - {0})
    bands = sorted(tuple(np.sort(np.unique(_heights(patch)))[[0, -1]]) for patch in axes.patches)
    found = bland_altman(WRIGHT, MINI)
    assert lines == pytest.approx([found.lower, found.bias, found.upper], abs=1e-5)
    ours = [found.lower_interval, found.bias_interval, found.upper_interval]
    assert bands[1] == pytest.approx((ours[1].low, ours[1].high))
    # Its limits have the rounded error of 1986, sqrt(3 / n) SD: 1.73 rather than 1.71.
    for band, interval in zip((bands[0], bands[2]), (ours[0], ours[2]), strict=True):
        assert band == pytest.approx((interval.low, interval.high), abs=0.02 * (band[1] - band[0]))


def _heights(patch):
    return patch.get_xy()[:, 1] if hasattr(patch, "get_xy") and np.ndim(patch.get_xy()) == 2 else patch.get_bbox().intervaly


def test_the_order_turns_the_signs():
    there, back = bland_altman(WRIGHT, MINI), bland_altman(MINI, WRIGHT)
    assert (there.bias, there.lower, there.upper) == pytest.approx((-back.bias, -back.upper, -back.lower))


def test_equal_differences_have_limits_of_no_width():
    found = bland_altman([0.1, 0.1, 0.1], [0, 0, 0])
    assert (found.sd, found.lower, found.upper) == (0, found.bias, found.bias)


def test_one_pair_has_a_bias_alone():
    found = bland_altman([3], [1])
    assert (found.n, found.bias, found.sd, found.upper, found.bias_interval) == (1, 2, None, None, None)
    assert bland_altman([], []).bias is None
