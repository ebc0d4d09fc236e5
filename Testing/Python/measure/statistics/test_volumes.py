import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import mean_absolute_error as by_scikit_learn

from HTSegmentationLib.measure.statistics import disagreement_rate, mean_absolute_error

volumes = st.floats(0, 200)
pairs = st.lists(st.tuples(volumes, volumes), min_size=1, max_size=20)


@settings(max_examples=60, deadline=None)
@given(pairs=pairs)
def test_scikit_learn_finds_the_same_mean_absolute_error(pairs):
    first, second = zip(*pairs, strict=True)
    assert mean_absolute_error(first, second).mean == pytest.approx(by_scikit_learn(first, second))


def test_the_spread_of_the_error_is_the_sample_sd():
    found = mean_absolute_error([10, 20, 30], [12, 19, 36])
    # 2, 1 and 6 mL apart: mean 3, SD sqrt((1 + 4 + 9) / 2).
    assert (found.mean, found.sd) == (3, pytest.approx(7**0.5))
    assert mean_absolute_error([1], [2]).sd is None


def test_the_disagreement_rate_by_hand():
    found = disagreement_rate([12, 9, 0], [8, 11, 0])
    # 4 / 10, -2 / 10 and, both empty, 0.
    assert (found.rate, found.absolute_rate) == (pytest.approx(0.2 / 3), pytest.approx(0.6 / 3))


@settings(max_examples=60, deadline=None)
@given(pairs=pairs)
def test_the_disagreement_turns_its_sign_with_the_raters_and_never_passes_two(pairs):
    first, second = zip(*pairs, strict=True)
    there, back = disagreement_rate(first, second), disagreement_rate(second, first)
    assert there.rate == pytest.approx(-back.rate)
    assert abs(there.rate) <= there.absolute_rate + 1e-12
    assert 0 <= there.absolute_rate == pytest.approx(back.absolute_rate)
    assert there.absolute_rate <= 2 + 1e-12


def test_a_volume_against_none_disagrees_fully():
    assert disagreement_rate([5], [0]).rate == 2
    assert disagreement_rate([], []).rate is None
    assert mean_absolute_error([], []).mean is None
