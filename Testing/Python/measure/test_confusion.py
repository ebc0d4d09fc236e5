import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import confusion_matrix

from HTSegmentationLib.errors import ROIError, UsageError
from HTSegmentationLib.measure.confusion import Confusion, count_confusion
from HTSegmentationLib.roi import Roi

from .conftest import blob, made

SHAPE = (3, 6, 5)
masks = arrays(bool, SHAPE, elements=st.booleans())


def by_scikit_learn(mask, reference, domain):
    (neither, mask_only), (reference_only, both) = confusion_matrix(reference[domain], mask[domain], labels=[False, True])
    return Confusion(both, mask_only, reference_only, neither)


@settings(max_examples=80, deadline=None)
@given(mask=masks, reference=masks, domain=masks)
def test_the_four_counts_are_those_of_scikit_learn_in_every_domain(mask, reference, domain):
    one, other = made(mask), made(reference)
    assert count_confusion(one, other) == by_scikit_learn(mask, reference, np.ones(SHAPE, dtype=bool))
    if domain.any():
        expected = by_scikit_learn(mask, reference, domain)
        assert count_confusion(one, other, brain=made(domain)) == expected
        assert count_confusion(one, other, roi=Roi.from_mask(made(domain))) == expected


def test_masks_and_roi_in_different_corners_share_nothing():
    mask, roi = np.zeros((4, 9, 9)), np.zeros((4, 9, 9))
    mask[0, :2, :2], roi[3, 7:, 7:] = 1, 1
    assert count_confusion(made(mask), made(mask), roi=Roi.from_mask(made(roi))) == Confusion(0, 0, 0, 4)


def test_empty_masks_leave_the_whole_domain_to_neither():
    empty, brain = made(np.zeros((10, 18, 20))), blob(1)
    assert count_confusion(empty, empty, brain=made(brain)) == Confusion(0, 0, 0, int(brain.sum()))
    assert count_confusion(empty, empty).neither == 3600


def test_shares_of_nothing_are_none():
    assert Confusion(0, 3, 0, 7).sensitivity is None
    assert Confusion(4, 0, 2, 0).specificity is None
    assert Confusion(4, 3, 2, 1).as_dict() == {"both": 4, "mask_only": 3, "reference_only": 2, "neither": 1}


def test_a_brain_mask_on_another_grid_two_domains_and_a_foreign_roi_are_refused():
    mask = made(blob(1))
    with pytest.raises(UsageError, match="brain mask and mask lie on different grids"):
        count_confusion(mask, mask, brain=made(np.ones((2, 2, 2))))
    with pytest.raises(UsageError, match="give one of the two"):
        count_confusion(mask, mask, brain=mask, roi=Roi.from_mask(mask))
    with pytest.raises(ROIError, match="make it anew"):
        count_confusion(mask, mask, roi=Roi.from_mask(made(np.ones((2, 2, 2)))))
