from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from HTSegmentationLib.ct.geometry import voxels_to_ml
from HTSegmentationLib.simulate import HemorrhageType, Side, simulate_head
from HTSegmentationLib.simulate.hemorrhage import _blood_hu
from HTSegmentationLib.simulate.infarct import Lesion

from .helpers import array, small


@pytest.mark.parametrize(
    ("kind", "volume"), [("HI1", 0.3), ("HI2", 0.1), ("HI2", 50), ("PH1", 1), ("PH2", 10), ("PH", 0.1), ("PH", 50)]
)
def test_blood_has_the_wanted_volume(kind, volume):
    case = simulate_head(small(hemorrhage_type=kind, volume_ml=volume))
    assert case.true_volume_ml == pytest.approx(volume, rel=0.05)
    fraction = array(case.blood_fraction)
    assert voxels_to_ml(1, case.scan.image) * fraction.sum() == pytest.approx(volume, rel=0.05)
    assert voxels_to_ml(int(array(case.hemorrhage).sum()), case.scan.image) == pytest.approx(volume, rel=0.5, abs=0.2)


@pytest.mark.parametrize("seed", range(2))
def test_the_smallest_published_hemorrhage_is_still_in_the_truth(seed):
    case = simulate_head(small(seed=seed, hemorrhage_type=HemorrhageType.HI2, volume_ml=0.08, matrix=256))
    assert array(case.hemorrhage).any()


def test_truths_are_nested(hematoma, petechiae):
    for case in (hematoma, petechiae):
        blood, brain, infarct = (array(m) > 0 for m in (case.hemorrhage, case.brain, case.infarct))
        assert blood.any()
        assert not (blood & ~brain).any()
        assert not (blood & ~infarct).any()
        assert not (infarct & ~brain).any()
        assert np.array_equal(blood, (array(case.blood_fraction) >= 0.5) & brain)


def test_the_hand_drawn_roi_holds_the_hemorrhage_with_a_margin(hematoma, petechiae):
    for case in (hematoma, petechiae):
        blood, roi = array(case.hemorrhage) > 0, array(case.roi.on_grid(case.scan.image)) > 0
        assert (blood & roi).sum() >= 0.98 * blood.sum()
        assert roi.sum() > 1.5 * blood.sum()
        drawn = [s for s in roi if s.any()]
        assert all(np.array_equal(s, drawn[0]) for s in drawn), "one outline kept over all slices"


@pytest.mark.parametrize("kind", [HemorrhageType.HI2, HemorrhageType.PH])
def test_a_hemorrhage_touches_the_inner_table_only_where_it_is_asked_to(kind):
    gaps = {}
    for touching in (True, False):
        case = simulate_head(small(hemorrhage_type=kind, volume_ml=8, touching_skull=touching))
        brain = array(case.brain) > 0
        pixel = case.scan.image.GetSpacing()[0]
        inside = np.stack([ndimage.distance_transform_edt(s) for s in brain]) * pixel
        gaps[touching] = inside[array(case.hemorrhage) > 0].min()
    assert gaps[True] <= pixel, "the outermost voxels of the brain case"
    assert gaps[False] > pixel


@pytest.mark.parametrize("side", Side)
def test_left_is_positive_x(side):
    case = simulate_head(small(side=side, tilt_deg=(0, 0, 0)))
    image = case.scan.image
    middle = image.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in image.GetSize()])[0]
    for mask in (case.hemorrhage, case.infarct):
        index = [float(c.mean()) for c in np.nonzero(array(mask))][::-1]
        assert np.sign(image.TransformContinuousIndexToPhysicalPoint(index)[0] - middle) == side.sign


def test_petechiae_are_fainter_than_hematomas_and_contrast_differs_from_case_to_case():
    axes = [np.arange(6, dtype=np.float32)] * 3
    lesion = Lesion((40, 0, 10), (40, 0, 10), (20, 20, 20), radius_mm=10, push=0, sign=1)
    contrast = {
        kind: [
            _blood_hu(np.random.default_rng(seed), small(hemorrhage_type=kind), axes, np.full((6, 6, 6), 9.0), lesion).mean()
            for seed in range(100)
        ]
        for kind in HemorrhageType
        if kind is not HemorrhageType.NONE
    }
    means = [np.mean(contrast[kind]) for kind in (HemorrhageType.HI1, HemorrhageType.HI2, HemorrhageType.PH)]
    assert 48 < means[0] < means[1] < means[2] < 65
    assert np.std(contrast[HemorrhageType.HI2]) > 2.5
    assert np.std(contrast[HemorrhageType.PH]) > 3.5


def test_petechiae_are_more_scattered_than_a_hematoma(hematoma, petechiae):
    pieces, surface, solidity = {}, {}, {}
    for name, case in (("PH", hematoma), ("HI2", petechiae)):
        blood = array(case.hemorrhage) > 0
        pieces[name] = ndimage.label(blood)[1]
        surface[name] = 1 - ndimage.binary_erosion(blood, np.ones((1, 3, 3))).sum() / blood.sum()
        solidity[name] = blood.sum() / ndimage.binary_closing(blood, np.ones((1, 9, 9))).sum()
    assert pieces["HI2"] > pieces["PH"]
    assert surface["HI2"] > 1.2 * surface["PH"]
    assert solidity["HI2"] < solidity["PH"], "holes"


def test_a_hematoma_displaces_the_brain_but_not_the_skull():
    without, large = (
        simulate_head(small(hemorrhage_type="none", noise_sd_hu=0)),
        simulate_head(small(volume_ml=40, noise_sd_hu=0)),
    )
    assert np.array_equal(array(without.brain), array(large.brain))
    changed = (array(without.scan.image) != array(large.scan.image)) & (array(large.infarct) == 0)
    assert changed.any()


def test_the_other_hemisphere_keeps_its_surface(control):
    case = simulate_head(small(volume_ml=2))
    index = np.array(control.scan.image.GetSize()) // 2
    right_convexity = (slice(None), slice(None), slice(0, int(index[0] * 0.75)))
    difference = array(case.scan.image)[right_convexity].astype(int) - array(control.scan.image)[right_convexity]
    assert np.abs(difference).max() <= 2


def test_a_control_has_no_lesion(control):
    assert control.roi is None
    assert control.true_volume_ml == 0
    assert not array(control.hemorrhage).any()
    assert not array(control.infarct).any()
