"""The types of the Heidelberg classification, each with what makes it that type."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from HTSegmentationLib.ct.geometry import voxels_to_ml
from HTSegmentationLib.simulate import HemorrhageType, simulate_head
from HTSegmentationLib.simulate.grid import HeadGrid, Pose
from HTSegmentationLib.simulate.infarct import Lesion, displaced
from HTSegmentationLib.simulate.kinds import KINDS

from .helpers import array, small


def test_the_same_seed_still_gives_the_heads_of_earlier_versions(hematoma, petechiae, control):
    """Figures of cases as they were before types and confounders were added: other ones would make all cohorts others."""
    for case, blood, infarct, roi, total_hu in (
        (hematoma, 904, 7039, 5408, -272801538),
        (petechiae, 905, 7044, 10153, -272791637),
        (control, 0, 0, 0, -272783622),
    ):
        assert array(case.hemorrhage).sum() == blood
        assert array(case.infarct).sum() == infarct
        assert (0 if case.roi is None else array(case.roi.mask).sum()) == roi
        assert array(case.brain).sum() == 95320
        # Another processor rounds a few voxels to the next HU.
        assert array(case.scan.image).sum(dtype=np.int64) == pytest.approx(total_hu, abs=20)
        assert case.scan.image.GetOrigin() == pytest.approx((-112.4115625, -136.4815625, -35.49))


@pytest.mark.parametrize(("kind", "volume", "seed"), [("PH1", 3, 1), ("PH1", 30, 2), ("PH2", 8, 4)])
def test_ph1_and_ph2_lie_on_their_sides_of_30_percent_of_the_infarct(kind, volume, seed):
    case = simulate_head(small(hemorrhage_type=kind, volume_ml=volume, seed=seed, matrix=64))
    assert case.true_volume_ml == pytest.approx(volume, rel=0.01)
    share = array(case.hemorrhage).sum() / array(case.infarct).sum()
    assert share <= 0.3 if kind == "PH1" else share > 0.3


def test_hi1_is_scattered_faint_and_within_the_infarct():
    case = simulate_head(small(hemorrhage_type="HI1", matrix=192, noise_sd_hu=0))
    assert case.true_volume_ml == pytest.approx(1.2, rel=0.01)
    spots, count = ndimage.label(array(case.blood_fraction) > 0.4)
    sizes = np.bincount(spots.ravel())[1:]
    assert count >= 12
    assert voxels_to_ml(int(sizes.max()), case.scan.image) < 0.5 * case.true_volume_ml, "not confluent"
    blood = array(case.hemorrhage) > 0
    assert 36 < array(case.scan.image)[blood].mean() < 52
    around = ndimage.binary_dilation(array(case.infarct) > 0, iterations=1)
    assert not (blood & ~around).any()


def test_ph2_displaces_more_than_ph1_and_petechiae_next_to_nothing():
    grid = HeadGrid(Pose((0, 0, 0), (0, 0)))
    points = (grid.x, grid.y, grid.z)
    moved = {}
    for kind in (HemorrhageType.HI1, HemorrhageType.HI2, HemorrhageType.PH1, HemorrhageType.PH2):
        lesion = Lesion((40, 0, 10), (40, 0, 10), (30, 30, 30), radius_mm=18, push=KINDS[kind].push, sign=1)
        shifts = displaced(points, lesion, (1.0, 1.0, 1.0))
        moved[kind.value] = max(float(np.abs(a - b).max()) for a, b in zip(shifts, points, strict=True))
    assert moved["HI1"] == 0
    assert 2 < moved["PH1"] < 0.5 * moved["PH2"] < 8, "mm"
    assert moved["HI2"] < moved["PH1"]
