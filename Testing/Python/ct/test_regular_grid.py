"""Tilted, shifted and uneven slices become a rectangular grid in the patient's true geometry."""

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st

from HTSegmentationLib.ct import read_ct
from HTSegmentationLib.ct.regular_grid import regular_image
from HTSegmentationLib.ct.slice_gaps import gaps_in_words
from HTSegmentationLib.ct.slice_stack import SliceStack
from HTSegmentationLib.errors import InputError
from HTSegmentationLib.remark import Severity

from .conftest import PIXELS, SPACING, SyntheticSeries, codes, head_hu, pixels_of, points_of, remark, write

SLOPES = np.array([0.7, -0.4, 0.9])


def ramp(points):
    return points @ SLOPES + 12.5


def stack_of(depths, shifts, axes, *, thickness=None, value=ramp):
    """Slices at ``depths``, each shifted by ``shifts`` mm in its plane, with the values of a function of LPS points."""
    row, column, normal = axes.T
    positions = np.array([5.0, -7.0, 11.0]) + np.outer(depths, normal) + shifts @ axes[:, :2].T
    size, spacing = (9, 8), (0.9, 1.1)
    x = np.arange(size[0])[None, None, :, None] * spacing[0] * row
    y = np.arange(size[1])[None, :, None, None] * spacing[1] * column
    pixels = value(positions[:, None, None, :] + x + y).astype(np.float32)
    return SliceStack(pixels, positions, row, column, normal, spacing, thickness)


def rotation(a, b, c):
    return np.reshape(sitk.Euler3DTransform((0, 0, 0), a, b, c).GetMatrix(), (3, 3))


angles = st.floats(-3, 3)
gaps = st.lists(st.floats(0.5, 9), min_size=2, max_size=9)


@settings(max_examples=60, deadline=None)
@given(gaps=gaps, shift=st.tuples(st.floats(-0.6, 0.6), st.floats(-0.6, 0.6)), angles=st.tuples(angles, angles, angles))
def test_a_linear_ramp_in_the_patient_is_kept_exactly_for_any_tilt_and_gaps(gaps, shift, angles):
    depths = np.concatenate([[0], np.cumsum(gaps)])
    stack = stack_of(depths, np.outer(depths, shift), rotation(*angles))
    image, remarks = regular_image(stack)
    if not any(remark.code.endswith("resampled") for remark in remarks):
        assert np.array_equal(pixels_of(image), stack.pixels)
        return
    found, expected = pixels_of(image), ramp(points_of(image))
    inside = inside_of_all(stack, image)
    assert np.allclose(found[inside], expected[inside], atol=1e-3)
    for index in (0, len(depths) - 1):
        assert holds_all_of(image, stack, index)


def inside_of_all(stack, image):
    """Voxels that both slices around them reach: there the ramp must be exact."""
    moved = points_of(image) - stack.positions[0]
    depth = moved @ stack.normal
    upper = np.clip(np.searchsorted(stack.depths, depth, side="left"), 1, len(stack.depths) - 1)
    inside = (depth >= -1e-9) & (depth <= stack.depths[-1] + 1e-9)
    for index in (upper, upper - 1):
        x = moved @ stack.row / stack.spacing[0] - stack.shifts[index, 0]
        y = moved @ stack.column / stack.spacing[1] - stack.shifts[index, 1]
        inside &= (x >= -1e-6) & (x <= stack.pixels.shape[2] - 1 + 1e-6)
        inside &= (y >= -1e-6) & (y <= stack.pixels.shape[1] - 1 + 1e-6)
    return inside


def holds_all_of(image, stack, index):
    """Whether the grid reaches, in the plane, the centres of a slice's four corner pixels."""
    corners = [(x, y) for x in (0, stack.pixels.shape[2] - 1) for y in (0, stack.pixels.shape[1] - 1)]
    for x, y in corners:
        point = stack.positions[index] + x * stack.spacing[0] * stack.row + y * stack.spacing[1] * stack.column
        at = image.TransformPhysicalPointToContinuousIndex(point.tolist())
        if not all(-0.51 <= at[axis] <= image.GetSize()[axis] - 0.49 for axis in (0, 1)):
            return False
    return True


def test_the_ramp_test_has_voxels_to_look_at():
    depths = np.array([0, 4, 8, 9.1, 16, 23.0])
    stack = stack_of(depths, np.outer(depths, (0, 0.2)), np.eye(3))
    image, _ = regular_image(stack)
    assert inside_of_all(stack, image).mean() > 0.3


@pytest.mark.parametrize("tilt", [-22.0, 5.0, 18.5])
def test_a_tilted_series_shows_the_head_where_it_is(tmp_path, tilt):
    series = SyntheticSeries(tilt=tilt)
    write(series.datasets(), tmp_path)
    scan = read_ct(tmp_path)
    text = remark(scan, "tilt-resampled").text
    assert f"{abs(tilt):.1f} degrees" in text
    assert " x ".join(map(str, scan.image.GetSize())) in text
    assert "gaps-resampled" not in codes(scan)
    direction = np.reshape(scan.image.GetDirection(), (3, 3))
    assert np.allclose(direction.T @ direction, np.eye(3), atol=1e-12)
    points, found = points_of(scan.image), pixels_of(scan)
    radius = np.sqrt(((points - [0, 0, 40]) ** 2).sum(axis=-1))
    brain = radius < 45
    assert brain.sum() > 500
    assert np.abs(found[brain] - head_hu(points)[brain]).max() < 1.5
    assert scan.image.GetPixelIDTypeAsString() == "32-bit float"


def test_uneven_gaps_are_never_averaged_and_are_told(tmp_path):
    depths = np.concatenate([np.arange(8) * 4.0, 29.08 + np.arange(9) * 7.0])
    thickness = [4.0] * 8 + [7.0] * 9
    series = SyntheticSeries(depths=depths, thickness=thickness)
    write(series.datasets(), tmp_path)
    scan = read_ct(tmp_path)
    text = remark(scan, "gaps-resampled").text
    assert "7 gaps of 4.00 mm, 1 of 1.08 mm, 8 of 7.00 mm" in text
    assert "step between slices being 4.00 mm" in text
    assert scan.image.GetSpacing()[2] == pytest.approx(4.0)
    assert "slices-missing" not in codes(scan)
    points = points_of(scan.image)
    brain = np.sqrt(((points - [0, 0, 40]) ** 2).sum(axis=-1)) < 40
    assert np.abs(pixels_of(scan)[brain] - head_hu(points)[brain]).max() < 1.5
    assert np.array_equal(pixels_of(scan)[:8], series.hu()[:8])


def test_gaps_within_one_percent_are_not_resampled_and_beyond_are(tmp_path):
    for jitter, resampled in ((0.009, False), (0.015, True)):
        depths = np.concatenate([[0], np.cumsum(5.0 * (1 + jitter * (np.arange(19) % 2)))])
        series = SyntheticSeries(depths=depths, thickness=5.0)
        folder = tmp_path / str(jitter)
        write(series.datasets(), folder)
        scan = read_ct(folder)
        assert ("gaps-resampled" in codes(scan)) is resampled
        if not resampled:
            assert np.array_equal(pixels_of(scan), series.hu())
            assert scan.image.GetSpacing()[2] == pytest.approx(depths[-1] / 19)


def test_positions_rounded_to_two_digits_are_even(tmp_path):
    depths = np.round(np.arange(40) * 0.625, 2)
    write(
        SyntheticSeries(depths=depths, thickness=0.625, value=lambda p: head_hu(p + np.array([0, 0, 40]))).datasets(),
        tmp_path,
    )
    assert codes(read_ct(tmp_path)) == []


def test_a_missing_slice_is_named_with_its_place_and_interpolated(tmp_path, series):
    datasets = series.datasets()
    del datasets[6]
    write(datasets, tmp_path)
    scan = read_ct(tmp_path)
    missing = remark(scan, "slices-missing")
    assert missing.severity is Severity.WARNING
    assert "between slices 6 and 7 of 13" in missing.text
    assert "z = 30.0 and 46.0 mm" in missing.text
    assert "16.00 mm, elsewhere 8.00 mm" in missing.text
    expected = series.hu()
    expected[6] = (expected[5] + expected[7]) / 2
    assert np.allclose(pixels_of(scan), expected)


def test_a_missing_slice_is_told_even_where_thick_slabs_overlap(tmp_path):
    datasets = SyntheticSeries(depths=np.arange(25) * 4.0, thickness=8.0).datasets()
    del datasets[12]
    write(datasets, tmp_path)
    assert "between slices 12 and 13 of 24" in remark(read_ct(tmp_path), "slices-missing").text


def test_three_missing_slices_in_two_places_are_two_warnings(tmp_path, series):
    datasets = series.datasets()
    for index in (9, 8, 3):
        del datasets[index]
    write(datasets, tmp_path)
    texts = [r.text for r in read_ct(tmp_path).remarks if r.code == "slices-missing"]
    assert ["16.00 mm" in texts[0], "24.00 mm" in texts[1], len(texts)] == [True, True, 2]


def test_slices_thinner_than_their_distance_are_told(tmp_path):
    series = SyntheticSeries(thickness=5.0)
    write(series.datasets(), tmp_path)
    scan = read_ct(tmp_path)
    assert "5.00 mm thick" in remark(scan, "slices-apart").text
    assert np.array_equal(pixels_of(scan), series.hu())


def test_overlapping_slices_of_a_thin_reconstruction_are_kept_as_they_are(tmp_path):
    series = SyntheticSeries(depths=np.arange(25) * 4.0, thickness=8.0)
    write(series.datasets(), tmp_path)
    scan = read_ct(tmp_path)
    assert scan.remarks == ()
    assert np.array_equal(pixels_of(scan), series.hu())


def test_a_thick_slab_amid_touching_thin_ones_does_not_blur_them():
    depths = np.array([0.0, 2, 4, 6, 7, 8, 10, 14, 19])
    thickness = np.array([2.0, 2, 2, 2, 5, 2, 2, 5, 5])
    stack = stack_of(depths, np.zeros((9, 2)), np.eye(3), thickness=thickness)
    stack.pixels[4] = 5000
    image, remarks = regular_image(stack)
    assert pixels_of(image).max() < 1000
    assert "thick slices amid thinner ones that touch were not used (1)" in remarks[-1].text
    alone = stack_of(depths, np.zeros((9, 2)), np.eye(3), thickness=np.full(9, 5.0))
    alone.pixels[4] = 5000
    assert pixels_of(regular_image(alone)[0]).max() > 2000


def test_tissue_of_the_last_thick_slab_is_counted_to_its_edge():
    depths = np.array([0.0, 4, 8, 12, 19])
    thickness = np.array([4.0, 4, 4, 7, 7])
    image, _ = regular_image(stack_of(depths, np.zeros((5, 2)), np.eye(3), thickness=thickness))
    assert image.GetSpacing()[2] == pytest.approx(4)
    assert image.GetSize()[2] == 6
    assert image.GetSize()[2] * 4.0 == pytest.approx(19 + 2 + 3.5, abs=2)


def test_voxels_that_no_slice_reaches_are_air():
    depths = np.arange(6) * 5.0
    stack = stack_of(depths, np.outer(np.arange(6), (0, 2.2)), np.eye(3), value=lambda p: np.full(p.shape[:-1], 40.0))
    values = pixels_of(regular_image(stack)[0])
    assert values[0, -1, 0] == -1024
    assert values[-1, 0, 0] == -1024
    assert set(np.unique(values)) == {-1024, 40}


def test_slices_shifted_at_random_are_set_right_and_not_called_a_tilt():
    depths = np.arange(7) * 3.0
    shifts = np.array([[0, 0], [2, 1], [0, 0], [-3, 2], [0, 0], [1, 1], [0, 0.0]])
    stack = stack_of(depths, shifts, np.eye(3))
    image, remarks = regular_image(stack)
    assert [r.code for r in remarks] == ["shear-resampled"]
    assert "up to 3.0 mm" in remarks[0].text
    inside = inside_of_all(stack, image)
    assert np.allclose(pixels_of(image)[inside], ramp(points_of(image))[inside], atol=1e-3)


def test_a_slice_far_from_all_others_is_refused_instead_of_filling_memory(tmp_path, series):
    datasets = series.datasets()
    datasets[5].ImagePositionPatient = [9e7, 0, 30.0]
    write(datasets, tmp_path)
    with pytest.raises(InputError, match="check the slices' positions"):
        read_ct(tmp_path)


def test_the_volume_of_a_box_is_that_of_its_edges_in_the_patient(tmp_path):
    depths = np.concatenate([np.arange(10) * 4.0, 37.08 + np.arange(10) * 7.0])
    series = SyntheticSeries(depths=depths, tilt=18.5, thickness=[4.0] * 10 + [7.0] * 10)
    write(series.datasets(), tmp_path)
    image = read_ct(tmp_path).image
    points = points_of(image)
    depth = (points - series.position(0)) @ series.normal
    y = (points - series.position(0)) @ series.column
    inside = (depth > -2) & (depth < 98) & (y > 27) & (y < 57) & (np.abs(points[..., 0]) < 30)
    by_grid = inside.sum() * np.prod(image.GetSpacing())
    by_hand = (98 + 2) * 30 * 60
    assert by_grid == pytest.approx(by_hand, rel=0.01)


def test_many_different_gaps_are_told_by_their_range():
    gaps = 3 + 0.1 * np.arange(12)
    assert gaps_in_words(gaps) == "12 gaps of 3.00 to 4.10 mm, median 3.55 mm"
    assert gaps_in_words(np.array([2.0])) == "1 gap of 2.00 mm"


def test_pixels_of_the_plane_keep_their_size(tmp_path):
    write(SyntheticSeries(tilt=10.0).datasets(), tmp_path)
    image = read_ct(tmp_path).image
    assert image.GetSpacing()[:2] == pytest.approx((SPACING, SPACING))
    assert image.GetSize()[0] == PIXELS
