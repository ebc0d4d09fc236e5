import numpy as np
import pytest
import SimpleITK as sitk
from scipy import ndimage
from scipy.cluster.vq import kmeans2

from HTSegmentationLib.ct.geometry import crop
from HTSegmentationLib.threshold.closing import closed_in_slices
from HTSegmentationLib.threshold.enclosure import enclosed_share
from HTSegmentationLib.threshold.enhancement import enhance, reach_mm
from HTSegmentationLib.threshold.intensity_classes import intensity_classes
from HTSegmentationLib.threshold.parameters import EnhancementParameters

from ..phantom import head_array


def test_k_means_agrees_with_scipys(head):
    values = np.concatenate([sitk.GetArrayFromImage(head.image).ravel()[::7], np.full(5000, -90)])
    clipped = np.clip(values, -200, 300).astype(float)[:, None]
    expected, _ = kmeans2(clipped, np.array([[-200.0], [-80.0], [35.0], [300.0]]), iter=100, minit="matrix")
    found = intensity_classes(values)
    np.testing.assert_allclose([found.air, found.fat, found.brain, found.bone], expected[:, 0], atol=0.01)


def test_k_means_survives_an_image_of_one_value():
    assert intensity_classes(np.zeros((4, 4, 4))).brain == pytest.approx(0)


def ring(gap_degrees=0.0):
    y, x = np.mgrid[-32:32, -32:32] + 0.5
    radius, angle = np.hypot(x, y), np.degrees(np.arctan2(y, x))
    return ((radius > 20) & (radius < 25) & (np.abs(angle) >= gap_degrees / 2))[None]


def test_inside_of_a_closed_skull_is_enclosed_on_all_sides_and_the_outside_is_not():
    share = enclosed_share(ring())[0]
    assert share[32, 32] == 1
    assert share[32, 48] == 1
    assert share[32, 62] < 0.6
    assert share[2, 2] <= 0.25


def test_a_gap_in_the_skull_costs_a_few_directions_only():
    share = enclosed_share(ring(gap_degrees=20))[0]
    assert 0.9 <= share[32, 32] < 1


def test_enhancing_a_crop_gives_what_the_whole_scan_gives(head, prepared):
    parameters = EnhancementParameters()
    whole = enhance(head.image, prepared.brain_mask, parameters)
    reach = [int(np.ceil(reach_mm(parameters) / s)) for s in head.image.GetSpacing()]
    inner, size = (60, 60, 5), (30, 30, 5)
    start = [i - r for i, r in zip(inner, reach, strict=True)]
    length = [s + 2 * r for s, r in zip(size, reach, strict=True)]
    part = enhance(crop(head.image, start, length), crop(prepared.brain_mask, start, length), parameters)
    difference = sitk.GetArrayFromImage(crop(part, reach, size)) - sitk.GetArrayFromImage(crop(whole, inner, size))
    assert np.abs(difference).max() < 0.02


def test_enhancement_agrees_with_scipys_gaussian(head, prepared):
    found = sitk.GetArrayFromImage(enhance(head.image, prepared.brain_mask, EnhancementParameters()))[6:10, 60:90, 60:90]
    stripped = sitk.GetArrayFromImage(head.image) * (sitk.GetArrayFromImage(prepared.brain_mask) > 0)
    sigmas = [1 / s for s in head.image.GetSpacing()[::-1]]
    smooth = ndimage.gaussian_filter(stripped.astype(float), sigmas, truncate=8)
    sharp = smooth + 0.5 * (smooth - ndimage.gaussian_filter(smooth, sigmas, truncate=8))
    assert np.abs(found - sharp[6:10, 60:90, 60:90]).max() < 1.5


def test_sigmas_of_zero_leave_the_stripped_scan_as_it_is(head, prepared):
    nothing = EnhancementParameters(smoothing_in_plane_mm=0, smoothing_through_plane_mm=0, sharpening_amount=0)
    found = sitk.GetArrayFromImage(enhance(head.image, prepared.brain_mask, nothing))
    inside = sitk.GetArrayFromImage(prepared.brain_mask) > 0
    np.testing.assert_array_equal(found[inside], sitk.GetArrayFromImage(head.image)[inside])
    assert (found[~inside] == 0).all()


@pytest.mark.parametrize("slices", [1, 2, 3])
def test_a_scan_of_few_slices_is_enhanced_too(slices):
    image = sitk.GetImageFromArray(head_array()[0][8 : 8 + slices])
    image.SetSpacing((1, 1, 5))
    whole = sitk.Cast(image > -5000, sitk.sitkUInt8)
    enhanced = enhance(image, whole, EnhancementParameters())
    assert enhanced.GetSize() == image.GetSize()
    assert 25 < sitk.GetArrayFromImage(enhanced)[0, 80, 70] < 40


def test_closing_fills_holes_within_slices_as_scipy_does():
    rng = np.random.default_rng(1)
    array = np.zeros((5, 40, 40), bool)
    array[1:4, 8:30, 8:30] = rng.random((3, 22, 22)) > 0.3
    mask = sitk.GetImageFromArray(array.astype(np.uint8))
    everything = mask * 0 + 1
    disc = sitk.GetArrayFromImage(sitk.BinaryDilate(point(), [2, 2, 0], sitk.sitkBall))[2] > 0
    expected = np.stack([ndimage.binary_closing(np.pad(s, 4), disc)[4:-4, 4:-4] for s in array])
    found = sitk.GetArrayFromImage(closed_in_slices(mask, everything, 4)) > 0
    np.testing.assert_array_equal(found, expected)


def point():
    array = np.zeros((5, 5, 5), np.uint8)
    array[2, 2, 2] = 1
    return sitk.GetImageFromArray(array)


def test_closing_never_crosses_the_border_of_what_is_allowed():
    mask = np.zeros((3, 20, 20), np.uint8)
    mask[1, 5:15, 5:8] = mask[1, 5:15, 10:13] = 1
    allowed = np.ones_like(mask)
    allowed[1, :, 9] = 0
    found = sitk.GetArrayFromImage(closed_in_slices(*map(sitk.GetImageFromArray, (mask, allowed)), 4))
    assert found[1, 10, 8] == 1
    assert found[:, :, 9].sum() == 0


@pytest.mark.parametrize("diameter", [0, 1])
def test_closing_of_less_than_two_voxels_does_nothing(diameter):
    mask = point()
    np.testing.assert_array_equal(
        sitk.GetArrayFromImage(closed_in_slices(mask, mask * 0 + 1, diameter)), sitk.GetArrayFromImage(mask)
    )


def test_closing_follows_the_slices_of_a_sagittally_stored_scan():
    array = np.zeros((20, 20, 9), np.uint8)
    array[5:15, 5:15, 4] = 1
    array[9, 9, 4] = 0
    mask = sitk.GetImageFromArray(array)
    mask.SetDirection((0, 0, 1, 0, 1, 0, 1, 0, 0))
    closed = sitk.GetArrayFromImage(closed_in_slices(mask, mask * 0 + 1, 4))
    assert closed[9, 9, 4] == 1
    assert closed.sum() == 100
