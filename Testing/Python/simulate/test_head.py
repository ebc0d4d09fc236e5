from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from scipy import ndimage

from HTSegmentationLib.ct.geometry import same_grid, voxels_to_ml
from HTSegmentationLib.simulate import simulate_head

from .helpers import array, small


def test_the_same_parameters_give_the_same_arrays(hematoma):
    again = simulate_head(hematoma.parameters)
    for name in ("hemorrhage", "brain", "infarct", "blood_fraction"):
        assert np.array_equal(array(getattr(again, name)), array(getattr(hematoma, name)))
    assert np.array_equal(array(again.scan.image), array(hematoma.scan.image))
    assert again.scan.image.GetOrigin() == hematoma.scan.image.GetOrigin()
    assert np.array_equal(array(again.roi.mask), array(hematoma.roi.mask))


def test_another_seed_gives_another_head(hematoma):
    other = simulate_head(small(seed=4, volume_ml=15))
    assert (array(other.brain) != array(hematoma.brain)).mean() > 0.002


def test_the_scan_is_a_ct_in_lps(full_case):
    image = full_case.scan.image
    assert image.GetPixelID() == sitk.sitkInt16
    assert image.GetSize() == (512, 512, 30)
    assert image.GetSpacing() == pytest.approx((230 / 512, 230 / 512, 5))
    assert image.GetDirection() == (1, 0, 0, 0, 1, 0, 0, 0, 1)
    assert full_case.scan.source.format == "simulated"
    for mask in (full_case.hemorrhage, full_case.brain, full_case.infarct, full_case.blood_fraction):
        assert same_grid(mask, image)
    full_case.roi.require_grid(image)


def test_an_intracranial_volume_is_that_of_an_adult(full_case):
    volume = voxels_to_ml(int(array(full_case.brain).sum()), full_case.scan.image)
    assert 1150 <= volume <= 1850


def test_air_bone_and_brain_lie_where_they_should(full_case):
    hu, brain = array(full_case.scan.image), array(full_case.brain) > 0
    assert np.median(hu[:, :20, :20]) < -980
    rim = ndimage.binary_dilation(brain[18], iterations=8) & ~ndimage.binary_dilation(brain[18], iterations=3)
    assert 500 < np.median(hu[18][rim]) < 1700
    inner = ndimage.binary_erosion(brain[15], iterations=20)
    assert 22 < np.median(hu[15][inner]) < 40


def test_the_skull_is_blurred_into_the_brains_rim(full_case):
    brain = array(full_case.brain)[16] > 0
    rim = brain & ~ndimage.binary_erosion(brain)
    values = array(full_case.scan.image)[16][rim]
    assert ((values > 40) & (values < 700)).mean() > 0.5


@pytest.mark.parametrize("wanted", [2.0, 6.0])
def test_noise_in_white_matter_has_the_wanted_deviation(wanted, clean_control):
    noise = noise_of(wanted, clean_control)[15:20][array(clean_control.brain)[15:20] > 0]
    assert noise.std() == pytest.approx(wanted, rel=0.15)
    assert abs(noise.mean()) < 0.3


def test_noise_is_correlated_in_plane_but_not_between_slices(clean_control):
    noise = noise_of(4.0, clean_control)[12:20, 60:130, 60:130]
    spread = noise.std()
    assert (noise[:, :, 1:] * noise[:, :, :-1]).mean() > 0.15 * spread**2
    assert abs((noise[1:] * noise[:-1]).mean()) < 0.1 * spread**2


def noise_of(wanted, clean):
    noisy = simulate_head(replace(clean.parameters, noise_sd_hu=wanted))
    return array(noisy.scan.image).astype(float) - array(clean.scan.image)


def test_a_thick_slice_is_the_mean_of_thin_ones():
    common = {"hemorrhage_type": "none", "noise_sd_hu": 0, "tilt_deg": (0, 0, 0)}
    thick = array(simulate_head(small(slice_thickness_mm=5, slices=24, **common)).scan.image).astype(float)
    thin = array(simulate_head(small(slice_thickness_mm=1, slices=120, **common)).scan.image).astype(float)
    averaged = thin.reshape(24, 5, *thin.shape[1:]).mean(1)
    brain = averaged[10:16]
    soft = (brain > 0) & (brain < 60)
    assert np.abs(thick[10:16] - brain)[soft].mean() < 1.0


def test_atrophy_widens_the_fluid_spaces():
    shares = []
    for atrophy in (0.0, 1.0):
        case = simulate_head(small(atrophy=atrophy, hemorrhage_type="none", noise_sd_hu=0))
        shares.append((array(case.scan.image)[array(case.brain) > 0] < 18).mean())
    assert shares[1] > 2 * shares[0]
    assert shares[0] > 0.005
