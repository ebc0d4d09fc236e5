import time

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.transform import Rotation

from HTSegmentationLib.errors import ParameterError, ROIError
from HTSegmentationLib.roi import BoxShape, roi_from_box, roi_from_shapes

from .conftest import as_array, make_grid, voxel_centers

angles = st.tuples(*[st.integers(-60, 60)] * 3)
STRAIGHT = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


def rotated(degrees):
    return tuple(map(tuple, Rotation.from_euler("xyz", degrees, degrees=True).as_matrix().T))


def codes(roi):
    return {remark.code for remark in roi.remarks}


def test_a_voxel_belongs_to_a_box_when_its_centre_does(grid):
    points = voxel_centers(grid)
    inside = ((points >= [-10.3, -7.2, -4.9]) & (points < [11.8, 3.3, 12.2])).all(axis=-1)
    np.testing.assert_array_equal(as_array(roi_from_box(grid, (-10.3, 11.8, -7.2, 3.3, -4.9, 12.2)), grid), inside)


def test_the_ends_of_a_box_may_come_in_any_order(grid):
    one, other = roi_from_box(grid, (-9, 11, -7, 3, -4, 12)), roi_from_box(grid, (11, -9, 3, -7, 12, -4))
    np.testing.assert_array_equal(as_array(one, grid), as_array(other, grid))


def test_a_centre_on_the_lower_face_counts_and_one_on_the_upper_face_does_not():
    grid = make_grid(size=(10, 10, 10), spacing=(1, 1, 1), origin=(0, 0, 0))
    roi = roi_from_box(grid, (2, 5, 2, 5, 2, 5))
    assert roi.index == (2, 2, 2)
    assert roi.voxel_count == 27


@settings(max_examples=40, deadline=None)
@given(cut=st.one_of(st.integers(-20, 20).map(lambda n: n / 4), st.floats(-5, 5)), axis=st.integers(0, 2), degrees=angles)
def test_boxes_side_by_side_share_no_voxel_and_lose_none(cut, axis, degrees):
    grid = make_grid(size=(30, 30, 30), spacing=(0.5, 0.5, 0.5), origin=(-7, -7, -7))
    axes = rotated(degrees) if degrees[0] % 2 else STRAIGHT
    low, high = np.full(3, -5.5), np.full(3, 6.0)

    def box(start, end):
        middle = (start + end) / 2 @ np.array(axes)
        return BoxShape(tuple(middle), axes, tuple(end - start))

    first_end, second_start = high.copy(), low.copy()
    first_end[axis] = second_start[axis] = cut
    parts = [as_array(roi_from_shapes(grid, [box(*ends)]), grid) for ends in ((low, first_end), (second_start, high))]
    whole = as_array(roi_from_shapes(grid, [box(low, high)]), grid)
    assert not (parts[0] & parts[1]).any()
    np.testing.assert_array_equal(parts[0] | parts[1], whole)


@settings(max_examples=30, deadline=None)
@given(degrees=angles, scan=angles, size=arrays(float, 3, elements=st.floats(12, 30)))
def test_the_volume_of_a_rotated_box_is_that_of_the_box(degrees, scan, size):
    grid = make_grid(size=(80, 80, 80), spacing=(0.9, 0.8, 1.1), origin=(0, 0, 0), degrees=scan)
    center = grid.TransformContinuousIndexToPhysicalPoint((40, 40, 40))
    roi = roi_from_shapes(grid, [BoxShape(center, rotated(degrees), tuple(size))])
    # The surface decides how many centres may fall to either side.
    surface = 2 * (size[0] * size[1] + size[1] * size[2] + size[0] * size[2])
    assert roi.volume_ml == pytest.approx(np.prod(size) / 1000, abs=0.5 * surface * 1.1 / 1000)
    assert codes(roi) == set()


@settings(max_examples=25, deadline=None)
@given(degrees=st.lists(angles, min_size=2, max_size=2), shift=st.tuples(*[st.floats(-8, 8)] * 3))
def test_the_union_does_not_depend_on_the_order(degrees, shift):
    grid = make_grid()
    boxes = [BoxShape((0, 0, 5), rotated(degrees[0]), (20, 12, 9)), BoxShape(shift, rotated(degrees[1]), (9, 15, 12))]
    parts = [as_array(roi_from_shapes(grid, [box]), grid) for box in boxes]
    both, turned = roi_from_shapes(grid, boxes), roi_from_shapes(grid, boxes[::-1])
    np.testing.assert_array_equal(as_array(both, grid), parts[0] | parts[1])
    np.testing.assert_array_equal(as_array(both, grid), as_array(turned, grid))
    assert both.index == turned.index


def test_a_box_is_found_on_a_grid_whose_axes_are_permuted_and_flipped(grid):
    turned = sitk.PermuteAxes(sitk.Flip(grid, [True, False, True]), [2, 0, 1])
    bounds = (-10.3, 11.8, -7.2, 3.3, -4.9, 12.2)
    there = sitk.Resample(roi_from_box(turned, bounds).on_grid(turned), grid, sitk.Transform(), sitk.sitkNearestNeighbor)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(there) > 0, as_array(roi_from_box(grid, bounds), grid))


def test_the_roi_is_kept_as_its_bounding_box(grid):
    roi = roi_from_box(grid, (-10.3, 11.8, -7.2, 3.3, -4.9, 12.2))
    assert roi.mask.GetSize() == (22, 11, 6)
    assert roi.mask.GetOrigin() == pytest.approx(grid.TransformIndexToPhysicalPoint(roi.index))


def test_a_box_partly_outside_the_scan_says_how_much(grid):
    roi = roi_from_box(grid, (11.5, 51.5, -10, 10, 0, 20))
    [remark] = roi.remarks
    assert remark.code == "roi-partly-outside"
    assert remark.text.startswith("50% of the ROI's volume")


def test_a_box_outside_the_scan_is_refused_with_both_places(grid):
    with pytest.raises(
        ROIError, match=r"the box: it lies outside the scan \(it spans L 400 to L 410, .* the scan R 32 to L 32"
    ):
        roi_from_box(grid, (400, 410, 0, 10, 0, 10))


def test_a_box_too_thin_for_a_voxel_centre_is_refused_with_both_sizes(grid):
    with pytest.raises(
        ROIError, match=r"no voxel centre \(it measures 20.0 x 20.0 x 0.5 mm, a voxel 1.00 x 1.00 x 2.50 mm\)"
    ):
        roi_from_box(grid, (-10, 10, -10, 10, 0.5, 1.0))


def test_of_several_shapes_one_outside_is_left_out_with_a_word(grid):
    roi = roi_from_shapes(grid, [BoxShape((0, 0, 5), STRAIGHT, (9, 9, 9)), BoxShape((900, 0, 5), STRAIGHT, (9, 9, 9))])
    [remark] = roi.remarks
    assert remark.code == "roi-part-empty"
    assert "number 2" in remark.text


@pytest.mark.parametrize("bounds", [(1, 2, 3), (0, 1, 0, 1, 0, float("nan")), (0, 1, 0, float("inf"), 0, 1)])
def test_a_box_without_six_finite_numbers_is_refused(grid, bounds):
    with pytest.raises(ROIError, match=r"six|finite"):
        roi_from_box(grid, bounds)


@pytest.mark.parametrize(
    ("axes", "size", "words"),
    [
        (((1, 0, 0), (0.6, 0.8, 0), (0, 0, 1)), (9, 9, 9), "right angles"),
        (((0, 0, 0), (0, 1, 0), (0, 0, 1)), (9, 9, 9), "right angles"),
        (STRAIGHT, (9, -1, 9), "below 0"),
    ],
)
def test_a_box_that_is_none_is_refused(axes, size, words):
    with pytest.raises(ROIError, match=words):
        BoxShape((0, 0, 0), axes, size)


def test_slices_are_counted_from_one_at_the_inferior_end():
    upward = make_grid(size=(20, 20, 10), spacing=(1, 1, 5), origin=(0, 0, 0))
    downward = sitk.Flip(upward, [False, False, True])
    for grid in (upward, downward):
        roi = roi_from_box(grid, (0, 20, 0, 20, -100, 100), slice_range=(2, 3))
        heights = {grid.TransformIndexToPhysicalPoint((0, 0, roi.index[2] + n))[2] for n in range(roi.mask.GetSize()[2])}
        assert heights == {5.0, 10.0}
        assert "roi-slices" in codes(roi)


@pytest.mark.parametrize("slices", [(0, 3), (3, 11), (-1, -1)])
def test_a_slice_that_the_scan_does_not_have_is_refused(slices):
    grid = make_grid(size=(20, 20, 10), origin=(0, 0, 0))
    with pytest.raises(ParameterError, match=r"numbered from 1 \(inferior\) to 10"):
        roi_from_box(grid, (0, 9, 0, 9, 0, 9), slice_range=slices)


def test_slices_without_any_roi_are_refused_with_those_that_hold_it():
    grid = make_grid(size=(20, 20, 10), spacing=(1, 1, 5), origin=(0, 0, 0))
    with pytest.raises(ROIError, match="in slices 8 to 9; it lies in slices 2 to 4"):
        roi_from_box(grid, (0, 9, 0, 9, 4, 16), slice_range=(8, 9))


def test_the_scan_is_not_changed(grid):
    before = sitk.Hash(grid), grid.GetOrigin(), grid.GetSpacing()
    roi_from_box(grid, (-10, 10, -7, 3, -4, 12))
    assert (sitk.Hash(grid), grid.GetOrigin(), grid.GetSpacing()) == before


def test_a_usual_box_on_a_usual_scan_takes_milliseconds():
    grid = make_grid(size=(512, 512, 30), spacing=(0.45, 0.45, 5), origin=(-115, -115, -70))
    box = BoxShape((5, 5, 5), rotated((10, 20, 30)), (60, 60, 40))
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        roi_from_shapes(grid, [box])
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.1
