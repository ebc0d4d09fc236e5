"""Simulated cases that several tests look at; small ones are enough for most."""

from __future__ import annotations

import pytest

from HTSegmentationLib.simulate import HemorrhageType, SimulatedCase, SimulationParameters, simulate_head

from .helpers import small


@pytest.fixture(scope="session")
def full_case() -> SimulatedCase:
    return simulate_head(SimulationParameters(seed=5))


@pytest.fixture(scope="session")
def hematoma() -> SimulatedCase:
    return simulate_head(small(volume_ml=15))


@pytest.fixture(scope="session")
def petechiae() -> SimulatedCase:
    return simulate_head(small(volume_ml=15, hemorrhage_type=HemorrhageType.HI2))


@pytest.fixture(scope="session")
def control() -> SimulatedCase:
    return simulate_head(small(hemorrhage_type=HemorrhageType.NONE))


@pytest.fixture(scope="session")
def clean_control() -> SimulatedCase:
    return simulate_head(small(hemorrhage_type=HemorrhageType.NONE, noise_sd_hu=0, matrix=192))
