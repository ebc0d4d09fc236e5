import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import regionprops

from HTSegmentationLib.errors import SegmentationError
from HTSegmentationLib.measure.diameters import measure_diameters

from .conftest import ellipsoid, made, rotation


@pytest.mark.parametrize(
    ("diameters", "spacing", "turn"),
    [
        ((40, 25, 30), (0.45, 0.45, 1.0), 0),
        ((40, 25, 30), (0.45, 0.45, 1.0), 33),
        ((62, 44, 51), (0.6, 0.4, 1.0), 120),
        ((20, 12, 24), (0.5, 0.8, 2.0), 60),
        ((12, 11, 20), (0.45, 0.45, 1.0), 45),
    ],
)
def test_a_digitised_ellipsoid_has_the_diameters_of_the_true_one(diameters, spacing, turn):
    found = measure_diameters(ellipsoid(diameters, spacing, turn))
    assert found.a_mm == pytest.approx(diameters[0], abs=max(spacing[:2]))
    assert found.b_mm == pytest.approx(diameters[1], abs=max(spacing[:2]))
    assert found.c_mm == pytest.approx(diameters[2], abs=1.01 * spacing[2])
    assert found.tada_ml == pytest.approx(np.pi / 6 * np.prod(diameters) / 1000, rel=0.12)
    assert found.abc2_ml == pytest.approx(found.tada_ml * 3 / np.pi)


@settings(max_examples=25, deadline=None)
@given(turn=st.floats(0, 180), a=st.floats(15, 40), b=st.floats(6, 15), scan=st.tuples(*[st.integers(-30, 30)] * 3))
def test_a_and_b_do_not_depend_on_where_the_lesion_and_the_head_point(turn, a, b, scan):
    found = measure_diameters(ellipsoid((a, b, 4), (0.5, 0.7, 2.0), turn, direction=rotation(scan)))
    assert found.a_mm == pytest.approx(a, abs=0.75)
    assert found.b_mm == pytest.approx(b, abs=0.9)


def test_a_box_has_its_diagonal_and_the_width_across_it():
    box = np.zeros((10, 60, 90))
    box[2:8, 10:50, 20:60] = 1
    found = measure_diameters(made(box, (0.5, 0.5, 5.0)))
    assert found.a_mm == pytest.approx(20 * np.sqrt(2), abs=0.5)
    assert found.b_mm == pytest.approx(20 * np.sqrt(2), abs=0.5)
    assert found.c_mm == pytest.approx(30.0)


def test_a_is_the_largest_feret_diameter_of_another_program():
    random = np.random.default_rng(5)
    smooth = sitk.GetArrayFromImage(sitk.SmoothingRecursiveGaussian(sitk.GetImageFromArray(random.normal(size=(60, 70))), 6))
    area = np.pad(smooth > 0.01, 2)
    stack = np.stack([np.zeros_like(area), area, np.zeros_like(area)])
    [properties] = regionprops(area.astype(int))
    assert measure_diameters(made(stack)).a_mm == pytest.approx(properties.feret_diameter_max, abs=1e-6)


def test_the_width_of_a_crescent_is_its_thickness():
    y, x = np.mgrid[:200, :200]
    crescent = (np.hypot(x - 100, y - 100) < 80) & (np.hypot(x - 100, y - 120) >= 80) & (y < 60)
    found = measure_diameters(made(crescent[None]))
    assert found.a_mm > 120
    assert found.b_mm == pytest.approx(20, abs=2)


def test_the_slice_of_largest_area_is_taken():
    stack = np.zeros((5, 40, 40))
    stack[1, 10:15, 10:15] = 1
    stack[3, 5:25, 5:15] = 1
    found = measure_diameters(made(stack, (1, 1, 5)))
    assert found.slice_index == 3
    assert found.c_mm == pytest.approx(10.0)


def test_slices_are_found_whatever_axis_they_run_along():
    lesion = ellipsoid((30, 18, 22), (0.5, 0.5, 2.0), 30)
    straight, turned = measure_diameters(lesion), measure_diameters(sitk.PermuteAxes(lesion, [2, 0, 1]))
    assert (turned.a_mm, turned.c_mm) == pytest.approx((straight.a_mm, straight.c_mm))
    assert turned.b_mm == pytest.approx(straight.b_mm, abs=0.1)


def test_a_sheared_grid_is_measured_along_its_slices_normal():
    box = np.zeros((6, 50, 50))
    box[1:5, 10:30, 10:40] = 1
    tilt = np.radians(20)
    sheared = made(box, (1, 1, 5), direction=[[1, 0, 0], [0, 1, np.sin(tilt)], [0, 0, np.cos(tilt)]])
    assert measure_diameters(sheared).c_mm == pytest.approx(4 * 5 * np.cos(tilt))
    assert measure_diameters(sheared).a_mm == pytest.approx(np.hypot(30, 20), abs=1.0)


def test_a_single_voxel_measures_its_own_edges():
    voxel = np.zeros((3, 3, 3))
    voxel[1, 1, 1] = 1
    found = measure_diameters(made(voxel, (0.5, 0.5, 4.0)))
    assert (found.a_mm, found.b_mm, found.c_mm) == pytest.approx((0.5, 0.5, 4.0), abs=0.07)


def test_an_empty_mask_has_no_diameters():
    with pytest.raises(SegmentationError, match="empty"):
        measure_diameters(made(np.zeros((3, 3, 3))))
