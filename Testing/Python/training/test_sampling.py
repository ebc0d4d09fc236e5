import dataclasses
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from HTSegmentationLib.errors import ParameterError
from HTSegmentationLib.inference.network_grid import NetworkGrid
from HTSegmentationLib.training.candidates import candidates
from HTSegmentationLib.training.centres import draw_centres, generator_for
from HTSegmentationLib.training.sampling import SAMPLINGS, Sampling

GRID = NetworkGrid((40, 40, 12), (2.0, 4.0, 5.0), (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1), on_scan_voxels=True)
SHAPE = GRID.size[::-1]


def masks(flat):
    mask = np.zeros(SHAPE, bool)
    mask.reshape(-1)[flat] = True
    return mask


@pytest.fixture
def places():
    """Candidates of a box-shaped brain with one lesion of two classes, a dense lump and a dense speck."""
    brain = np.zeros(SHAPE, bool)
    brain[1:11, 4:36, 4:36] = True
    target = np.zeros(SHAPE, np.uint8)
    target[5:7, 10:14, 20:28] = 1
    target[5:7, 10:14, 28:30] = 2
    hu = np.full(SHAPE, 30.0, np.float32)
    hu[target > 0] = 65.0
    hu[3:5, 20:26, 8:14] = 60.0
    hu[8, 30, 30] = 80.0
    return {name: masks(flat) for name, flat in candidates(target, brain, brain, hu, GRID).items()}, brain, target


def test_the_background_of_every_place_lies_in_the_brain_and_holds_no_lesion(places):
    found, brain, target = places
    for name in ("brain", "border", "centre", "hyperintense"):
        assert found[name].any()
        assert not found[name][~brain | (target > 0)].any()
    assert (found["brain"] == (brain & (target == 0))).all()


def test_each_class_of_the_lesion_has_its_own_list(places):
    found, _, target = places
    assert [(found[f"lesion-{value}"] == (target == value)).all() for value in (1, 2)] == [True, True]


def test_the_border_is_a_box_that_reaches_8_mm_beyond_the_lesion(places):
    found, brain, target = places
    box = np.zeros(SHAPE, bool)
    # 8 mm are two slices of 5 mm, two rows of 4 mm, four columns of 2 mm.
    box[3:9, 8:16, 16:34] = True
    assert (found["border"] == (box & brain & (target == 0))).all()


def test_the_centre_is_the_middle_third_of_the_brain(places):
    found, _, target = places
    box = np.zeros(SHAPE, bool)
    box[4:8, 15:25, 15:25] = True
    assert (found["centre"] == (box & (target == 0))).all()


def test_hyperintense_voxels_are_lumps_and_not_specks(places):
    found, _, _ = places
    lump = np.zeros(SHAPE, bool)
    lump[3:5, 20:26, 8:14] = True
    # Opening takes the corners of the square.
    assert found["hyperintense"].sum() == lump.sum() - 2 * 4
    assert not found["hyperintense"][~lump].any()


@dataclasses.dataclass
class Lists:
    """Candidates in memory, with what a prepared case has."""

    shape: tuple
    held: dict
    target: np.ndarray

    def candidates(self, place):
        return self.held.get(place, np.zeros(0, np.int32))

    @property
    def lesion_places(self):
        return tuple(name for name, held in self.held.items() if name.startswith("lesion-") and held.size)

    @property
    def has_lesion(self):
        return bool(self.lesion_places)


@pytest.fixture
def case(places):
    found, _, target = places
    return Lists(SHAPE, {name: np.flatnonzero(mask) for name, mask in found.items()}, target)


def drawn(case, sampling, count=2000, seed=0):
    """Which place each centre lies in; those that lie in several count for each."""
    centres = draw_centres(case, sampling, count, np.random.default_rng(seed))
    flat = np.ravel_multi_index(centres.T, SHAPE)
    return {name: np.isin(flat, held) for name, held in case.held.items()}, flat


def test_half_of_the_patches_are_of_the_lesion_and_each_class_has_its_part(case):
    found, _ = drawn(case, SAMPLINGS["brain"])
    assert found["lesion-1"].sum() + found["lesion-2"].sum() == 1000
    assert found["lesion-1"].sum() == pytest.approx(500, abs=80)
    assert found["brain"].sum() == 1000


@pytest.mark.parametrize("place", ["border", "centre", "hyperintense"])
def test_each_place_has_at_least_its_share_of_the_background(case, place):
    found, _ = drawn(case, SAMPLINGS[place])
    without, _ = drawn(case, SAMPLINGS["brain"])
    assert found[place].sum() >= 300
    assert found[place].sum() == pytest.approx(300 + 0.7 * without[place].sum(), abs=90)


def test_places_that_a_case_lacks_leave_their_share_to_the_brain(case):
    held = {**case.held, "hyperintense": np.zeros(0, int), "lesion-1": np.zeros(0, int), "lesion-2": np.zeros(0, int)}
    found, _ = drawn(dataclasses.replace(case, held=held), SAMPLINGS["hyperintense"])
    assert found["brain"].all()


def test_without_restriction_background_comes_from_the_whole_box_but_never_from_the_lesion(case):
    found, _ = drawn(case, SAMPLINGS["none"])
    lesion = found["lesion-1"] | found["lesion-2"]
    assert lesion.sum() == 1000
    outside = ~found["brain"] & ~lesion
    assert outside.sum() == pytest.approx(1000 * (1 - case.held["brain"].size / (np.prod(SHAPE) - 64)), abs=70)


def test_without_a_share_for_the_lesion_voxels_are_drawn_whatever_they_are(case):
    found, _ = drawn(case, Sampling(lesion_share=0.0), count=20000)
    lesion = sum(case.held[name].size for name in case.lesion_places)
    expected = 20000 * lesion / (lesion + case.held["brain"].size)
    assert (found["lesion-1"] | found["lesion-2"]).sum() == pytest.approx(expected, rel=0.3)


@settings(deadline=None, max_examples=12)
@given(share=st.floats(0.01, 1), count=st.integers(1, 5))
def test_shares_hold_over_many_draws_of_few_patches(share, count):
    lists = Lists((1, 1, 9), {"lesion-1": np.array([4]), "brain": np.array([0, 1, 2, 3, 5, 6, 7, 8])}, np.zeros(9))
    random = np.random.default_rng(0)
    hits = Counter()
    for _ in range(200):
        hits.update(draw_centres(lists, Sampling(lesion_share=share), count, random)[:, 2].tolist())
    assert hits[4] / (200 * count) == pytest.approx(share, abs=0.15)


def test_the_same_numbers_come_from_the_same_place_and_others_from_another():
    draws = {place: generator_for(*place).random() for place in [(0, "a", 1), (0, "a", 2), (0, "b", 1), (1, "a", 1)]}
    assert len(set(draws.values())) == 4
    assert draws[(0, "a", 1)] == generator_for(0, "a", 1).random()


@pytest.mark.parametrize(
    "values", [{"lesion_share": 1.5}, {"border_share": -0.1}, {"within": "head"}, {"border_share": 0.6, "centre_share": 0.6}]
)
def test_shares_that_cannot_be_are_refused_by_their_names(values):
    with pytest.raises(ParameterError, match=f"sampling.{next(iter(values))}"):
        Sampling(**values)
