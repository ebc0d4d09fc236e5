import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from HTSegmentationLib.errors import ParameterError
from HTSegmentationLib.measure.statistics import false_discovery


@settings(max_examples=100, deadline=None)
@given(p_values=st.lists(st.one_of(st.floats(0, 1), st.sampled_from([0.01, 0.05])), min_size=1, max_size=30))
def test_statsmodels_and_scipy_adjust_the_same(p_values):
    found = false_discovery(p_values)
    assert found == pytest.approx(multipletests(p_values, method="fdr_bh")[1])
    assert found == pytest.approx(stats.false_discovery_control(p_values))
    assert all(adjusted >= p - 1e-15 for adjusted, p in zip(found, p_values, strict=True))


def test_what_is_missing_stays_missing_and_does_not_count():
    assert false_discovery([0.01, None, 0.04, float("nan"), 0.03]) == (pytest.approx(0.03), None, 0.04, None, 0.04)
    assert false_discovery([]) == ()
    assert false_discovery([None]) == (None,)


def test_the_order_given_is_kept():
    shuffled = np.random.default_rng(0).permutation(20)
    p_values = np.linspace(0.001, 0.2, 20)
    assert np.array(false_discovery(p_values))[shuffled] == pytest.approx(false_discovery(p_values[shuffled]))


def test_a_p_value_out_of_range_is_refused():
    with pytest.raises(ParameterError, match=r"p-value is 1\.2"):
        false_discovery([0.1, 1.2])
