"""Simulated head CT with an infarct, a hemorrhage and their exact masks."""

from HTSegmentationLib.simulate.case import SimulatedCase
from HTSegmentationLib.simulate.cohort import cohort_parameters
from HTSegmentationLib.simulate.head import simulate_head
from HTSegmentationLib.simulate.parameters import HemorrhageType, Side, SimulationParameters

__all__ = ["HemorrhageType", "Side", "SimulatedCase", "SimulationParameters", "cohort_parameters", "simulate_head"]
