"""Simulated head CT with an infarct, a hemorrhage and their exact masks."""

from HTSegmentationLib.simulate.background import Background, prepare_background
from HTSegmentationLib.simulate.case import SimulatedCase
from HTSegmentationLib.simulate.cohort import cohort_parameters
from HTSegmentationLib.simulate.confounders import CONFOUNDERS, Confounders
from HTSegmentationLib.simulate.head import simulate_head
from HTSegmentationLib.simulate.on_background import simulate_on
from HTSegmentationLib.simulate.parameters import HemorrhageType, Side, SimulationParameters
from HTSegmentationLib.simulate.scan_lesion import fitted

__all__ = [
    "CONFOUNDERS",
    "Background",
    "Confounders",
    "HemorrhageType",
    "Side",
    "SimulatedCase",
    "SimulationParameters",
    "cohort_parameters",
    "fitted",
    "prepare_background",
    "simulate_head",
    "simulate_on",
]
