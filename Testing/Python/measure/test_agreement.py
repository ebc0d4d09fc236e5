import json

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from HTSegmentationLib.errors import ROIError, UsageError
from HTSegmentationLib.measure.agreement import Agreement, agreement_word, measure_agreement
from HTSegmentationLib.roi import Roi

from .conftest import blob, made


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


def test_each_domain_counts_its_own_voxels():
    mask, reference, brain = boxes((slice(0, 4), slice(0, 5)), (slice(2, 8), slice(0, 5)), (slice(0, 9), slice(0, 8)))
    inside = measure_agreement(made(mask), made(reference), brain=made(brain))
    # 72 voxels of the brain: 30 of the reference (10 found), 42 others (10 wrongly found); 200 voxels of the image.
    assert inside == Agreement("brain", 10 / 30, 32 / 42, pytest.approx((10 / 30 + 32 / 42) / 2))
    assert measure_agreement(made(mask), made(reference)) == Agreement(
        "image", 10 / 30, 160 / 170, pytest.approx((10 / 30 + 160 / 170) / 2)
    )


def test_an_roi_that_is_the_same_voxels_as_the_brain_counts_the_same():
    mask, reference, brain = (blob(seed) for seed in (1, 2, 3))
    in_roi = measure_agreement(made(mask), made(reference), Roi.from_mask(made(brain)))
    in_brain = measure_agreement(made(mask), made(reference), brain=made(brain))
    assert (in_roi.sensitivity, in_roi.specificity, in_roi.auc) == (in_brain.sensitivity, in_brain.specificity, in_brain.auc)


def test_scikit_learn_finds_the_same_auc_of_mask_and_probability():
    mask, reference, brain = (blob(seed) for seed in (1, 2, 3))
    # Of few different values, so that many are equal.
    probability = np.round(np.random.default_rng(4).random(mask.shape) * 0.5 + 0.3 * reference, 1)
    images = {"brain": made(brain), "probability": made(probability, kind=np.float32)}
    found = measure_agreement(made(mask), made(reference), **images)
    assert found.auc == pytest.approx(roc_auc_score(reference[brain], probability[brain]))
    in_roi = measure_agreement(made(mask), made(reference), Roi.from_mask(made(brain)), probability=images["probability"])
    assert in_roi.auc == pytest.approx(found.auc)
    whole = measure_agreement(made(mask), made(reference), probability=images["probability"])
    assert whole.auc == pytest.approx(roc_auc_score(reference.ravel(), probability.ravel()))
    binary = measure_agreement(made(mask), made(reference), brain=images["brain"])
    assert binary.auc == pytest.approx(roc_auc_score(reference[brain], mask[brain]))


def test_a_mask_given_as_its_own_probability_has_the_auc_of_the_mask():
    mask, reference = made(blob(5)), made(blob(6))
    assert measure_agreement(mask, reference, probability=mask).auc == pytest.approx(measure_agreement(mask, reference).auc)


def test_a_probability_that_is_no_number_is_refused():
    probability = np.zeros((10, 18, 20))
    probability[3, 3, 3] = np.nan
    with pytest.raises(UsageError, match="not finite numbers"):
        measure_agreement(made(blob(5)), made(blob(6)), probability=made(probability, kind=np.float32))


def test_two_domains_at_once_are_refused():
    with pytest.raises(UsageError, match="give one of the two"):
        measure_agreement(made(blob(5)), made(blob(6)), Roi.from_mask(made(blob(7))), brain=made(blob(7)))


def test_other_grids_are_refused():
    roi = Roi.from_mask(made(np.ones((2, 3, 3))))
    with pytest.raises(UsageError, match="mask and reference lie on different grids"):
        measure_agreement(made(np.ones((2, 3, 3))), made(np.ones((2, 3, 4))), roi)
    with pytest.raises(UsageError, match="brain mask and mask lie on different grids"):
        measure_agreement(made(np.ones((2, 3, 3))), made(np.ones((2, 3, 3))), brain=made(np.ones((2, 3, 4))))
    with pytest.raises(UsageError, match="probability and mask lie on different grids"):
        measure_agreement(made(np.ones((2, 3, 3))), made(np.ones((2, 3, 3))), probability=made(np.ones((2, 3, 4))))
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
