import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from HTSegmentationLib.errors import ParameterError
from HTSegmentationLib.measure.statistics import bootstrap_interval, summarize

VOLUMES = np.random.default_rng(3).gamma(1.2, 9, 51)


def test_the_numbers_are_those_of_the_standard_library():
    found = summarize([*VOLUMES, None, float("nan")])
    quarters = statistics.quantiles(VOLUMES, method="inclusive")
    assert (found.n, found.missing) == (51, 2)
    assert found.mean == pytest.approx(statistics.fmean(VOLUMES))
    assert found.sd == pytest.approx(statistics.stdev(VOLUMES))
    assert (found.q1, found.median, found.q3) == pytest.approx(tuple(quarters))
    assert (found.low, found.high) == (VOLUMES.min(), VOLUMES.max())


@pytest.mark.parametrize("method", ["bca", "percentile"])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_scipy_s_bootstrap_from_the_same_draws_gives_the_same_interval(method, confidence):
    name = {"bca": "BCa", "percentile": "percentile"}[method]
    theirs = stats.bootstrap(
        (VOLUMES,),
        np.mean,
        n_resamples=2000,
        confidence_level=confidence,
        method=name,
        random_state=np.random.default_rng(7),
    ).confidence_interval
    ours = bootstrap_interval(VOLUMES, confidence=confidence, seed=7, method=method)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), rel=1e-9)


def test_another_statistic_can_be_resampled():
    theirs = stats.bootstrap(
        (VOLUMES,), np.median, n_resamples=500, method="percentile", random_state=np.random.default_rng(2)
    ).confidence_interval
    ours = bootstrap_interval(VOLUMES, np.median, resamples=500, seed=2, method="percentile")
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high))


def test_the_interval_is_near_that_of_the_normal_distribution_for_many_values():
    values = np.random.default_rng(5).normal(10, 3, 1000)
    theirs = stats.t.interval(0.95, 999, values.mean(), values.std(ddof=1) / np.sqrt(1000))
    found = summarize(values).mean_interval
    assert (found.low, found.high) == pytest.approx(theirs, abs=0.03)


def test_many_cases_are_worked_off_in_blocks_and_drawn_alike():
    values = np.random.default_rng(8).normal(size=3000)
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=1500, method="BCa", random_state=np.random.default_rng(1)
    ).confidence_interval
    ours = bootstrap_interval(values, resamples=1500, seed=1)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), rel=1e-9)


@settings(max_examples=60, deadline=None)
@given(values=st.lists(st.floats(0, 100), min_size=2, max_size=40), seed=st.integers(0, 5))
def test_the_interval_holds_the_mean_and_depends_on_the_seed_alone(values, seed):
    found = bootstrap_interval(values, seed=seed, resamples=500, method="percentile")
    assert found.low - 1e-9 <= np.mean(values) <= found.high + 1e-9
    assert found == bootstrap_interval(values, seed=seed, resamples=500, method="percentile")
    corrected = bootstrap_interval(values, seed=seed, resamples=500)
    assert min(values) - 1e-9 <= corrected.low <= corrected.high <= max(values) + 1e-9


def test_equal_values_have_an_interval_of_no_width_and_no_spread():
    found = summarize([0.1, 0.1, 0.1])
    assert (found.sd, found.mean_interval.low, found.mean_interval.high) == (0, found.mean, found.mean)


def test_too_few_values_leave_out_what_they_cannot_tell():
    assert summarize([]).as_dict() == dict.fromkeys(summarize([]).as_dict()) | {"n": 0, "missing": 0}
    alone = summarize([4.0])
    assert (alone.mean, alone.low, alone.sd, alone.mean_interval) == (4, 4, None, None)


def test_no_resamples_leave_out_the_interval_alone():
    found = summarize(VOLUMES, resamples=0)
    assert found.mean_interval is None
    assert found.sd == summarize(VOLUMES).sd


def test_settings_that_cannot_be_used_are_refused():
    with pytest.raises(ParameterError, match="resamples is -1"):
        summarize(VOLUMES, resamples=-1)
    with pytest.raises(ParameterError, match="method is 'basic'"):
        bootstrap_interval(VOLUMES, method="basic")
