"""Simulates a case on a given scan: the lesion is painted into it, the truth lies on its grid."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.ct.scan import CTScan, ScanSource
from HTSegmentationLib.remark import Remark, Severity
from HTSegmentationLib.roi import Roi
from HTSegmentationLib.simulate.acquisition import HALF
from HTSegmentationLib.simulate.background import Background, as_given
from HTSegmentationLib.simulate.case import ICH, IVH, PHE, SimulatedCase
from HTSegmentationLib.simulate.grid import PlaneSampler
from HTSegmentationLib.simulate.hand_roi import hand_drawn_roi
from HTSegmentationLib.simulate.infarct import INFARCTED
from HTSegmentationLib.simulate.paint import make_lesion, paint
from HTSegmentationLib.simulate.parameters import SimulationParameters
from HTSegmentationLib.simulate.scan_lesion import require_fit
from HTSegmentationLib.simulate.scanner import noise_slice
from HTSegmentationLib.simulate.streams import random_streams

_HEAD_HU = -300.0
"""Denser is skin and what it holds."""


def simulate_on(background: Background, case: SimulationParameters, noise_sd_hu: float | None = None) -> SimulatedCase:
    """Simulates a lesion in a given scan.

    The scan keeps its grid and, wherever nothing is painted, its voxels. Blood and edema do not displace the brain. Slices,
    matrix, field of view, tilt, atrophy and noise of ``case`` have no meaning here.

    Args:
        background: The scan, and the infarct that the hemorrhage lies in if one is given.
        case: What is simulated.
        noise_sd_hu: Noise in HU that the scan is brought to; None, or less than its own: it keeps its own.

    Raises:
        ParameterError: The hemorrhage does not go with the given infarct, or the scan has no room for it.

    Example:
        >>> background = prepare_background(read_ct("head.nii.gz"))                # doctest: +SKIP
        >>> simulate_on(background, SimulationParameters(seed=1)).true_volume_ml   # doctest: +SKIP
        17.3
    """
    require_fit(case, background)
    streams = random_streams(case.seed)
    painted = make_lesion(streams, case, background)
    painting = paint(streams, case, background, painted)
    shape, brain = background.hu.shape, background.brain
    fraction = np.zeros(shape, np.float32)
    if painted.blood is not None:
        fraction = painted.blood.per_voxel(shape, background.frame.per_slice)
    truth = (fraction >= HALF) & brain
    labels = painting.edema.astype(np.uint8) * np.uint8(PHE)
    if painted.ventricular is not None:
        labels[(painted.ventricular.per_voxel(shape, background.frame.per_slice) >= HALF) & brain] = IVH
    labels[truth] = ICH
    free = brain & (labels != ICH) & (labels != IVH)
    infarct = background.infarct if background.infarct is not None else _on_voxels(background, painted.infarct)
    noise, remarks = _noise_added(streams["noise"], background, painting.hu, noise_sd_hu)
    roi = None
    if painted.blood is not None:
        drawn_about = truth if truth.any() else fraction > 0
        head = background.hu > _HEAD_HU
        drawn = hand_drawn_roi(streams["hand"], drawn_about, head, background.axial, case.roi_margin_mm)
        mask = sitk.GetArrayFromImage(drawn.on_grid(background.axial)) > 0
        roi = Roi.from_mask(as_given(background, mask), sources=("simulated hand-drawn ROI",))
    masks = {
        "hemorrhage": truth,
        "blood_fraction": fraction,
        "brain": brain,
        "infarct": (infarct | truth) & brain if case.has_infarct else np.zeros(shape, bool),
        "labels": labels,
        "staining": painting.staining & free,
        "calcification": painting.calcification & free,
    }
    return SimulatedCase(
        scan=_scan(background, case, painting.hu, remarks),
        true_volume_ml=0.0 if painted.blood is None else painted.blood.volume_ml,
        roi=roi,
        parameters=case,
        noise_sd_hu=noise,
        intraventricular_ml=0.0 if painted.ventricular is None else painted.ventricular.volume_ml,
        **{name: as_given(background, mask) for name, mask in masks.items()},
    )


def _on_voxels(background: Background, share: np.ndarray) -> np.ndarray:
    """Voxels of the scan that are infarcted by a share on the modelling grid."""
    z, y, x = background.frame.axes
    sampler = PlaneSampler((background.grid.axis_y, background.grid.axis_x), y, x)
    slabs = (background.grid.slab(share[None], float(height)) for height in z)
    return np.stack([sampler(slab)[0] >= INFARCTED for slab in slabs])


def _noise_added(
    rng: np.random.Generator, background: Background, hu: np.ndarray, wanted: float | None
) -> tuple[float, list[Remark]]:
    """Adds noise in place; the noise that there is then, and what must be said of it."""
    own = background.noise_hu
    if wanted is None:
        return own, []
    if wanted <= own:
        text = f"{background.name} has a noise of {own:.1f} HU already; it was left as it is, {wanted:g} HU were asked for."
        return own, [Remark("noise-kept", text, Severity.CAUTION)]
    x = background.frame.axes[2]
    pixel, size = abs(float(x[1] - x[0])), max(hu.shape[1:])
    added = np.float32((wanted**2 - own**2) ** 0.5)
    for index in range(len(hu)):
        hu[index] += added * noise_slice(rng, size, pixel)[: hu.shape[1], : hu.shape[2]]
    return float(wanted), []


def _scan(background: Background, case: SimulationParameters, hu: np.ndarray, remarks: list[Remark]) -> CTScan:
    """The painted scan, of the background's pixel type; nothing of its header but the geometry."""
    values = np.rint(hu).astype(np.int16) if background.image.GetPixelID() == sitk.sitkInt16 else hu
    source = ScanSource(path=f"{background.name} with a simulated lesion, seed {case.seed}", format="simulated")
    return CTScan(as_given(background, values), source, (*background.remarks, *remarks))
