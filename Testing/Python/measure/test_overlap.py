import json

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import jaccard_score, precision_score, recall_score

from HTSegmentationLib.errors import UsageError
from HTSegmentationLib.measure import measure_overlap

from .conftest import blob, made

masks = arrays(bool, (3, 5, 4), elements=st.booleans())


@settings(max_examples=60, deadline=None)
@given(one=masks, other=masks)
def test_dice_is_symmetric_and_between_zero_and_one(one, other):
    there, back = measure_overlap(made(one), made(other)), measure_overlap(made(other), made(one))
    assert there.dice == back.dice
    assert 0 <= there.dice <= 1
    assert (there.dice == 1) == bool((one == other).all())
    assert there.sensitivity == back.precision
    assert there.volume_difference_ml == -back.volume_difference_ml
    assert there.iou == back.iou == pytest.approx(there.dice / (2 - there.dice))


def test_dice_is_twice_the_overlap_by_the_sum():
    one, other = np.zeros((2, 10, 10)), np.zeros((2, 10, 10))
    one[0, :4, :5], other[0, 2:6, :5] = 1, 1
    found = measure_overlap(made(one, (1, 1, 5)), made(other, (1, 1, 5)))
    assert found.dice == pytest.approx(0.5)
    assert (found.sensitivity, found.precision) == (0.5, 0.5)
    assert (found.both_voxels, found.mask_only_voxels, found.reference_only_voxels) == (10, 10, 10)
    assert (found.mask_volume_ml, found.reference_volume_ml) == pytest.approx((0.1, 0.1))


def test_two_empty_masks_agree_and_one_empty_mask_does_not():
    full, empty = np.ones((2, 3, 3)), np.zeros((2, 3, 3))
    both = measure_overlap(made(empty), made(empty))
    assert (both.dice, both.iou, both.sensitivity, both.precision) == (1, 1, None, None)
    missed, invented = measure_overlap(made(empty), made(full)), measure_overlap(made(full), made(empty))
    assert (missed.dice, missed.iou, missed.sensitivity, missed.precision) == (0, 0, 0, None)
    assert (invented.dice, invented.iou, invented.sensitivity, invented.precision) == (0, 0, None, 0)


@pytest.mark.parametrize("seed", range(4))
def test_simpleitk_and_scikit_learn_find_the_same_overlap(seed):
    one, other = made(blob(seed)), made(blob(seed + 50))
    found, theirs = measure_overlap(one, other), sitk.LabelOverlapMeasuresImageFilter()
    theirs.Execute(one, other)
    assert found.dice == pytest.approx(theirs.GetDiceCoefficient())
    assert found.iou == pytest.approx(theirs.GetJaccardCoefficient())
    assert found.iou == pytest.approx(jaccard_score(blob(seed + 50).ravel(), blob(seed).ravel()))
    assert found.precision == pytest.approx(precision_score(blob(seed + 50).ravel(), blob(seed).ravel()))
    assert found.sensitivity == pytest.approx(recall_score(blob(seed + 50).ravel(), blob(seed).ravel()))


def test_a_label_of_the_mask_can_be_compared_with_another_of_the_reference():
    array = np.zeros((2, 6, 6))
    array[0, :3, :3] = 1
    assert measure_overlap(made(array * 3), made(array * 5), 3, 5).dice == 1
    assert measure_overlap(made(array * 3), made(array * 5), 3).dice == 0


def test_masks_on_different_grids_are_refused():
    with pytest.raises(UsageError, match="mask and reference lie on different grids"):
        measure_overlap(made(np.ones((2, 3, 3))), made(np.ones((2, 3, 4))))


def test_the_record_is_plain_json():
    values = measure_overlap(made(np.ones((2, 3, 3))), made(np.ones((2, 3, 3)))).as_dict()
    assert json.loads(json.dumps(values, allow_nan=False)) == values
