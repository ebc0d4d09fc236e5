"""The whole simulation: parameters in, scan and truth out."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.ct.geometry import array_to_image, empty_like
from HTSegmentationLib.ct.scan import CTScan, ScanSource
from HTSegmentationLib.simulate.acquisition import HALF, acquire
from HTSegmentationLib.simulate.case import ICH, IVH, PHE, SimulatedCase
from HTSegmentationLib.simulate.grid import HEAD_CENTER_Y_MM, HeadGrid, Pose
from HTSegmentationLib.simulate.hand_roi import hand_drawn_roi
from HTSegmentationLib.simulate.parameters import SimulationParameters
from HTSegmentationLib.simulate.sampling import Sampling
from HTSegmentationLib.simulate.scene import EDEMA, INFARCT, make_scene
from HTSegmentationLib.simulate.skull import make_skull
from HTSegmentationLib.simulate.streams import random_streams
from HTSegmentationLib.simulate.tissue import CALCIFICATION, STAINING

_OCCIPUT_MM = 114.0
"""Scalp at the back of the average head, y in head coordinates."""


def simulate_head(case: SimulationParameters) -> SimulatedCase:
    """Simulates one head CT.

    Args:
        case: What to simulate. The same parameters give the same arrays, but for the rounding of single HU on another kind
            of processor.

    Raises:
        ParameterError: The slices end above the hemorrhage, or the ventricles are too small for the blood in them.

    Example:
        >>> simulate_head(SimulationParameters(seed=1, matrix=64)).scan.image.GetSize()
        (64, 64, 30)
    """
    streams = random_streams(case.seed)
    pose, atrophy, position = _draw_pose(streams["pose"], case)
    grid = HeadGrid(pose)
    sampling = Sampling.of(case, grid)
    skull = make_skull(streams["skull"], grid)
    scene = make_scene(streams, case, grid, skull, sampling=sampling, atrophy=atrophy)
    seen = acquire(
        streams["noise"],
        scene.renderer,
        sampling,
        thresholds=scene.thresholds,
        noise_sd_hu=float(case.noise_sd_hu),
        back_mm=(_OCCIPUT_MM - HEAD_CENTER_Y_MM) * skull.scale[1] + pose.shift_mm[1],
        artefacts=scene.artefacts,
    )
    image = sitk.GetImageFromArray(seen.hu)
    image.SetSpacing((case.pixel_mm, case.pixel_mm, float(case.slice_thickness_mm)))
    first = (float(sampling.axis[0]), float(sampling.axis[0]), float(sampling.middles[0]))
    image.SetOrigin([a + p for a, p in zip(first, position, strict=True)])

    blood, ventricular = scene.blood, scene.ventricular
    # The modelled head takes more memory than the scan.
    del scene
    marks, voxels = seen.marks, (seen.hu.shape, sampling.per_slice, (sampling.rows.start, sampling.columns.start))
    labels = (
        (marks.pop(EDEMA) & seen.brain).astype(np.uint8) * np.uint8(PHE) if EDEMA in marks else np.zeros(voxels[0], np.uint8)
    )
    if ventricular is not None:
        labels[(ventricular.per_voxel(*voxels) >= HALF) & seen.brain] = IVH
    fraction = np.zeros(voxels[0], np.float32) if blood is None else blood.per_voxel(*voxels)
    truth = (fraction >= HALF) & seen.brain
    labels[truth] = ICH
    roi = None
    if blood is not None:
        seen_blood = truth if truth.any() else fraction > 0
        roi = hand_drawn_roi(streams["hand"], seen_blood, seen.head, image, case.roi_margin_mm)
    blood_fraction = array_to_image(fraction, image)
    del fraction
    free = seen.brain & (labels != ICH) & (labels != IVH)
    confounders = {
        name: array_to_image(marks.pop(name) & free, image) if name in marks else empty_like(image)
        for name in (STAINING, CALCIFICATION)
    }
    return SimulatedCase(
        scan=CTScan(image, ScanSource(path=f"simulated head, seed {case.seed}", format="simulated")),
        hemorrhage=array_to_image(truth, image),
        blood_fraction=blood_fraction,
        true_volume_ml=0.0 if blood is None else blood.volume_ml,
        brain=array_to_image(seen.brain, image),
        infarct=array_to_image((marks.pop(INFARCT) | truth) & seen.brain, image),
        roi=roi,
        parameters=case,
        noise_sd_hu=float(case.noise_sd_hu),
        labels=array_to_image(labels, image),
        intraventricular_ml=0.0 if ventricular is None else ventricular.volume_ml,
        **confounders,
    )


def _draw_pose(rng: np.random.Generator, case: SimulationParameters) -> tuple[Pose, float, tuple[float, ...]]:
    """Pose of the head, atrophy, and where the scan's middle lies in the scanner's own coordinates (mm)."""
    drawn = np.clip(rng.normal(0, 1, 3) * (4.0, 2.0, 2.5) + (3.0, 0, 0), -9, 12)
    angles = tuple(float(angle) for angle in (drawn if case.tilt_deg is None else case.tilt_deg))
    shift = rng.normal(0, 3, 2)
    # The published cohort is 74 years old on average.
    atrophy = float(np.clip(rng.normal(0.45, 0.2), 0.05, 0.95))
    table = (rng.normal(0, 3), rng.normal(-20, 15), rng.uniform(-400, 200))
    position = tuple(round(float(value), 2) for value in table)
    return Pose(angles, (float(shift[0]), float(shift[1]))), atrophy if case.atrophy is None else case.atrophy, position
