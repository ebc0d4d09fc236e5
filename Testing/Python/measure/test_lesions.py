import json

import numpy as np
import pytest
import SimpleITK as sitk

from HTSegmentationLib.errors import ParameterError, UsageError
from HTSegmentationLib.measure.lesions import Lesion, detect_lesions

from .conftest import blob, made


def three_lesions():
    """Parts of 27, 8 and 1 voxels, and a mask that holds 9 of the first, all of the third, and two parts of its own."""
    reference, mask = np.zeros((8, 20, 20)), np.zeros((8, 20, 20))
    reference[1:4, 1:4, 1:4] = reference[1:3, 10:12, 1:3] = reference[6, 15, 15] = 1
    mask[1:2, 1:4, 1:4] = mask[6, 15, 15] = 1
    mask[6:8, 1:3, 10:13] = mask[0, 19, 19] = 1
    return made(mask, (1, 1, 5)), made(reference, (1, 1, 5))


def test_lesions_found_and_invented_are_counted():
    found = detect_lesions(*three_lesions())
    assert (found.reference_lesions, found.lesions_found, found.lesion_sensitivity) == (3, 2, 2 / 3)
    assert (found.mask_lesions, found.false_positive_lesions) == (4, 2)
    assert found.lesions == (
        Lesion(pytest.approx(0.135), pytest.approx(1 / 3), True),
        Lesion(pytest.approx(0.04), 0, False),
        Lesion(pytest.approx(0.005), 1, True),
    )


def test_a_larger_share_can_be_asked_for():
    assert detect_lesions(*three_lesions(), least_share=1 / 3).lesions_found == 2
    assert detect_lesions(*three_lesions(), least_share=0.34).lesions_found == 1
    assert detect_lesions(*three_lesions(), least_share=1).lesions_found == 1


def test_small_parts_count_neither_as_lesions_nor_as_false_positives():
    found = detect_lesions(*three_lesions(), least_ml=0.01)
    assert (found.reference_lesions, found.lesions_found) == (2, 1)
    assert (found.mask_lesions, found.false_positive_lesions) == (2, 1)


def test_a_part_that_holds_a_small_lesion_is_no_false_positive():
    reference, mask = np.zeros((3, 9, 9)), np.zeros((3, 9, 9))
    reference[1, 4, 4], mask[:, 2:7, 2:7] = 1, 1
    found = detect_lesions(made(mask), made(reference), least_ml=0.01)
    assert (found.reference_lesions, found.lesion_sensitivity, found.false_positive_lesions) == (0, None, 0)


def test_voxels_that_touch_at_a_corner_are_one_lesion():
    reference = np.zeros((3, 5, 5))
    reference[0, 1, 1] = reference[1, 2, 2] = reference[2, 3, 3] = 1
    found = detect_lesions(made(reference), made(reference))
    assert (found.reference_lesions, found.lesions_found, found.mask_lesions) == (1, 1, 1)


@pytest.mark.parametrize("seed", range(4))
def test_simpleitk_counts_the_same_parts(seed):
    mask, reference = blob(seed, sigma=1.2, level=0.12), blob(seed + 20, sigma=1.2, level=0.12)
    parts = [sitk.GetArrayFromImage(sitk.ConnectedComponent(made(array), True)) for array in (mask, reference)]
    hit = {int(n) for n in np.unique(parts[1][mask & reference])}
    touched = {int(n) for n in np.unique(parts[0][mask & reference])}
    found = detect_lesions(made(mask), made(reference))
    assert (found.reference_lesions, found.lesions_found) == (parts[1].max(), len(hit))
    assert (found.mask_lesions, found.false_positive_lesions) == (parts[0].max(), parts[0].max() - len(touched))
    assert found.reference_lesions > 3


def test_nothing_to_find_has_no_sensitivity():
    empty, full = made(np.zeros((3, 4, 4))), made(np.ones((3, 4, 4)))
    assert detect_lesions(empty, empty).as_dict() == {
        "reference_lesions": 0,
        "lesions_found": 0,
        "lesion_sensitivity": None,
        "mask_lesions": 0,
        "false_positive_lesions": 0,
        "lesions": (),
    }
    assert detect_lesions(full, empty).false_positive_lesions == 1
    assert detect_lesions(empty, full).lesion_sensitivity == 0


def test_the_record_is_plain_json():
    values = detect_lesions(*three_lesions()).as_dict()
    assert json.loads(json.dumps(values, allow_nan=False))["lesions"][1]["overlap_share"] == 0


def test_other_grids_and_values_out_of_range_are_refused():
    mask, reference = three_lesions()
    with pytest.raises(UsageError, match="different grids"):
        detect_lesions(mask, made(np.ones((2, 2, 2))))
    with pytest.raises(ParameterError, match=r"least_share is 1\.5"):
        detect_lesions(mask, reference, least_share=1.5)
    with pytest.raises(ParameterError, match="least_ml is nan"):
        detect_lesions(mask, reference, least_ml=float("nan"))
