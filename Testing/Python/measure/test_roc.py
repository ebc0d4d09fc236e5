import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from HTSegmentationLib.measure.roc import area_under_curve

scores = st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=2, max_size=60)


@settings(max_examples=150, deadline=None)
@given(scores=scores)
def test_ties_of_any_number_count_half_as_in_scikit_learn(scores):
    true, values = np.array([one for one, _ in scores]), np.array([value for _, value in scores], dtype=np.float32)
    if true.all() or not true.any():
        assert area_under_curve(values[true], values) is None
    else:
        assert area_under_curve(values[true], values) == pytest.approx(roc_auc_score(true, values))


def test_a_perfect_map_has_one_an_inverted_one_zero_and_a_constant_one_half():
    values = np.array([0.9, 0.8, 0.2, 0.1])
    assert area_under_curve(values[:2], values) == 1
    assert area_under_curve(values[2:], values) == 0
    assert area_under_curve(np.full(2, 0.3), np.full(4, 0.3)) == 0.5


def test_only_the_order_of_the_values_counts():
    values = np.random.default_rng(0).normal(size=400)
    assert area_under_curve(values[:90], values) == area_under_curve(np.exp(values[:90]), np.exp(values))
