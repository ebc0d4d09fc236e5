"""Simulated cohorts as folders of files, with a manifest, as a site would have them."""

from HTSegmentationLib.cohort.simulated.backgrounds import PlannedCase, simulate_planned
from HTSegmentationLib.cohort.simulated.case_files import write_case
from HTSegmentationLib.cohort.simulated.folder import Reference, SimulatedCohort, simulate_cohort
from HTSegmentationLib.cohort.simulated.plan import planned_cases

__all__ = [
    "PlannedCase",
    "Reference",
    "SimulatedCohort",
    "planned_cases",
    "simulate_cohort",
    "simulate_planned",
    "write_case",
]
