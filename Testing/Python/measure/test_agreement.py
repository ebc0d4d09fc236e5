import json

import numpy as np
import pytest

from HTSegmentationLib.errors import ROIError, UsageError
from HTSegmentationLib.measure.agreement import agreement_word, measure_agreement
from HTSegmentationLib.roi import Roi

from .conftest import made


def boxes(*slices, shape=(2, 10, 10)):
    """An array for each (rows, columns) of the first slice."""
    for rows, columns in slices:
        array = np.zeros(shape)
        array[0, rows, columns] = 1
        yield array


def test_only_voxels_in_the_roi_count():
    mask, reference, roi = boxes((slice(0, 4), slice(0, 5)), (slice(2, 8), slice(0, 5)), (slice(0, 6), slice(0, 6)))
    found = measure_agreement(made(mask), made(reference), Roi.from_mask(made(roi)))
    # 36 voxels: 20 of the reference (10 found), 16 others (10 wrongly found).
    assert (found.sensitivity, found.specificity) == (0.5, 6 / 16)
    assert found.auc == pytest.approx((0.5 + 6 / 16) / 2)
    assert found.domain == "ROI"


def test_a_perfect_mask_has_an_auc_of_one():
    mask, roi = boxes((slice(2, 5), slice(2, 5)), (slice(0, 8), slice(0, 8)))
    found = measure_agreement(made(mask), made(mask), Roi.from_mask(made(roi)))
    assert (found.sensitivity, found.specificity, found.auc) == (1, 1, 1)


def test_what_does_not_exist_is_none():
    mask, reference, roi = boxes((slice(0, 2), slice(0, 2)), (slice(8, 9), slice(8, 9)), (slice(0, 4), slice(0, 4)))
    outside = measure_agreement(made(mask), made(reference), Roi.from_mask(made(roi)))
    assert (outside.sensitivity, outside.specificity, outside.auc) == (None, 12 / 16, None)
    filled = measure_agreement(made(mask), made(roi), Roi.from_mask(made(roi)))
    assert (filled.sensitivity, filled.specificity, filled.auc) == (4 / 16, None, None)


def test_another_label_can_be_compared():
    mask, roi = boxes((slice(2, 5), slice(2, 5)), (slice(0, 8), slice(0, 8)))
    found = measure_agreement(made(mask * 2), made(mask * 2), Roi.from_mask(made(roi)), label=2)
    assert found.auc == 1


def test_other_grids_are_refused():
    roi = Roi.from_mask(made(np.ones((2, 3, 3))))
    with pytest.raises(UsageError, match="mask and reference lie on different grids"):
        measure_agreement(made(np.ones((2, 3, 3))), made(np.ones((2, 3, 4))), roi)
    with pytest.raises(ROIError, match="make it anew"):
        measure_agreement(made(np.ones((2, 3, 4))), made(np.ones((2, 3, 4))), roi)


@pytest.mark.parametrize(
    ("dice", "word"),
    [
        (0.0, "none"),
        (0.01, "slight"),
        (0.2, "slight"),
        (0.21, "fair"),
        (0.41, "moderate"),
        (0.66, "substantial"),
        (0.8, "substantial"),
        (0.81, "almost perfect"),
        (1.0, "almost perfect"),
    ],
)
def test_the_words_are_those_of_landis_and_koch(dice, word):
    assert agreement_word(dice) == word


def test_the_record_is_plain_json():
    mask, roi = boxes((slice(2, 5), slice(2, 5)), (slice(0, 8), slice(0, 8)))
    values = measure_agreement(made(mask), made(mask), Roi.from_mask(made(roi))).as_dict()
    assert json.loads(json.dumps(values, allow_nan=False)) == values
