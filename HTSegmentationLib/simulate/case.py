"""A simulated head CT with everything that is known of it."""

from __future__ import annotations

from dataclasses import dataclass

import SimpleITK as sitk

from HTSegmentationLib.ct.scan import CTScan
from HTSegmentationLib.roi import Roi
from HTSegmentationLib.simulate.parameters import SimulationParameters


@dataclass(frozen=True)
class SimulatedCase:
    """A simulated scan and its truth; all masks are ``sitkUInt8`` images of 0 and 1 on the scan's grid.

    Args:
        scan: The scan, ``sitkInt16`` HU, LPS, identity direction, source format ``"simulated"``.
        hemorrhage: Voxels of which blood fills half or more.
        blood_fraction: Share of each voxel that blood fills, ``sitkFloat32``, 0 to 1.
        true_volume_ml: Blood's volume in mL, from the fine grid before it was averaged to slices.
        brain: Everything inside the inner table down to the skull base: brain, CSF, falx, vessels and blood.
        infarct: Infarcted tissue, the hemorrhage inside it included.
        roi: A region of interest as somebody would draw it; None without a hemorrhage.
        parameters: What was asked for.
    """

    scan: CTScan
    hemorrhage: sitk.Image
    blood_fraction: sitk.Image
    true_volume_ml: float
    brain: sitk.Image
    infarct: sitk.Image
    roi: Roi | None
    parameters: SimulationParameters
