"""What holds for every statistic: nothing is raised or printed, and the result is plain JSON."""

import dataclasses
import json
import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from HTSegmentationLib.errors import UsageError
from HTSegmentationLib.measure.statistics import (
    bland_altman,
    cohens_kappa,
    compare_paired,
    disagreement_rate,
    intraclass_correlation,
    kruskal_wallis,
    linear_fit,
    lins_ccc,
    mann_whitney,
    mean_absolute_error,
    summarize,
)

PAIRED = {
    "lins_ccc": lins_ccc,
    "linear_fit": linear_fit,
    "bland_altman": bland_altman,
    "mean_absolute_error": mean_absolute_error,
    "disagreement_rate": disagreement_rate,
    "compare_paired": lambda first, second: compare_paired(first, second, resamples=20),
}
OTHERS = {
    "summarize": lambda first, _: summarize(first, resamples=20),
    "mann_whitney": mann_whitney,
    "kruskal_wallis": lambda first, second: kruskal_wallis({"a": first, "b": second, "c": first[:1]}),
    "cohens_kappa": cohens_kappa,
    "intraclass_correlation": lambda first, second: intraclass_correlation(
        np.array([first, second], dtype=float).T.reshape(-1, 2)
    ),
}
numbers = st.one_of(st.none(), st.just(math.nan), st.integers(0, 3).map(float), st.floats(0, 100))
pairs = st.lists(st.tuples(numbers, numbers), max_size=8)


@pytest.mark.parametrize("name", [*PAIRED, *OTHERS])
@settings(max_examples=60, deadline=None)
@given(pairs=pairs)
def test_a_few_values_of_any_kind_raise_and_warn_of_nothing_and_give_plain_json(name, pairs):
    first, second = ([pair[n] for pair in pairs] for n in (0, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = (PAIRED | OTHERS)[name](first, second)
    assert json.loads(json.dumps(found.as_dict(), allow_nan=False))
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.missing = 0


@pytest.mark.parametrize("name", PAIRED)
def test_pairs_with_a_missing_value_are_left_out_and_counted(name):
    first, second = [3.0, 1.0, None, 4.0, math.nan, 7.5, math.inf], [2.5, 1.5, 3.0, 5.0, 2.0, None, 1.0]
    whole = PAIRED[name]([3.0, 1.0, 4.0], [2.5, 1.5, 5.0])
    found = PAIRED[name](first, second)
    assert (found.n, found.missing) == (3, 4)
    assert dataclasses.replace(found, missing=0) == whole


@pytest.mark.parametrize("name", PAIRED)
def test_values_that_do_not_pair_are_refused(name):
    with pytest.raises(UsageError, match="there are 2 of the first and 3 of the second"):
        PAIRED[name]([1, 2], [1, 2, 3])
    with pytest.raises(UsageError, match="must be one-dimensional"):
        PAIRED[name]([[1, 2]], [[1, 2]])
