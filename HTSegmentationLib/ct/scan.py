"""A head CT in Hounsfield units, with where it came from and what must be said of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import SimpleITK as sitk

from HTSegmentationLib.remark import Remark


@dataclass(frozen=True)
class ScanSource:
    """Where a scan came from, without anything that names the patient.

    Args:
        path: The file or folder that the user gave.
        format: ``"DICOM"``, ``"NIfTI"``, ``"NRRD"``, ``"MetaImage"``, ``"memory"`` or ``"simulated"``.
        files: The files that were read, in slice order for DICOM.
        series: The series' instance UID, for DICOM.
        description: The series' description, for DICOM.
    """

    path: str
    format: str
    files: tuple[str, ...] = ()
    series: str | None = None
    description: str | None = None


@dataclass(frozen=True)
class CTScan:
    """One head CT.

    Args:
        image: HU, three dimensions (x, y, z), LPS; ``sitkInt16`` where nothing was resampled and all values are whole
            numbers, else ``sitkFloat32``; nothing is below -1024. Its direction matrix is orthonormal: sheared grids were
            resampled on reading.
        source: Where it came from.
        remarks: What was assumed, corrected or doubted on the way.
    """

    image: sitk.Image
    source: ScanSource = field(default_factory=lambda: ScanSource(path="", format="memory"))
    remarks: tuple[Remark, ...] = ()
