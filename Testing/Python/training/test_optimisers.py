"""Optimisers and schedules of the recipes."""

import math
from dataclasses import replace

import pytest

from ..needs import deep_learning
from .tiny_plan import settings

torch = deep_learning()

from HTSegmentationLib.training.choices import OPTIMISERS, SCHEDULES  # noqa: E402
from HTSegmentationLib.training.optimisers import Schedule, make_optimiser  # noqa: E402


def parameter():
    return torch.nn.Parameter(torch.tensor([2.0]))


def rates(chosen, values):
    optimiser = make_optimiser(chosen, [parameter()])
    schedule = Schedule(chosen, optimiser)
    found = []
    for value in values:
        found.append(schedule.learning_rate)
        schedule.after_epoch(value)
    return found


@pytest.mark.parametrize("name", OPTIMISERS)
def test_every_optimiser_goes_downhill(name):
    weight = parameter()
    optimiser = make_optimiser(settings(optimiser=name, learning_rate=0.1), [weight])
    for _ in range(5):
        optimiser.zero_grad()
        (weight**2).sum().backward()
        optimiser.step()
    assert abs(weight.item()) < 2


def test_the_parameters_of_an_optimiser_reach_it():
    group = make_optimiser(settings(optimiser="adamw", optimiser_parameters={"weight_decay": 0.2}), [parameter()])
    assert group.param_groups[0]["weight_decay"] == 0.2


def test_plateau_halves_after_ten_epochs_without_gain():
    chosen = settings(schedule="plateau", learning_rate=1.0)
    assert rates(chosen, [1.0] * 23) == [1.0] * 11 + [0.5] * 10 + [0.25] * 2
    assert rates(chosen, [1.0 / n for n in range(1, 30)]) == [1.0] * 29


def test_cosine_restarts_falls_and_begins_anew():
    found = rates(settings(schedule="cosine-restarts", learning_rate=1.0), [0.0] * 31)
    assert found[10] == found[30] == 1.0
    assert found[5] == pytest.approx(0.5)
    assert found[9] == pytest.approx((1 + math.cos(math.pi * 0.9)) / 2)
    assert found[29] < 0.01


def test_poly_falls_to_the_power_of_what_is_left():
    found = rates(settings(schedule="poly", learning_rate=1.0, epochs=10), [0.0] * 10)
    assert found == pytest.approx([(1 - epoch / 10) ** 0.9 for epoch in range(10)])


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_goes_on_from_its_state(name, tmp_path):
    chosen = replace(settings(schedule=name, learning_rate=1.0), epochs=30)
    whole = rates(chosen, [1.0] * 25)
    optimiser = make_optimiser(chosen, [parameter()])
    schedule = Schedule(chosen, optimiser)
    found = []
    for number in range(25):
        if number == 13:
            torch.save({"s": schedule.state_dict(), "o": optimiser.state_dict()}, tmp_path / "state.pt")
            kept = torch.load(tmp_path / "state.pt", weights_only=True)
            optimiser = make_optimiser(chosen, [parameter()])
            schedule = Schedule(chosen, optimiser)
            optimiser.load_state_dict(kept["o"])
            schedule.load_state_dict(kept["s"])
        found.append(schedule.learning_rate)
        schedule.after_epoch(1.0)
    assert found == whole
