import json

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import label as connected

from HTSegmentationLib.errors import HTSegError, UsageError
from HTSegmentationLib.measure import measure_mask

from .conftest import ellipsoid, made, rotation


@pytest.fixture
def speckles():
    return np.random.default_rng(3).random((8, 14, 16)) > 0.9


@pytest.fixture
def scan(speckles):
    return made(np.random.default_rng(4).normal(60, 25, speckles.shape), (0.5, 0.6, 5.0), kind=np.float32)


def test_the_hu_are_those_of_the_scan_inside_the_mask(speckles, scan):
    found = measure_mask(made(speckles, (0.5, 0.6, 5.0)), scan)
    values = sitk.GetArrayFromImage(scan)[speckles].astype(float)
    assert found.voxel_count == speckles.sum()
    assert found.mean_hu == pytest.approx(np.mean(values))
    assert found.sd_hu == pytest.approx(np.std(values, ddof=1))
    assert (found.min_hu, found.max_hu) == (values.min(), values.max())
    assert found.median_hu == pytest.approx(np.median(values))
    assert found.share_above_90_hu == pytest.approx(np.mean(values > 90))


def test_parts_that_touch_at_a_corner_are_one_as_another_program_counts(speckles):
    found = measure_mask(made(speckles, (0.5, 0.6, 5.0)))
    parts = connected(speckles, connectivity=3)
    assert found.component_count == parts.max()
    assert found.largest_component_ml == pytest.approx(np.bincount(parts.ravel())[1:].max() * 0.0015)


@settings(max_examples=40, deadline=None)
@given(
    degrees=st.tuples(*[st.integers(-90, 90)] * 3),
    spacing=st.tuples(st.floats(0.3, 2), st.floats(0.3, 2), st.floats(0.5, 8)),
    value=st.integers(1, 200),
)
def test_the_volume_depends_neither_on_the_direction_nor_on_the_label(degrees, spacing, value):
    box = np.zeros((6, 9, 8))
    box[1:4, 2:8, 1:6] = value
    found = measure_mask(made(box, spacing, rotation(degrees), (12, -40, 7)), label=value)
    assert found.volume_ml == pytest.approx(90 * np.prod(spacing) / 1000)


def test_the_volume_of_a_sheared_grid_is_its_true_one():
    box = np.zeros((6, 9, 8))
    box[1:4, 2:8, 1:6] = 1
    shear = [[1, 0, 0], [0, 1, np.sin(0.35)], [0, 0, np.cos(0.35)]]
    assert measure_mask(made(box, (1, 1, 5), shear)).volume_ml == pytest.approx(90 * 5 * np.cos(0.35) / 1000)


def test_the_volume_of_a_digitised_ellipsoid_is_that_of_the_true_one():
    assert measure_mask(ellipsoid((40, 25, 30), (0.5, 0.5, 1.0))).volume_ml == pytest.approx(15.708, rel=0.01)


@settings(max_examples=25, deadline=None)
@given(degrees=st.tuples(*[st.integers(-90, 90)] * 3))
def test_the_extent_is_that_of_the_voxels_corners(degrees):
    random = np.random.default_rng(sum(degrees) + 300).random((4, 5, 6)) > 0.8
    random[1, 2, 3] = True
    image = made(random, (0.7, 0.9, 3.0), rotation(degrees))
    corners = [
        image.TransformContinuousIndexToPhysicalPoint((float(x) + i, float(y) + j, float(z) + k))
        for z, y, x in np.argwhere(random)
        for i in (-0.5, 0.5)
        for j in (-0.5, 0.5)
        for k in (-0.5, 0.5)
    ]
    assert measure_mask(image).extent_mm == pytest.approx(tuple(np.ptp(corners, axis=0)))


def test_scattered_parts_put_abc2_in_doubt_and_one_lesion_with_a_crumb_does_not():
    crumbs, lesion = np.zeros((9, 30, 30)), np.zeros((9, 30, 30))
    crumbs[2, 2:4, 2:4], crumbs[7, 25:28, 25:28] = 1, 1
    lesion[2:6, 5:15, 5:15], lesion[8, 25, 25] = 1, 1
    [remark] = measure_mask(made(crumbs)).remarks
    assert remark.code == "abc2-scattered"
    assert "2 separate parts, the largest with 69%" in remark.text
    assert measure_mask(made(lesion)).remarks == ()


def test_only_the_chosen_label_is_measured():
    labels = np.zeros((4, 8, 8))
    labels[1, 1:4, 1:4], labels[2, 2:6, 2:6] = 1, 2
    assert measure_mask(made(labels)).voxel_count == 9
    assert measure_mask(made(labels), label=2).voxel_count == 16


def test_an_empty_mask_has_no_volume_and_nothing_else(scan):
    found = measure_mask(made(np.zeros((8, 14, 16)), (0.5, 0.6, 5.0)), scan)
    assert (found.voxel_count, found.volume_ml) == (0, 0.0)
    values = found.as_dict()
    assert {name for name, value in values.items() if value is not None} == {"label", "voxel_count", "volume_ml", "remarks"}
    assert [remark.code for remark in found.remarks] == ["mask-empty"]


def test_a_single_voxel_has_no_spread(scan):
    one = np.zeros((8, 14, 16))
    one[4, 4, 4] = 1
    found = measure_mask(made(one, (0.5, 0.6, 5.0)), scan)
    assert found.sd_hu is None
    assert found.mean_hu == found.min_hu == found.max_hu


def test_without_a_scan_there_are_no_hu(speckles):
    found = measure_mask(made(speckles))
    assert found.mean_hu is None
    assert found.share_above_90_hu is None
    assert found.abc2_ml > 0


def test_voxels_without_hu_are_left_out_with_a_warning(speckles, scan):
    values = sitk.GetArrayFromImage(scan)
    spoiled = np.argwhere(speckles)[0]
    values[tuple(spoiled)] = np.nan
    found = measure_mask(made(speckles, (0.5, 0.6, 5.0)), made(values, (0.5, 0.6, 5.0), kind=np.float32))
    assert np.isfinite(found.mean_hu)
    assert "hu-not-finite" in {remark.code for remark in found.remarks}


def test_a_scan_on_another_grid_is_refused_with_both_grids(speckles):
    mask, scan = made(speckles, (0.5, 0.6, 5.0)), made(speckles, (0.5, 0.6, 4.0))
    with pytest.raises(UsageError, match=r"16 x 14 x 8 voxels of 0.500 x 0.600 x 5.000 mm.*4.000 mm.*resample"):
        measure_mask(mask, scan)
    assert issubclass(UsageError, HTSegError)


def test_a_scan_in_another_place_is_refused(speckles):
    with pytest.raises(UsageError, match="different grids or places"):
        measure_mask(made(speckles), made(speckles, origin=(5, 0, 0)))


def test_the_record_is_plain_json(speckles, scan):
    values = measure_mask(made(speckles, (0.5, 0.6, 5.0)), scan).as_dict()
    assert json.loads(json.dumps(values, allow_nan=False)) == values
