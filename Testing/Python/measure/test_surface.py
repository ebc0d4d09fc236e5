"""HD95 by hand, and against SciPy's distance maps."""

import numpy as np
import pytest
import SimpleITK as sitk
from scipy import ndimage
from scipy.spatial.distance import cdist

from HTSegmentationLib.errors import UsageError
from HTSegmentationLib.measure.surface import hd95_mm, measure_surfaces

from .conftest import blob, made, rotation, shifted

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


def test_the_mean_distance_of_two_rows_by_hand():
    one, other = np.zeros((1, 1, 50)), np.zeros((1, 1, 50))
    one[..., :21], other[..., :11] = 1, 1
    # There 0 eleven times and 1 to 10 voxels, back 0 eleven times: 55 voxels over 32 surface voxels.
    assert measure_surfaces(mask_of(one), mask_of(other)).mean_mm == pytest.approx(55 / 32 * 0.7)


@pytest.mark.parametrize("seed", range(4))
def test_simpleitk_s_distance_maps_of_the_contours_give_the_same(seed):
    one, other = (made(shifted(blob(seed + n), (0, 0, 0)), SPACING, rotation((10, 20, 30))) for n in (0, 90))
    contours = [sitk.LabelContour(image, fullyConnected=False) for image in (one, other)]
    maps = [sitk.SignedMaurerDistanceMap(contour, squaredDistance=False, useImageSpacing=True) for contour in contours]
    surfaces = [sitk.GetArrayFromImage(contour) > 0 for contour in contours]
    apart = [np.abs(sitk.GetArrayFromImage(maps[1 - n]))[surfaces[n]] for n in (0, 1)]
    found = measure_surfaces(one, other)
    assert found.hd95_mm == pytest.approx(max(np.percentile(part, 95) for part in apart), rel=1e-5)
    assert found.mean_mm == pytest.approx(np.concatenate(apart).mean(), rel=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_medpy_s_directed_means_weighted_by_their_voxels_give_the_mean_distance(seed):
    binary = pytest.importorskip("medpy.metric.binary", reason="MedPy is not installed: not compared with it")
    one, other = blob(seed), blob(seed + 30)
    counts = [np.count_nonzero(array & ~ndimage.binary_erosion(array)) for array in (one, other)]
    means = [binary.asd(a, b, voxelspacing=SPACING[::-1]) for a, b in ((one, other), (other, one))]
    expected = np.average(means, weights=counts)
    assert measure_surfaces(mask_of(one), mask_of(other)).mean_mm == pytest.approx(expected)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_surface_distance_finds_nearly_the_same_on_smooth_shapes():
    package = pytest.importorskip("surface_distance", reason="surface-distance is not installed: not compared with it")
    z, y, x = np.ogrid[:24, :50, :50]
    one, other = (((x - 22 - n) / 14) ** 2 + ((y - 24) / 12) ** 2 + ((z - 12) / 8) ** 2 <= 1 for n in (0, 5))
    theirs = package.compute_surface_distances(one, other, (1.0, 1.0, 1.0))
    found = measure_surfaces(mask_of(one, (1, 1, 1)), mask_of(other, (1, 1, 1)))
    assert found.hd95_mm == pytest.approx(package.compute_robust_hausdorff(theirs, 95), abs=0.5)
    # It weighs the surface by its area and measures between the voxels' corners.
    assert found.mean_mm == pytest.approx(np.mean(package.compute_average_surface_distance(theirs)), abs=0.5)


@pytest.mark.parametrize("axes", [(True, False, False), (False, True, False), (True, True, True)])
def test_a_flip_of_the_array_that_keeps_the_place_in_the_patient_changes_nothing(axes):
    one, other = (made(blob(seed), SPACING, rotation((5, 15, -20)), (3, 4, 5)) for seed in (3, 4))
    assert one.GetSize() == other.GetSize()
    flipped = measure_surfaces(sitk.Flip(one, axes), sitk.Flip(other, axes))
    straight = measure_surfaces(one, other)
    assert (flipped.hd95_mm, flipped.mean_mm) == pytest.approx((straight.hd95_mm, straight.mean_mm))


@pytest.mark.parametrize("by", [(0, 0, 0), (2, -1, 3), (-3, 3, 0)])
def test_the_place_in_the_grid_changes_nothing(by):
    here = measure_surfaces(mask_of(blob(1)), mask_of(blob(2)))
    there = measure_surfaces(mask_of(shifted(blob(1), by)), mask_of(shifted(blob(2), by)))
    assert (here.hd95_mm, here.mean_mm) == pytest.approx((there.hd95_mm, there.mean_mm))


def test_a_sheared_grid_has_the_mean_distance_of_the_points_in_the_patient():
    one, other = (made(blob(seed, (6, 9, 8)), (0.5, 0.6, 3.0)) for seed in (5, 6))
    for image in (one, other):
        image.SetDirection((1, 0, 0, 0, 1, 0.4, 0, 0, 1))
    points = []
    for image in (one, other):
        array = sitk.GetArrayFromImage(image) > 0
        surface = np.argwhere(array & ~ndimage.binary_erosion(array))[:, ::-1]
        points.append(np.array([image.TransformIndexToPhysicalPoint(index.tolist()) for index in surface]))
    apart = cdist(*points)
    expected = np.concatenate([apart.min(axis=0), apart.min(axis=1)]).mean()
    assert measure_surfaces(one, other).mean_mm == pytest.approx(expected)


def test_the_mean_distance_is_symmetric_and_at_most_the_largest():
    one, other = mask_of(blob(7)), mask_of(blob(8))
    there, back = measure_surfaces(one, other), measure_surfaces(other, one)
    assert there.mean_mm == pytest.approx(back.mean_mm)
    assert there.hd95_mm == back.hd95_mm
    assert 0 < there.mean_mm < there.hd95_mm


def test_empty_masks_have_the_same_convention_for_both_distances():
    empty, full = mask_of(np.zeros((4, 4, 4))), mask_of(np.ones((4, 4, 4)))
    assert measure_surfaces(empty, empty).as_dict() == {"hd95_mm": 0.0, "mean_mm": 0.0}
    assert measure_surfaces(full, empty).as_dict() == {"hd95_mm": None, "mean_mm": None}
