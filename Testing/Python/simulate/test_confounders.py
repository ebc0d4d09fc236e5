"""Each confounder changes what it should, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from HTSegmentationLib.ct.geometry import voxels_to_ml
from HTSegmentationLib.errors import ParameterError
from HTSegmentationLib.simulate import CONFOUNDERS, SimulationParameters, cohort_parameters, simulate_head
from HTSegmentationLib.simulate.case import ICH, IVH, PHE
from HTSegmentationLib.simulate.hand_roi import roi_of_a_control

from .helpers import array, small


@pytest.fixture(scope="module")
def confounded(petechiae):
    """The petechiae with everything that leaves blood alone."""
    return simulate_head(
        replace(petechiae.parameters, edema=4.0, calcification=True, contrast_staining=0.8, streaks=0.6, motion=0.5)
    )


@pytest.fixture(scope="module")
def into_ventricles():
    return simulate_head(small(hemorrhage_type="PH1", volume_ml=8, intraventricular_ml=3, noise_sd_hu=0))


def head_with(clean, **changes):
    """What a change adds to a control without noise, in HU."""
    case = simulate_head(replace(clean.parameters, **changes))
    assert np.array_equal(array(case.brain), array(clean.brain))
    return case, array(case.scan.image).astype(int) - array(clean.scan.image)


def test_confounders_leave_blood_brain_and_roi_as_they_were(confounded, petechiae):
    for name in ("hemorrhage", "blood_fraction", "brain", "infarct"):
        assert np.array_equal(array(getattr(confounded, name)), array(getattr(petechiae, name))), name
    assert np.array_equal(array(confounded.roi.mask), array(petechiae.roi.mask))
    assert confounded.true_volume_ml == petechiae.true_volume_ml
    assert not array(petechiae.staining).any()
    assert not array(petechiae.calcification).any()


def test_labels_hold_the_hemorrhage_as_1_and_without_edema_nothing_else(petechiae, hematoma):
    for case in (petechiae, hematoma):
        assert np.array_equal(array(case.labels), array(case.hemorrhage))


def test_edema_lies_about_the_blood_as_wide_as_it_was_asked_for(confounded):
    labels, grid = array(confounded.labels), confounded.scan.image
    assert np.array_equal(labels == ICH, array(confounded.hemorrhage) > 0)
    edema = labels == PHE
    spacing = grid.GetSpacing()[::-1]
    away = ndimage.distance_transform_edt(array(confounded.blood_fraction) < 0.3, sampling=spacing)
    assert 1 < np.median(away[edema]) < 4
    assert np.quantile(away[edema], 0.95) < 10
    near = (away > 0) & (away < 2) & (array(confounded.infarct) > 0) & (labels == 0)
    assert edema.sum() > 10 * near.sum()


def test_stained_tissue_is_infarct_without_blood(confounded):
    stained = array(confounded.staining) > 0
    assert voxels_to_ml(int(stained.sum()), confounded.scan.image) > 3
    assert not (stained & (array(confounded.labels) == ICH)).any()
    assert (stained & (array(confounded.infarct) == 0)).mean() < 0.001


def test_staining_makes_grey_matter_of_the_infarct_as_dense_as_blood(clean_control):
    case, added = head_with(clean_control, contrast_staining=1.0)
    assert case.roi is None
    assert not array(case.labels).any()
    stained, infarct = array(case.staining) > 0, array(case.infarct) > 0
    assert 60 < np.quantile(array(case.scan.image)[stained], 0.98) < 130
    assert added[stained].mean() > 15
    assert np.abs(added[~ndimage.binary_dilation(infarct, iterations=4)]).max() <= 3
    control = roi_of_a_control(case)
    assert (array(control.on_grid(case.scan.image))[stained] > 0).mean() > 0.9


def test_calcification_is_denser_than_blood_and_changes_nothing_else(clean_control):
    case, added = head_with(clean_control, calcification=True)
    calcium = array(case.calcification) > 0
    assert 0.2 < voxels_to_ml(int(calcium.sum()), case.scan.image) < 5
    assert array(case.scan.image)[calcium].mean() > 90
    # Deposits that fill less than half of a slice are in no mask.
    assert np.abs(added)[~ndimage.binary_dilation(calcium, np.ones((3, 9, 9)))].max() < 40
    assert (added != 0).mean() < 0.001


def test_streaks_are_bright_and_dark_in_the_slices_near_the_metal(clean_control):
    _, added = head_with(clean_control, streaks=1.0)
    brain = array(clean_control.brain) > 0
    spread = np.array([section[inside].std() if inside.any() else 0 for section, inside in zip(added, brain, strict=True)])
    worst = int(spread.argmax())
    assert 8 < spread[worst] < 60
    assert (spread == 0).sum() > 10
    assert abs(np.median(added[worst][brain[worst]])) < 8


def test_motion_doubles_some_slices_in_a_run_and_leaves_the_others(clean_control):
    case, added = head_with(clean_control, motion=1.0)
    moved = np.flatnonzero(np.abs(added).max(axis=(1, 2)) > 0)
    assert len(moved) == 15
    assert np.array_equal(moved, np.arange(moved[0], moved[0] + 15))
    edges = [np.abs(np.diff(array(c.scan.image)[moved].astype(float), axis=2)).mean() for c in (case, clean_control)]
    assert edges[0] < 0.95 * edges[1]


def test_blood_in_the_ventricles_has_its_volume_lies_in_them_and_is_no_hemorrhage(into_ventricles):
    case = into_ventricles
    assert case.intraventricular_ml == pytest.approx(3, rel=0.01)
    labels, grid = array(case.labels), case.scan.image
    assert voxels_to_ml(int((labels == IVH).sum()), grid) == pytest.approx(3, rel=0.25)
    assert not (array(case.hemorrhage)[labels == IVH]).any()
    assert array(grid)[labels == IVH].mean() > 40


def test_blood_settles_in_the_dependent_part_of_what_was_csf(into_ventricles):
    case = simulate_head(replace(into_ventricles.parameters, intraventricular_ml=0))
    before, settled = array(case.scan.image), array(into_ventricles.labels) == IVH
    assert np.median(before[settled]) < 22
    deep = ndimage.distance_transform_edt(array(case.brain)) > 8
    parts, _ = ndimage.label((before < 16) & (before > -5) & deep)
    ventricle = np.isin(parts, np.unique(parts[settled & (parts > 0)]))
    rows = [np.nonzero(part)[1].mean() for part in (settled, ventricle & ~settled)]
    assert rows[0] > rows[1] + 5, "rows rise to posterior"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"contrast_staining": 1.5}, ["contrast_staining", "1.5", "0 to 1"]),
        ({"streaks": -0.1}, ["streaks", "-0.1", "0 to 1"]),
        ({"motion": 2}, ["motion", "2", "0 to 1"]),
        ({"roi_margin_mm": 100}, ["roi_margin_mm", "100 mm", "0 to 40 mm"]),
        ({"edema": 50}, ["edema", "50 mm", "1 to 15 mm"]),
        ({"intraventricular_ml": 99}, ["intraventricular_ml", "99 mL", "0.1 to 40 mL"]),
        ({"hemorrhage_type": "none", "edema": True}, ["edema", "none"]),
        ({"hemorrhage_type": "none", "intraventricular_ml": 2}, ["intraventricular_ml", "none"]),
        ({"hemorrhage_type": "HI1", "volume_ml": 20}, ["volume_ml", "20 mL", "0.05 to 10 mL"]),
    ],
)
def test_bad_confounders_are_refused_with_value_unit_and_range(changes, words):
    with pytest.raises(ParameterError) as caught:
        SimulationParameters(**changes)
    for word in words:
        assert word in str(caught.value)


def test_a_cohort_has_the_same_heads_with_confounders_and_without():
    plain = cohort_parameters(4, 4, 3, count_hi1=4, count_ph1=4, count_ph2=4, count_controls=4)
    hard = cohort_parameters(
        4, 4, 3, count_hi1=4, count_ph1=4, count_ph2=4, count_controls=4, confounders=CONFOUNDERS["hard"]
    )
    same = ("seed", "hemorrhage_type", "volume_ml", "side", "fov_mm", "touching_skull")
    for one, other in zip(plain, hard, strict=True):
        assert all(getattr(one, name) == getattr(other, name) for name in same)
    assert [case.hemorrhage_type.value for case in plain[::4]] == ["HI2", "PH", "HI1", "PH1", "PH2", "none"]
    assert cohort_parameters(4, 4, 3) == plain[:8]


def test_a_hard_cohort_has_every_confounder_within_its_limits():
    hard = cohort_parameters(60, 60, seed=1, confounders=CONFOUNDERS["hard"])
    shares = {
        "edema": np.mean([case.edema for case in hard]),
        "calcification": np.mean([case.calcification for case in hard]),
        "staining": np.mean([case.contrast_staining > 0 for case in hard]),
        "streaks": np.mean([case.streaks > 0 for case in hard]),
        "motion": np.mean([case.motion > 0 for case in hard]),
    }
    for name, share in shares.items():
        assert share == pytest.approx(getattr(CONFOUNDERS["hard"], name), abs=0.13), name
    assert {1.0, 5.0} <= {case.slice_thickness_mm for case in hard}
    assert all(3 <= case.noise_sd_hu <= 8 and 2 <= case.roi_margin_mm <= 20 for case in hard)
    assert all(case.slices * case.slice_thickness_mm == pytest.approx(150, abs=3) for case in hard)
    assert {case.hemorrhage_type.value for case in hard if case.intraventricular_ml} == {"PH"}


def test_an_unknown_mixture_is_named_with_those_there_are():
    from HTSegmentationLib.simulate.confounders import confounders_named

    with pytest.raises(ParameterError, match="confounders is 'worse'; it must be one of none, some, hard"):
        confounders_named("worse")
