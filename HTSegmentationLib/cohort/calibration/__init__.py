"""Fitting the rule table to a site's own references, with an honest account of what that gains."""

from HTSegmentationLib.cohort.calibration.fit import calibrate, fit_profiles
from HTSegmentationLib.cohort.calibration.profile import CaseFiles, CaseProfile, FailedCase, profile_case
from HTSegmentationLib.cohort.calibration.report import calibration_words, provenance_lines
from HTSegmentationLib.cohort.calibration.result import Calibration, Fold, HeldOutCase

__all__ = [
    "Calibration",
    "CaseFiles",
    "CaseProfile",
    "FailedCase",
    "Fold",
    "HeldOutCase",
    "calibrate",
    "calibration_words",
    "fit_profiles",
    "profile_case",
    "provenance_lines",
]
