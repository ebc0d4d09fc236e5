"""What a network reads of a scan."""

import dataclasses

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st

from HTSegmentationLib.ct.geometry import bounding_box, corner_points
from HTSegmentationLib.inference.models.input_description import InputDescription, Normalization
from HTSegmentationLib.inference.network_grid import network_grid
from HTSegmentationLib.inference.preprocess import Extent, network_input
from HTSegmentationLib.threshold.prepare import prepare

from ..phantom import as_scan, head_array

PLAIN = InputDescription(("ct",), "LPS", (None, None, None), None, (0.0, 100.0), Normalization("scale", 0.0, 1.0))


def array(image):
    return sitk.GetArrayFromImage(image)


def described(**changes):
    return dataclasses.replace(PLAIN, **changes)


def turned(image, angles):
    """The same voxels in a patient who lay obliquely."""
    rotation = sitk.Euler3DTransform()
    rotation.SetRotation(*angles)
    axes = np.array(rotation.GetMatrix()).reshape(3, 3) @ np.array(image.GetDirection()).reshape(3, 3)
    placed = sitk.Image(image)
    placed.SetDirection(axes.ravel().tolist())
    return placed


@pytest.fixture(scope="module")
def prepared():
    return prepare(as_scan(head_array()[0]))


@pytest.fixture(scope="module")
def brain_box(prepared):
    index, size = bounding_box(prepared.brain_mask)
    return tuple(slice(i, i + n) for i, n in zip(index[::-1], size[::-1], strict=True))


def test_on_the_scans_own_voxels_the_input_is_the_clipped_hu_of_the_brains_box(prepared, brain_box):
    found = network_input(prepared, PLAIN)
    expected = np.clip(array(prepared.scan.image)[brain_box], 0, 100) / 100
    np.testing.assert_allclose(found.channels[0], expected, atol=1e-6)
    assert found.channels.dtype == np.float32
    assert found.grid.on_scan_voxels


def test_the_brain_alone_stands_before_the_outside_value(prepared, brain_box):
    found = network_input(prepared, described(brain_only=True, outside_value=-3.0))
    inside = array(prepared.brain_mask)[brain_box] > 0
    assert (found.channels[0][~inside] == -3).all()
    assert found.channels[0][inside].min() >= 0


def test_a_window_is_scaled_to_the_two_values_of_the_model(prepared, brain_box):
    blast = described(window_hu=(-15.0, 100.0), normalization=Normalization("scale", -1.0, 1.0))
    hu = np.clip(array(prepared.scan.image)[brain_box].astype(float), -15, 100)
    np.testing.assert_allclose(network_input(prepared, blast).channels[0], (hu + 15) / 115 * 2 - 1, atol=1e-5)


@pytest.mark.parametrize("over", ["brain", "image"])
def test_a_z_score_has_mean_0_and_sd_1_over_what_it_is_taken_of(over, prepared, brain_box):
    found = network_input(prepared, described(normalization=Normalization("z-score", over=over))).channels[0]
    hu = np.clip(array(prepared.scan.image).astype(float), 0, 100)
    taken = hu[array(prepared.brain_mask) > 0] if over == "brain" else hu
    np.testing.assert_allclose(found, (hu[brain_box] - taken.mean()) / taken.std(), atol=1e-4)


def test_a_z_score_does_not_depend_on_the_grid(prepared):
    standard = described(normalization=Normalization("z-score", over="brain"), brain_only=True)
    own = network_input(prepared, standard).channels
    coarse = network_input(prepared, dataclasses.replace(standard, spacing_mm=(2.6, 2.4, None))).channels
    assert np.median(own[own != 0]) == pytest.approx(np.median(coarse[coarse != 0]), abs=0.05)


def test_without_normalization_the_network_reads_hu(prepared):
    found = network_input(prepared, described(normalization=Normalization("none"))).channels
    assert np.median(found) == pytest.approx(32, abs=1)


def test_beyond_the_scan_there_is_what_the_model_says_and_not_air(prepared):
    described_hu = described(normalization=Normalization("none"), window_hu=(-2000.0, 3000.0), outside_value=7.0)
    hu = network_input(prepared, described_hu, Extent(margin=(40, 3, 3)))
    assert (hu.channels[0][:20] == 7).all()
    assert np.isfinite(hu.channels).all()


def test_the_box_is_grown_to_what_the_network_needs(prepared, brain_box):
    plain = network_input(prepared, PLAIN)
    needy = network_input(prepared, PLAIN, Extent(smallest=(20, 10, 10), multiple=(1, 16, 16), margin=(2, 3, 4)))
    z, y, x = needy.grid.size[::-1]
    assert z == 20
    assert y % 16 == x % 16 == 0
    assert y >= plain.channels.shape[2]
    assert needy.channels.shape[1:] == (z + 4, y + 6, x + 8)
    # The brain is in it, in its place.
    inner = needy.channels[0][2:-2, 3:-3, 4:-4]
    start = np.rint(needy.grid.image(inner).TransformPhysicalPointToContinuousIndex(plain.grid.origin)).astype(int)[::-1]
    part = tuple(slice(s, s + n) for s, n in zip(start, plain.channels.shape[1:], strict=True))
    np.testing.assert_array_equal(inner[part], plain.channels[0])


def test_a_whole_head_is_resized_uncut(prepared):
    found = network_input(prepared, described(size=(32, 40, 8)))
    assert found.channels.shape == (1, 8, 40, 32)
    resized, own = (corner_points(image) for image in (found.grid.image(found.channels[0]), prepared.scan.image))
    np.testing.assert_allclose(resized, own, atol=1e-3)


@pytest.mark.parametrize("orientation", ["LPS", "RAS", "SAR", "PIL"])
def test_the_axes_rise_to_where_the_model_wants_them(orientation, prepared):
    grid = network_input(prepared, described(orientation=orientation)).grid
    found = sitk.DICOMOrientImageFilter.GetOrientationFromDirectionCosines(grid.direction)
    assert found == orientation
    assert grid.on_scan_voxels


def test_a_linear_ramp_is_read_where_it_lies_on_every_grid():
    """HU that are x + 2y + 3z in mm stay so, however the scan lies and whatever grid the model wants."""
    image = turned(sitk.Image(30, 24, 12, sitk.sitkFloat32), (0.1, -0.2, 0.3))
    image.SetSpacing((0.9, 1.1, 3.0))
    grid = network_grid(image, "RSP", (2.0, 1.7, 2.2))
    weights = np.array([1.0, 2.0, 3.0])

    def ramp(points):
        return points @ weights

    def points_of(placed):
        size = placed.GetSize()
        indices = np.stack(np.meshgrid(*(np.arange(n) for n in size), indexing="ij"), axis=-1).reshape(-1, 3)
        points = np.array([placed.TransformIndexToPhysicalPoint(index.tolist()) for index in indices])
        return points.reshape(*size, 3).transpose(2, 1, 0, 3)

    values = sitk.GetImageFromArray(ramp(points_of(image)).astype(np.float32))
    values.CopyInformation(image)
    found = grid.resample(values, np.nan)
    expected = ramp(points_of(grid.image(found)))
    # Between the outermost voxel centres; beyond them the nearest voxel is repeated.
    inner = (slice(1, -1),) * 3
    np.testing.assert_allclose(found[inner], expected[inner], atol=2e-3)


grids = st.tuples(*[st.one_of(st.none(), st.floats(0.7, 7.0))] * 3)


@given(grids, st.sampled_from(["LPS", "RAS", "SPL", "AIR"]), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_the_way_back_reads_no_voxel_that_is_not_needed(spacing, orientation, seed):
    random = np.random.default_rng(seed)
    image = turned(sitk.Image(13, 11, 6, sitk.sitkUInt8), random.uniform(-0.2, 0.2, 3))
    image.SetSpacing((1.0, 1.3, 4.0))
    wanted = random.random((6, 11, 13)) < 0.02
    mask = sitk.GetImageFromArray(wanted.astype(np.uint8))
    mask.CopyInformation(image)
    whole = network_grid(image, orientation, spacing)
    grid = whole.cut([1, 0, 0], [max(whole.size[0] - 1, 1), whole.size[1], whole.size[2]])
    needed = grid.needed_for(mask)
    assert needed.shape == grid.size[::-1]
    values = random.random(needed.shape).astype(np.float32)
    poisoned = np.where(needed, values, np.float32(1e6))
    own, other = (grid.back(given, image, 0.0)[wanted] for given in (values, poisoned))
    np.testing.assert_allclose(own, other, atol=1e-4)


def test_there_and_back_on_the_scans_own_voxels_is_exact():
    random = np.random.default_rng(0)
    image = turned(sitk.GetImageFromArray(random.normal(0, 300, (5, 7, 9)).astype(np.float32)), (0.2, 0.1, -0.4))
    grid = network_grid(image, "SRA")
    assert grid.on_scan_voxels
    np.testing.assert_array_equal(grid.back(grid.resample(image, -1.0), image, -1.0), array(image))


def test_a_grid_of_equal_spacing_covers_the_whole_scan():
    image = turned(sitk.Image(31, 17, 9, sitk.sitkUInt8), (0.3, 0.1, -0.2))
    image.SetSpacing((0.5, 0.7, 5.0))
    grid = network_grid(image, "LPS", (1.0, 1.0, 1.0))
    whole = grid.image(np.zeros(grid.size[::-1], np.uint8))
    inside = [whole.TransformPhysicalPointToContinuousIndex(corner.tolist()) for corner in corner_points(image)]
    assert np.min(inside) >= -0.5 - 1e-3
    assert (np.max(inside, axis=0) <= np.array(grid.size) - 0.5 + 1e-3).all()
    assert grid.box_of(image) == ((0, 0, 0), grid.size)
