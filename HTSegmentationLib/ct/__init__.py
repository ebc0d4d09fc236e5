"""Reading head CT into Hounsfield units on a regular grid."""

from HTSegmentationLib.ct.read import read_ct
from HTSegmentationLib.ct.scan import CTScan, ScanSource

__all__ = ["CTScan", "ScanSource", "read_ct"]
