import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from skimage.draw import polygon2mask
from skimage.measure import points_in_poly

from HTSegmentationLib.errors import ParameterError, ROIError
from HTSegmentationLib.roi import CurveShape, roi_from_shapes
from HTSegmentationLib.roi.raster import winding_fill

from .conftest import as_array, make_grid, voxel_centers


def ring(radius=12.0, height=6.0, count=90, turn=None, center=(1.3, 0.7)):
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    points = np.column_stack(
        [center[0] + radius * np.cos(angle), center[1] + radius * np.sin(angle), np.full(count, height)]
    )
    return CurveShape(tuple(map(tuple, points if turn is None else points @ turn.T)))


def star(count, seed):
    """A simple polygon with corners at random distances."""
    random = np.random.default_rng(seed)
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    distance = random.uniform(4, 14, count)
    return np.column_stack([15.13 + distance * np.cos(angle), 15.37 + distance * np.sin(angle)])


def codes(roi):
    return {remark.code for remark in roi.remarks}


@settings(max_examples=40, deadline=None)
@given(count=st.integers(3, 40), seed=st.integers(0, 10_000))
def test_a_filled_outline_is_what_other_programs_fill(count, seed):
    corners = star(count, seed)
    np.testing.assert_array_equal(winding_fill(corners, 31, 33), polygon2mask((31, 33), corners))


@settings(max_examples=30, deadline=None)
@given(count=st.integers(5, 20), seed=st.integers(0, 1000), whole=st.booleans())
def test_polygons_that_share_an_edge_share_no_cell_and_lose_none(count, seed, whole):
    corners = np.round(star(count, seed)) if whole else star(count, seed)
    middle = np.array([15.0, 15.0]) if whole else np.array([15.13, 15.37])
    fans = [winding_fill(np.array([middle, corners[n - 1], corners[n]]), 32, 32).astype(int) for n in range(count)]
    np.testing.assert_array_equal(np.sum(fans, axis=0), winding_fill(corners, 32, 32).astype(int))


def test_an_outline_filled_the_other_way_round_is_the_same():
    corners = star(17, 3)
    np.testing.assert_array_equal(winding_fill(corners, 32, 32), winding_fill(corners[::-1], 32, 32))


def test_loops_of_a_freehand_outline_are_filled():
    twice = np.concatenate([star(12, 1), star(12, 2)])
    both = winding_fill(star(12, 1), 32, 32) & winding_fill(star(12, 2), 32, 32)
    assert both.sum() > 50
    assert winding_fill(twice, 32, 32)[both].all()


def test_a_curve_reaches_through_all_slices_and_says_so(grid):
    roi = roi_from_shapes(grid, [ring()])
    array = as_array(roi, grid)
    points = voxel_centers(grid)
    inside = np.hypot(points[..., 0] - 1.3, points[..., 1] - 0.7) < 12 * np.cos(np.pi / 90)
    assert array[inside].all()
    assert roi.volume_ml == pytest.approx(np.pi * 144 * 24 * 2.5 / 1000, rel=0.02)
    assert codes(roi) == {"roi-curve-all-slices"}


def test_a_curve_can_be_limited_to_slices(grid):
    roi = roi_from_shapes(grid, [ring()], slice_range=(10, 12))
    assert np.flatnonzero(as_array(roi, grid).any(axis=(1, 2))).tolist() == [9, 10, 11]
    assert codes(roi) == {"roi-slices"}


def test_a_curve_can_be_limited_in_depth(grid):
    roi = roi_from_shapes(grid, [ring(height=5.0)], curve_extent_mm=7.5)
    assert np.flatnonzero(as_array(roi, grid).any(axis=(1, 2))).tolist() == [9, 10, 11]
    assert codes(roi) == set()


def test_curves_drawn_slice_by_slice_fill_each_its_own_slice(grid):
    curves = [ring(radius=6 + n, height=-20 + 2.5 * (8 + n)) for n in range(4)]
    array = as_array(roi_from_shapes(grid, curves, curve_extent_mm=2.5), grid)
    areas = array.sum(axis=(1, 2))
    assert np.flatnonzero(areas).tolist() == [8, 9, 10, 11]
    assert (np.diff(areas[8:12]) > 0).all()


def test_curves_at_several_levels_without_a_depth_are_doubted(grid):
    assert "roi-curves-overlap" in codes(roi_from_shapes(grid, [ring(height=0), ring(height=10)]))


@settings(max_examples=25, deadline=None)
@given(
    tilt=st.tuples(st.integers(-80, 80), st.integers(-80, 80), st.integers(-170, 170)),
    scan=st.tuples(*[st.integers(-40, 40)] * 3),
)
def test_a_tilted_curve_holds_the_points_inside_its_prism(tilt, scan):
    corner = Rotation.from_euler("xyz", scan, degrees=True).apply([-16, -18, -16])
    grid = make_grid(size=(30, 28, 20), spacing=(1.1, 1.3, 1.7), origin=tuple(corner), degrees=scan)
    turn = Rotation.from_euler("xyz", tilt, degrees=True).as_matrix()
    curve = ring(radius=7.0, height=0.0, count=24, turn=turn, center=(0.2, 0.1))
    ours = as_array(roi_from_shapes(grid, [curve], curve_extent_mm=8.0), grid)
    local = voxel_centers(grid) @ turn
    outline = np.array(curve.points) @ turn
    flat = points_in_poly(local[..., :2].reshape(-1, 2), outline[:, :2]).reshape(ours.shape)
    np.testing.assert_array_equal(ours, flat & (np.abs(local[..., 2]) <= 4.0))


def test_a_curve_drawn_in_a_sagittal_view_reaches_from_side_to_side(grid):
    sagittal = ring(radius=10, height=2.0, turn=np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0]]))
    array = as_array(roi_from_shapes(grid, [sagittal]), grid)
    assert array.any(axis=(0, 1)).all()
    assert not array.any(axis=(1, 2)).all()


def test_a_curve_off_its_plane_is_flattened_with_a_word(grid):
    points = [(x, y, z + 4 * (n % 2)) for n, (x, y, z) in enumerate(ring(count=40).points)]
    roi = roi_from_shapes(grid, [CurveShape(tuple(points))])
    [text] = [remark.text for remark in roi.remarks if remark.code == "roi-curve-not-flat"]
    assert "2.0 mm" in text


def test_a_curve_drawn_above_the_scan_is_refused(grid):
    with pytest.raises(ROIError, match="outside the scan"):
        roi_from_shapes(grid, [ring(height=400.0)])


def test_a_curve_partly_beside_the_scan_says_how_much(grid):
    [text] = [r.text for r in roi_from_shapes(grid, [ring(center=(31.5, 0))]).remarks if r.code == "roi-partly-outside"]
    assert text.startswith(("49%", "50%", "51%"))


@pytest.mark.parametrize(
    "points", [((0, 0, 0), (1, 1, 1)), ((0, 0, 0), (1, 1, 1), (2, 2, 2)), ((0, 0, 0), (1, 0, 0), (0, float("nan"), 0))]
)
def test_points_that_are_no_closed_curve_are_refused(points):
    with pytest.raises(ROIError, match="closed curve"):
        CurveShape(points)


@pytest.mark.parametrize("extent", [0, -5, float("nan"), float("inf")])
def test_a_depth_that_is_none_is_refused(grid, extent):
    with pytest.raises(ParameterError, match="above 0 mm"):
        roi_from_shapes(grid, [ring()], curve_extent_mm=extent)
