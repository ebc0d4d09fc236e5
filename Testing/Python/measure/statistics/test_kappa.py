import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import cohens_kappa as by_statsmodels

from HTSegmentationLib.errors import UsageError
from HTSegmentationLib.measure.overlap import measure_overlap
from HTSegmentationLib.measure.statistics import cohens_kappa, masks_kappa
from HTSegmentationLib.measure.statistics.kappa import kappa_of_table
from HTSegmentationLib.roi import Roi

from ..conftest import blob, made

TABLES = ([[20, 5], [10, 15]], [[10, 2, 3], [1, 20, 5], [0, 4, 30]], [[3000, 1000], [500, 900_000]])


@pytest.mark.parametrize("table", TABLES)
def test_statsmodels_finds_the_same_kappa_error_and_interval(table):
    theirs = by_statsmodels(np.array(table, dtype=float))
    found = kappa_of_table(table)
    assert (found.kappa, found.standard_error) == pytest.approx((theirs.kappa, theirs.std_kappa))
    assert (found.interval.low, found.interval.high) == pytest.approx((theirs.kappa_low, theirs.kappa_upp))
    assert found.n == np.sum(table)


words = st.sampled_from(["HI1", "HI2", "PH1", "PH2"])


@settings(max_examples=60, deadline=None)
@given(pairs=st.lists(st.tuples(words, words), min_size=2, max_size=30))
def test_scikit_learn_finds_the_same_kappa_of_words(pairs):
    first, second = zip(*pairs, strict=True)
    found = cohens_kappa(first, second)
    if len({*first, *second}) == 1:
        assert found.kappa is None
    else:
        assert found.kappa == pytest.approx(cohen_kappa_score(first, second))
        assert -1 <= found.interval.low <= found.kappa <= found.interval.high <= 1
        assert found.kappa == pytest.approx(cohens_kappa(second, first).kappa)


def test_ratings_that_are_missing_are_left_out():
    found = cohens_kappa(["PH", None, "HI", "PH", "HI"], ["PH", "PH", "HI", float("nan"), "HI"])
    assert (found.kappa, found.n, found.missing) == (1, 3, 2)


def test_raters_without_objects_have_no_kappa():
    assert cohens_kappa([], []).kappa is None
    with pytest.raises(UsageError, match="must rate the same objects"):
        cohens_kappa([1], [1, 2])


@pytest.mark.parametrize("seed", range(3))
def test_two_masks_have_the_kappa_of_their_voxels_in_each_domain(seed):
    one, other, domain = (blob(seed + n) for n in (0, 10, 20))
    whole = masks_kappa(made(one), made(other))
    assert whole.kappa == pytest.approx(cohen_kappa_score(one.ravel(), other.ravel()))
    assert whole.n == one.size
    expected = cohen_kappa_score(one[domain], other[domain])
    assert masks_kappa(made(one), made(other), brain=made(domain)).kappa == pytest.approx(expected)
    assert masks_kappa(made(one), made(other), roi=Roi.from_mask(made(domain))).kappa == pytest.approx(expected)


def test_on_a_whole_head_kappa_is_all_but_dice():
    one, other = (sitk.Image(100, 100, 40, sitk.sitkUInt8) for _ in range(2))
    one[10:20, 10:20, 5:8] = 1
    other[13:23, 10:20, 5:8] = 1
    assert masks_kappa(one, other).kappa == pytest.approx(measure_overlap(one, other).dice, abs=1e-3)


def test_two_empty_masks_have_no_kappa():
    empty = made(np.zeros((3, 4, 4)))
    found = masks_kappa(empty, empty)
    assert (found.kappa, found.interval, found.n) == (None, None, 48)


def test_a_mask_and_itself_agree_fully():
    assert masks_kappa(made(blob(1)), made(blob(1))).kappa == pytest.approx(1)
