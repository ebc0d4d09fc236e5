"""A lesion is painted into a given scan, and the scan itself is left alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from scipy import ndimage

from HTSegmentationLib.ct.geometry import array_to_image, same_grid, voxels_to_ml
from HTSegmentationLib.ct.read import read_ct
from HTSegmentationLib.ct.scan import CTScan
from HTSegmentationLib.errors import InputError, ParameterError, SegmentationError
from HTSegmentationLib.roi import read_labels
from HTSegmentationLib.simulate import fitted, prepare_background, simulate_head, simulate_on
from HTSegmentationLib.simulate.case import IVH, PHE

from .helpers import array, small


@pytest.fixture(scope="module")
def scan():
    return simulate_head(small(hemorrhage_type="none", noise_sd_hu=4, matrix=160)).scan


@pytest.fixture(scope="module")
def infarct(scan):
    """A ball of 25 mL in the left hemisphere, on the scan's grid."""
    image = scan.image
    middle = np.array(image.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in image.GetSize()]))
    index = np.indices(image.GetSize()[::-1])[::-1].reshape(3, -1).T * image.GetSpacing() + image.GetOrigin()
    ball = np.linalg.norm(index - (middle + np.array((38, -8, 12))), axis=1) < 18.1
    return array_to_image(ball.reshape(image.GetSize()[::-1]), image)


@pytest.fixture(scope="module")
def pixels(scan):
    """The scan's voxels before anything was done with it."""
    return array(scan.image).copy()


@pytest.fixture(scope="module")
def background(scan, pixels):
    return prepare_background(scan, name="head.nii.gz")


@pytest.fixture(scope="module")
def with_infarct(scan, infarct):
    return prepare_background(scan, infarct, name="head.nii.gz", infarct_name="infarct.nii.gz")


@pytest.fixture(scope="module")
def painted(background):
    return simulate_on(background, small(hemorrhage_type="PH", volume_ml=12, edema=True, intraventricular_ml=2))


def test_the_truth_lies_on_the_scans_grid_with_the_wanted_volume(painted, scan):
    masks = (painted.hemorrhage, painted.labels, painted.brain, painted.infarct, painted.blood_fraction, painted.staining)
    assert all(same_grid(mask, scan.image) for mask in (painted.scan.image, *masks))
    painted.roi.require_grid(scan.image)
    assert painted.true_volume_ml == pytest.approx(12, rel=0.01)
    assert voxels_to_ml(int(array(painted.hemorrhage).sum()), scan.image) == pytest.approx(12, rel=0.15)
    assert painted.intraventricular_ml == pytest.approx(2, rel=0.01)
    assert {PHE, IVH} <= set(np.unique(array(painted.labels)))


def test_voxels_far_from_the_lesion_are_those_of_the_scan_and_the_scan_is_not_changed(painted, scan, pixels):
    assert np.array_equal(array(scan.image), pixels)
    touched = (array(painted.infarct) > 0) | (array(painted.labels) > 0)
    far = ~ndimage.binary_dilation(touched, np.ones((3, 15, 15)))
    assert far.mean() > 0.9
    difference = np.abs(array(painted.scan.image).astype(int) - array(scan.image))[far]
    assert difference.max() <= 2, "the infarct's soft border"
    assert (difference > 0).mean() < 1e-4
    assert painted.scan.image.GetPixelID() == scan.image.GetPixelID()


def test_blood_has_the_density_of_blood_and_the_noise_of_the_scan(painted, background):
    blood = array(painted.blood_fraction) > 0.95
    values = array(painted.scan.image)[blood].astype(float)
    assert 50 < values.mean() < 70
    along = np.diff(array(painted.scan.image).astype(float), axis=2)[blood[:, :, 1:] & blood[:, :, :-1]]
    own = array(background.image).astype(float)
    deep = ndimage.binary_erosion(array(painted.brain) > 0, np.ones((1, 25, 25)))
    beside = np.diff(own, axis=2)[deep[:, :, 1:]]
    assert along.std() == pytest.approx(beside[np.abs(beside) < 20].std(), rel=0.4)
    assert background.noise_hu == pytest.approx(4, rel=0.25)


def test_the_same_seed_paints_the_same_and_another_one_something_else(painted, background):
    again = simulate_on(background, painted.parameters)
    assert np.array_equal(array(again.scan.image), array(painted.scan.image))
    assert np.array_equal(array(again.labels), array(painted.labels))
    other = simulate_on(background, replace(painted.parameters, seed=4))
    assert not np.array_equal(array(other.hemorrhage), array(painted.hemorrhage))


def test_noise_is_raised_to_what_is_asked_for_and_never_lowered(background, painted):
    case = small(hemorrhage_type="none")
    raised, kept = simulate_on(background, case, 8.0), simulate_on(background, case, 1.0)
    assert raised.noise_sd_hu == 8
    assert np.array_equal(array(kept.scan.image), array(background.image))
    assert [remark.code for remark in kept.scan.remarks] == ["noise-kept"]
    added = (array(raised.scan.image).astype(float) - array(background.image))[array(painted.brain) > 0]
    assert added.std() == pytest.approx((64 - background.noise_hu**2) ** 0.5, rel=0.1)


def test_a_scan_with_turned_axes_gets_the_same_lesion_in_its_own_axes(scan, painted):
    turned = sitk.DICOMOrient(scan.image, "RAI")
    assert turned.GetDirection() != scan.image.GetDirection()
    case = simulate_on(prepare_background(CTScan(turned)), painted.parameters)
    assert same_grid(case.hemorrhage, turned)
    back = sitk.DICOMOrient(case.hemorrhage, "LPS")
    assert np.array_equal(array(back), array(painted.hemorrhage))


@pytest.mark.parametrize(("kind", "volume"), [("HI1", 1.0), ("HI2", 6.0), ("PH1", 6.0)])
def test_blood_lies_in_the_infarct_that_is_given(kind, volume, with_infarct, infarct):
    case = simulate_on(with_infarct, small(hemorrhage_type=kind, volume_ml=volume, side="right"))
    blood, given = array(case.hemorrhage) > 0, array(infarct) > 0
    assert blood.any()
    around = ndimage.binary_dilation(given, np.ones((1, 5, 5)))
    assert (blood & around).sum() > (0.95 if kind != "PH1" else 0.8) * blood.sum()
    assert np.array_equal((array(case.infarct) > 0) & ~blood, given & ~blood & (array(case.brain) > 0))


def test_a_type_that_cannot_be_in_the_infarct_is_refused_and_can_be_fitted(with_infarct):
    case = small(hemorrhage_type="PH1", volume_ml=20)
    with pytest.raises(
        ParameterError, match=r"volume_ml is 20 mL; PH1 in an infarct of 2\d\.\d mL must be 0\.00 to 7\.\d+ mL"
    ):
        simulate_on(with_infarct, case)
    share = fitted(case, with_infarct).volume_ml / with_infarct.infarct_ml
    assert share < 0.3
    share = fitted(replace(case, hemorrhage_type="PH2", volume_ml=1.0), with_infarct).volume_ml / with_infarct.infarct_ml
    assert share > 0.3


def test_an_infarct_on_another_grid_is_resampled_and_that_is_said(scan, infarct, with_infarct):
    finer = sitk.Resample(infarct, [320, 320, 30], sitk.Transform(), sitk.sitkNearestNeighbor, infarct.GetOrigin(),
                          [s * f for s, f in zip(infarct.GetSpacing(), (0.5, 0.5, 1), strict=True)])  # fmt: skip
    resampled = prepare_background(scan, finer, infarct_name="infarct.nii.gz")
    assert [remark.code for remark in resampled.remarks] == ["infarct-resampled"]
    assert resampled.infarct_ml == pytest.approx(with_infarct.infarct_ml, rel=0.05)


def test_an_infarct_that_is_empty_or_elsewhere_is_refused(scan, infarct):
    nothing = sitk.Image(infarct.GetSize(), sitk.sitkUInt8)
    nothing.CopyInformation(infarct)
    with pytest.raises(InputError, match=r"infarct\.nii\.gz: it is empty; give the mask of an infarct"):
        prepare_background(scan, nothing, infarct_name="infarct.nii.gz")
    elsewhere = sitk.Image(infarct)
    elsewhere.SetOrigin([o + 90 for o in infarct.GetOrigin()])
    with pytest.raises(
        InputError, match=r"infarct\.nii\.gz: \d+% of it lies outside of the scan's brain; give an infarct in"
    ):
        prepare_background(scan, elsewhere, infarct_name="infarct.nii.gz")


def test_a_scan_without_a_brain_is_refused(scan):
    air = sitk.Image(scan.image.GetSize(), sitk.sitkInt16) - 1000
    air.CopyInformation(scan.image)
    with pytest.raises(SegmentationError, match="no brain was found"):
        prepare_background(CTScan(air))


def test_a_hemorrhage_that_has_no_room_is_refused_with_its_volume(background):
    z, y, x = background.frame.axes
    neck = replace(background, frame=replace(background.frame, axes=(z - 150, y, x)))
    with pytest.raises(ParameterError, match=r"volume_ml is 30 mL; head\.nii\.gz has no room for it"):
        simulate_on(neck, small(hemorrhage_type="PH", volume_ml=30))


def test_more_blood_than_the_scans_ventricles_hold_is_refused_with_what_they_hold(background):
    with pytest.raises(ParameterError, match=r"intraventricular_ml is 40 mL; this head's ventricles hold [\d.]+ mL at most"):
        simulate_on(background, small(hemorrhage_type="PH", intraventricular_ml=40))


def test_real_masks_are_bled_into_on_the_template(test_data):
    infarct = read_labels(test_data / "infarct-masks" / "bwsrsub-1025_lesion.nii.gz")[0]
    background = prepare_background(read_ct(test_data / "scct-template" / "scct_hu_2mm.nii.gz"), infarct, name="template")
    assert {remark.code for remark in background.remarks} == {"smooth-background", "infarct-resampled"}
    assert background.infarct_ml == pytest.approx(112, rel=0.15)
    case = simulate_on(background, small(hemorrhage_type="HI2", volume_ml=7, contrast_staining=0.5), 4.0)
    blood = array(case.hemorrhage) > 0
    assert voxels_to_ml(int(blood.sum()), case.scan.image) == pytest.approx(7, rel=0.15)
    assert (array(case.infarct)[blood] > 0).all()
    assert case.scan.image.GetPixelID() == background.image.GetPixelID()
