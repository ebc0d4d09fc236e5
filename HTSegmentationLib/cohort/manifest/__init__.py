"""Tables of cases: which scan, ROI and reference belong to which case."""

from HTSegmentationLib.cohort.manifest.case import Case, Manifest, ManifestError, Problem
from HTSegmentationLib.cohort.manifest.read import read_manifest
from HTSegmentationLib.cohort.manifest.write import write_manifest

__all__ = ["Case", "Manifest", "ManifestError", "Problem", "read_manifest", "write_manifest"]
