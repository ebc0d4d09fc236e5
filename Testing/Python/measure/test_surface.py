"""HD95 by hand, and against SciPy's distance maps."""

import numpy as np
import pytest
import SimpleITK as sitk
from scipy import ndimage

from HTSegmentationLib.errors import UsageError
from HTSegmentationLib.measure.surface import hd95_mm

SPACING = (0.7, 0.9, 4.0)


def mask_of(array, spacing=SPACING):
    image = sitk.GetImageFromArray(array.astype(np.uint8))
    image.SetSpacing(spacing)
    return image


def by_distance_maps(one, other, spacing):
    """The same number by distance maps of the surfaces, on a rectangular grid."""
    surfaces = [array & ~ndimage.binary_erosion(array) for array in (one, other)]
    maps = [ndimage.distance_transform_edt(~surface, sampling=spacing[::-1]) for surface in surfaces]
    return max(np.percentile(maps[1][surfaces[0]], 95), np.percentile(maps[0][surfaces[1]], 95))


def test_two_single_voxels_are_as_far_apart_as_their_centres():
    one, other = np.zeros((9, 9, 9)), np.zeros((9, 9, 9))
    one[1, 2, 3], other[4, 6, 3] = 1, 1
    assert hd95_mm(mask_of(one), mask_of(other)) == pytest.approx(np.hypot(3 * 4.0, 4 * 0.9))


def test_two_rows_that_differ_in_length_by_hand():
    one, other = np.zeros((1, 1, 50)), np.zeros((1, 1, 50))
    one[..., :21], other[..., :11] = 1, 1
    # 21 distances: 0 eleven times, then 1 to 10 voxels; the 95th percentile is the 20th of them, 9 voxels.
    assert hd95_mm(mask_of(one), mask_of(other)) == pytest.approx(9 * 0.7)


@pytest.mark.parametrize("seed", range(5))
def test_random_shapes_give_what_distance_maps_give(seed):
    random = np.random.default_rng(seed)
    one, other = (ndimage.gaussian_filter(random.normal(size=(14, 20, 24)), 2) > 0.02 for _ in range(2))
    assert hd95_mm(mask_of(one), mask_of(other)) == pytest.approx(by_distance_maps(one, other, SPACING))
    assert hd95_mm(mask_of(one), mask_of(other)) == hd95_mm(mask_of(other), mask_of(one))


def test_a_sheared_grid_is_measured_in_the_patient():
    one, other = np.zeros((9, 9, 9)), np.zeros((9, 9, 9))
    one[1, 4, 4], other[5, 4, 4] = 1, 1
    images = [mask_of(one, (1, 1, 1)), mask_of(other, (1, 1, 1))]
    for image in images:
        image.SetDirection((1, 0, 0, 0, 1, 0.5, 0, 0, 1))
    assert hd95_mm(*images) == pytest.approx(4 * np.hypot(1, 0.5))


def test_equal_masks_have_no_distance_and_only_the_label_asked_for_counts():
    array = np.zeros((5, 5, 5))
    array[1:3, 1:4, 1:4] = 2
    assert hd95_mm(mask_of(array), mask_of(array), label=2) == 0.0
    assert hd95_mm(mask_of(array), mask_of(array)) == 0.0


def test_both_empty_is_zero_and_one_empty_has_no_distance():
    empty, full = np.zeros((4, 4, 4)), np.ones((4, 4, 4))
    assert hd95_mm(mask_of(empty), mask_of(empty)) == 0.0
    assert hd95_mm(mask_of(full), mask_of(empty)) is None
    assert hd95_mm(mask_of(empty), mask_of(full)) is None


def test_masks_on_different_grids_are_refused():
    with pytest.raises(UsageError, match="different grids"):
        hd95_mm(mask_of(np.ones((4, 4, 4))), mask_of(np.ones((4, 4, 5))))
