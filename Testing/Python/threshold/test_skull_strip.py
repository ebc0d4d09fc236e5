"""The skull strip against the truth of simulated heads."""

import numpy as np
import pytest
import SimpleITK as sitk
from scipy import ndimage

from HTSegmentationLib.ct.scan import CTScan
from HTSegmentationLib.errors import SegmentationError
from HTSegmentationLib.measure.overlap import measure_overlap
from HTSegmentationLib.simulate.head import simulate_head
from HTSegmentationLib.simulate.parameters import SimulationParameters
from HTSegmentationLib.threshold.prepare import prepare

CASES = {
    "large cortical hematoma": SimulationParameters(seed=21, volume_ml=30.0, touching_skull=True),
    "small cortical petechiae": SimulationParameters(seed=22, hemorrhage_type="HI2", volume_ml=3.0, touching_skull=True),
    "tilted head, thinner slices": SimulationParameters(
        seed=23, side="right", volume_ml=8.0, slice_thickness_mm=3.0, touching_skull=True, tilt_deg=(12.0, 4.0, -6.0)
    ),
}


@pytest.fixture(scope="module", params=CASES.values(), ids=CASES.keys())
def case(request):
    return simulate_head(request.param)


@pytest.fixture(scope="module")
def prepared(case):
    return prepare(case.scan)


def array(image):
    return sitk.GetArrayFromImage(image) > 0


def test_the_brain_mask_is_the_inside_of_the_skull(case, prepared):
    assert measure_overlap(prepared.brain_mask, case.brain).dice >= 0.97


def test_blood_against_the_inner_table_stays_inside(case, prepared):
    blood = array(case.hemorrhage)
    assert np.count_nonzero(array(prepared.brain_mask) & blood) >= 0.99 * np.count_nonzero(blood)


def test_the_tissue_is_the_brain_mask_without_bright_bone_and_half_a_millimetre_beside_it(case, prepared):
    brain, tissue = array(prepared.brain_mask), array(prepared.tissue_mask)
    assert not (tissue & ~brain).any()
    bright = (sitk.GetArrayFromImage(case.scan.image) > 100) | ~brain
    beside = ndimage.binary_dilation(bright, np.ones((1, 3, 3), bool))
    assert beside[brain & ~tissue].all()


def test_a_scan_without_a_skull_holds_no_brain():
    water = sitk.GetImageFromArray(np.zeros((10, 64, 64), np.int16))
    with pytest.raises(SegmentationError, match="no brain was found"):
        prepare(CTScan(water))
