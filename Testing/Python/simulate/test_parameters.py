from __future__ import annotations

import numpy as np
import pytest

from HTSegmentationLib.errors import ParameterError
from HTSegmentationLib.simulate import HemorrhageType, Side, SimulationParameters, cohort_parameters, simulate_head


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"volume_ml": 0.01}, ["volume_ml", "0.01 mL", "0.05 to 80 mL"]),
        ({"volume_ml": 200}, ["volume_ml", "200 mL", "0.05 to 80 mL"]),
        ({"volume_ml": float("nan")}, ["volume_ml", "nan"]),
        ({"slice_thickness_mm": 0}, ["slice_thickness_mm", "0 mm", "0.5 to 10 mm"]),
        ({"fov_mm": 100}, ["fov_mm", "100 mm", "190 to 400 mm"]),
        ({"matrix": 32}, ["matrix", "32 pixels", "64 to 1024 pixels"]),
        ({"matrix": 128.5}, ["matrix", "128.5", "whole number"]),
        ({"noise_sd_hu": -1}, ["noise_sd_hu", "-1 HU", "0 to 30 HU"]),
        ({"seed": -1}, ["seed", "-1"]),
        ({"tilt_deg": (0, 90, 0)}, ["tilt_deg", "90", "degrees"]),
        ({"side": "up"}, ["side", "'up'", "left, right"]),
        ({"hemorrhage_type": "SAH"}, ["hemorrhage_type", "none, HI1, HI2, PH1, PH2, PH"]),
        ({"hemorrhage_type": "none", "volume_ml": 5}, ["volume_ml", "0 mL", "none"]),
    ],
)
def test_bad_parameters_are_refused_with_value_unit_and_range(changes, words):
    with pytest.raises(ParameterError) as caught:
        SimulationParameters(**changes)
    for word in words:
        assert word in str(caught.value)


def test_slices_that_end_above_the_hemorrhage_are_refused_with_the_number_needed():
    with pytest.raises(ParameterError, match=r"slices is 4 slices of 5 mm; it must be \d+ slices or more"):
        simulate_head(SimulationParameters(seed=1, matrix=64, slices=4))


def test_names_are_taken_for_enums():
    case = SimulationParameters(hemorrhage_type="HI2", side="right")
    assert case.hemorrhage_type is HemorrhageType.HI2
    assert case.side is Side.RIGHT


def test_thin_slices_cover_the_same_head_and_are_noisier():
    thick, thin = SimulationParameters(), SimulationParameters(slice_thickness_mm=1)
    assert thick.slices * thick.slice_thickness_mm == thin.slices * thin.slice_thickness_mm == 150
    assert thick.noise_sd_hu == 4
    assert thin.noise_sd_hu == pytest.approx(4 * np.sqrt(5))


def test_the_cohort_has_the_published_types_and_volumes():
    cases = cohort_parameters()
    for kind, count, mean, low, high in (
        (HemorrhageType.HI2, 28, 6.81, 0.08, 35.4),
        (HemorrhageType.PH, 23, 17.28, 3.89, 53.44),
    ):
        volumes = [case.volume_ml for case in cases if case.hemorrhage_type is kind]
        assert len(volumes) == count
        assert np.mean(volumes) == pytest.approx(mean, rel=0.2)
        assert low <= min(volumes)
        assert max(volumes) <= high
    assert len({case.seed for case in cases}) == 51
    assert any(case.touching_skull for case in cases)


def test_the_cohort_is_the_same_for_the_same_seed_only():
    assert cohort_parameters(3, 2, seed=4) == cohort_parameters(3, 2, seed=4)
    assert cohort_parameters(3, 2, seed=4) != cohort_parameters(3, 2, seed=5)


def test_a_negative_count_is_refused():
    with pytest.raises(ParameterError, match="count_ph is -1 cases"):
        cohort_parameters(1, -1)
