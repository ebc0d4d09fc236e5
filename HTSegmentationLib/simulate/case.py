"""A simulated head CT with everything that is known of it."""

from __future__ import annotations

from dataclasses import dataclass

import SimpleITK as sitk

from HTSegmentationLib.ct.scan import CTScan
from HTSegmentationLib.roi import Roi
from HTSegmentationLib.simulate.parameters import SimulationParameters

ICH, PHE, IVH = 1, 2, 3
"""Values of the label map: intracerebral hemorrhage, perihematomal edema, intraventricular hemorrhage."""


@dataclass(frozen=True)
class SimulatedCase:
    """A simulated scan and its truth; all masks are ``sitkUInt8`` images of 0 and 1 on the scan's grid.

    Args:
        scan: The scan, ``sitkInt16`` HU, LPS, identity direction, source format ``"simulated"``; painted into a CT, it
            has the grid of that.
        hemorrhage: Voxels of which blood fills half or more; blood in the ventricles is not among them.
        blood_fraction: Share of each voxel that blood fills, ``sitkFloat32``, 0 to 1, without that in the ventricles.
        true_volume_ml: Blood's volume in mL, from the fine grid before it was averaged to slices.
        brain: Everything inside the inner table down to the skull base: brain, CSF, falx, vessels and blood.
        infarct: Infarcted tissue, the hemorrhage inside it included.
        roi: A region of interest as somebody would draw it; None without a hemorrhage.
        parameters: What was asked for.
        noise_sd_hu: Standard deviation of the noise in white matter in HU.
        labels: 1 intracerebral hemorrhage, 2 perihematomal edema, 3 intraventricular hemorrhage.
        intraventricular_ml: Volume in mL of the blood in the ventricles, as ``true_volume_ml``.
        staining: Tissue that contrast agent makes denser by 10 HU or more, without blood.
        calcification: Voxels of which calcium beyond what most heads have fills half or more, without blood.
    """

    scan: CTScan
    hemorrhage: sitk.Image
    blood_fraction: sitk.Image
    true_volume_ml: float
    brain: sitk.Image
    infarct: sitk.Image
    roi: Roi | None
    parameters: SimulationParameters
    noise_sd_hu: float
    labels: sitk.Image
    intraventricular_ml: float
    staining: sitk.Image
    calcification: sitk.Image
