"""The whole simulation: parameters in, scan and truth out."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.ct.geometry import array_to_image
from HTSegmentationLib.ct.scan import CTScan, ScanSource
from HTSegmentationLib.simulate.acquisition import HALF, acquire, blood_per_voxel
from HTSegmentationLib.simulate.brain import brain_points, make_brain
from HTSegmentationLib.simulate.case import SimulatedCase
from HTSegmentationLib.simulate.face import make_face
from HTSegmentationLib.simulate.fields import grid_noise
from HTSegmentationLib.simulate.grid import HEAD_CENTER_Y_MM, HeadGrid, Pose
from HTSegmentationLib.simulate.hand_roi import hand_drawn_roi
from HTSegmentationLib.simulate.hemorrhage import Blood, make_blood
from HTSegmentationLib.simulate.infarct import displaced, effaced, infarct_share, place_lesion
from HTSegmentationLib.simulate.parameters import HemorrhageType, SimulationParameters
from HTSegmentationLib.simulate.render import Renderer
from HTSegmentationLib.simulate.sampling import Sampling
from HTSegmentationLib.simulate.scanner import shading
from HTSegmentationLib.simulate.skull import Skull, make_skull
from HTSegmentationLib.simulate.tissue import Densities, packed, soft_tissue_stack
from HTSegmentationLib.simulate.vessels import make_dense_things

_STREAMS = ("pose", "skull", "bend", "brain", "dense", "face", "texture", "lesion", "infarct", "blood", "noise", "hand")
"""Independent random streams; only ever add to the end, or all seeds give other heads."""

_OCCIPUT_MM = 114.0
"""Scalp at the back of the average head, y in head coordinates."""


def simulate_head(case: SimulationParameters) -> SimulatedCase:
    """Simulates one head CT.

    Args:
        case: What to simulate. The same parameters give the same arrays.

    Raises:
        ParameterError: The slices end above the hemorrhage.

    Example:
        >>> simulate_head(SimulationParameters(seed=1, matrix=64)).scan.image.GetSize()
        (64, 64, 30)
    """
    children = np.random.SeedSequence(int(case.seed)).spawn(len(_STREAMS))
    streams = {name: np.random.default_rng(child) for name, child in zip(_STREAMS, children, strict=True)}
    pose, atrophy, position = _draw_pose(streams["pose"], case)
    grid = HeadGrid(pose)
    sampling = Sampling.of(case, grid)
    skull = make_skull(streams["skull"], grid)
    renderer, blood = _draw_brain(streams, case, grid, skull, sampling=sampling, atrophy=atrophy)
    back = (_OCCIPUT_MM - HEAD_CENTER_Y_MM) * skull.scale[1] + pose.shift_mm[1]
    seen = acquire(streams["noise"], renderer, sampling, noise_sd_hu=float(case.noise_sd_hu), back_mm=back)
    image = sitk.GetImageFromArray(seen.hu)
    image.SetSpacing((case.pixel_mm, case.pixel_mm, float(case.slice_thickness_mm)))
    first = (float(sampling.axis[0]), float(sampling.axis[0]), float(sampling.middles[0]))
    image.SetOrigin([a + p for a, p in zip(first, position, strict=True)])

    fraction = np.zeros(seen.hu.shape, np.float32) if blood is None else blood_per_voxel(blood, sampling)
    truth = (fraction >= HALF) & seen.brain
    roi = None
    if blood is not None:
        roi = hand_drawn_roi(streams["hand"], truth if truth.any() else fraction > 0, seen.head, image)
    return SimulatedCase(
        scan=CTScan(image, ScanSource(path=f"simulated head, seed {case.seed}", format="simulated")),
        hemorrhage=array_to_image(truth, image),
        blood_fraction=array_to_image(fraction, image),
        true_volume_ml=0.0 if blood is None else blood.volume_ml,
        brain=array_to_image(seen.brain, image),
        infarct=array_to_image((seen.infarct | truth) & seen.brain, image),
        roi=roi,
        parameters=case,
    )


def _draw_brain(
    streams: dict[str, np.random.Generator],
    case: SimulationParameters,
    grid: HeadGrid,
    skull: Skull,
    *,
    sampling: Sampling,
    atrophy: float,
) -> tuple[Renderer, Blood | None]:
    """Models what the skull holds and what is around it."""
    points = brain_points(streams["bend"], grid, skull)
    lesion = place_lesion(streams["lesion"], case, grid, skull, sampling) if case.has_hemorrhage else None
    if lesion is not None:
        points = displaced(points, lesion, skull)
    brain = make_brain(streams["brain"], grid, skull, points, atrophy)
    dense = make_dense_things(streams["dense"], grid, skull, brain, points)
    infarct, blood = np.zeros(grid.shape, np.float32), None
    if lesion is not None:
        with_edema = case.hemorrhage_type is HemorrhageType.PH
        infarct = infarct_share(streams["infarct"], grid, skull, brain, lesion=lesion, with_edema=with_edema)
        brain = effaced(brain, infarct)
        blood = make_blood(streams["blood"], case, grid, skull, brain, lesion=lesion, sampling=sampling)
    face = make_face(streams["face"], grid, skull)
    densities = Densities.draw(streams["texture"], dense)
    texture = 110 * grid_noise(streams["texture"], grid, 3.0) + 60 * grid_noise(streams["texture"], grid, 12.0)
    soft = soft_tissue_stack(skull, brain, dense, face, infarct=infarct, shading=shading(grid, skull))
    hard = packed((skull.cavity, face.bone, face.air, texture, skull.skin))
    return Renderer(grid, sampling, soft=soft, hard=hard, infarct=infarct, densities=densities, blood=blood), blood


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
