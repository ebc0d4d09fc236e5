import pytest
from scipy import stats

from HTSegmentationLib.errors import ParameterError
from HTSegmentationLib.measure.statistics import (
    Interval,
    bland_altman,
    bootstrap_interval,
    cohens_kappa,
    compare_paired,
    intraclass_correlation,
    linear_fit,
    lins_ccc,
    summarize,
)
from HTSegmentationLib.measure.statistics.interval import normal_quantile, t_p_value, t_quantile

VALUES = [1.0, 2.0, 4.0]


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.99])
def test_the_quantiles_are_those_of_scipy(confidence):
    assert normal_quantile(confidence) == pytest.approx(stats.norm.ppf((1 + confidence) / 2))
    assert t_quantile(confidence, 7) == pytest.approx(stats.t.ppf((1 + confidence) / 2, 7))
    assert t_p_value(-confidence, 7) == pytest.approx(2 * stats.t.sf(confidence, 7))


def test_an_interval_is_written_with_its_confidence():
    assert Interval.around(2.0, 0.5, 0.9).as_dict() == {"low": 1.5, "high": 2.5, "confidence": 0.9}


@pytest.mark.parametrize("confidence", [0, 1, 95, -0.5])
@pytest.mark.parametrize(
    "statistic",
    [
        lambda confidence: summarize(VALUES, confidence=confidence),
        lambda confidence: bootstrap_interval(VALUES, confidence=confidence),
        lambda confidence: lins_ccc(VALUES, VALUES, confidence),
        lambda confidence: linear_fit(VALUES, VALUES, confidence),
        lambda confidence: bland_altman(VALUES, VALUES, confidence),
        lambda confidence: compare_paired(VALUES, VALUES, confidence=confidence),
        lambda confidence: cohens_kappa(VALUES, VALUES, confidence),
        lambda confidence: intraclass_correlation([VALUES, VALUES], confidence),
    ],
)
def test_every_statistic_refuses_a_confidence_that_is_no_share(statistic, confidence):
    with pytest.raises(ParameterError, match=f"confidence is {confidence}; it must lie between 0 and 1"):
        statistic(confidence)
