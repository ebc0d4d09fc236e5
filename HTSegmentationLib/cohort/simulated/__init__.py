"""Simulated cohorts as folders of files, with a manifest, as a site would have them."""

from HTSegmentationLib.cohort.simulated.case_files import write_case
from HTSegmentationLib.cohort.simulated.folder import SimulatedCohort, simulate_cohort

__all__ = ["SimulatedCohort", "simulate_cohort", "write_case"]
