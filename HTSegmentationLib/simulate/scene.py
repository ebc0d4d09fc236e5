"""What lies in the scanner: one head with its lesion and all that confounds, ready to be scanned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from HTSegmentationLib.simulate.acquisition import HALF, Artefacts
from HTSegmentationLib.simulate.anatomy import anatomy_of
from HTSegmentationLib.simulate.blood import Blood
from HTSegmentationLib.simulate.brain import Brain, brain_points, make_brain
from HTSegmentationLib.simulate.edema import edema_share
from HTSegmentationLib.simulate.face import make_face
from HTSegmentationLib.simulate.fields import grid_noise
from HTSegmentationLib.simulate.grid import HeadGrid
from HTSegmentationLib.simulate.hemorrhage import make_blood, surroundings_of
from HTSegmentationLib.simulate.infarct import INFARCTED, Lesion, displaced, effaced, infarct_share, place_lesion
from HTSegmentationLib.simulate.mineral import make_calcification
from HTSegmentationLib.simulate.motion import make_motion
from HTSegmentationLib.simulate.parameters import SimulationParameters
from HTSegmentationLib.simulate.render import Renderer
from HTSegmentationLib.simulate.sampling import Sampling
from HTSegmentationLib.simulate.scanner import shading
from HTSegmentationLib.simulate.skull import Skull
from HTSegmentationLib.simulate.staining import STAINED_HU, staining_gain
from HTSegmentationLib.simulate.streaks import make_streaks
from HTSegmentationLib.simulate.tissue import CALCIFICATION, STAINING, Densities, packed, tissue_fields
from HTSegmentationLib.simulate.ventricular_blood import broken_through, distended, make_ventricular_blood
from HTSegmentationLib.simulate.vessels import make_dense_things

INFARCT, EDEMA = "infarct", "edema"
"""Marks of the renderer, beside those of the tissue itself."""

_THRESHOLDS = {INFARCT: INFARCTED, EDEMA: HALF, STAINING: STAINED_HU, CALCIFICATION: HALF}
"""From which value on a voxel counts as holding a mark."""


@dataclass(frozen=True)
class Scene:
    """A head with its lesion.

    Args:
        renderer: Draws it.
        thresholds: From which value on a voxel counts as holding each of the renderer's marks.
        blood: The hemorrhage; None without one.
        ventricular: Blood in the ventricles; None without.
        artefacts: What spoils the slices.
    """

    renderer: Renderer
    thresholds: Mapping[str, float]
    blood: Blood | None
    ventricular: Blood | None
    artefacts: Artefacts


@dataclass(frozen=True)
class _Bleed:
    """What the lesion adds to the head: infarct, edema (None if it is not told apart), blood."""

    infarct: np.ndarray
    edema: np.ndarray | None = None
    blood: Blood | None = None
    ventricular: Blood | None = None


def make_scene(
    streams: Mapping[str, np.random.Generator],
    case: SimulationParameters,
    grid: HeadGrid,
    skull: Skull,
    *,
    sampling: Sampling,
    atrophy: float,
) -> Scene:
    """Models what the skull holds and what is around it.

    Args:
        streams: A source of randomness for each part.
        case: What is wanted.
        grid: The modelling grid.
        skull: The skull.
        sampling: The scan's voxels.
        atrophy: 0 to 1.

    Raises:
        ParameterError: The slices end above the hemorrhage, or the ventricles are too small for the blood in them.
    """
    # What takes most memory while it is drawn comes first.
    face = make_face(streams["face"], grid, skull)
    points = brain_points(streams["bend"], grid, skull)
    lesion = None
    if case.has_infarct:
        lesion = place_lesion(streams["lesion"], case, grid, sampling, center=skull.center, scale=skull.scale)
        points = displaced(points, lesion, skull.scale)
    brain = make_brain(streams["brain"], grid, skull, points, atrophy)
    dense = make_dense_things(streams["dense"], grid, skull, brain, points)
    bleed = _Bleed(np.zeros(grid.shape, np.float32))
    if lesion is not None:
        brain, bleed = _bleeding(streams, case, grid, skull, brain, lesion=lesion, sampling=sampling)
    # Their memory is needed for what follows.
    del points
    further, calcium_hu = {}, 0.0
    if case.contrast_staining:
        further[STAINING] = staining_gain(streams["staining"], grid, bleed.infarct, float(case.contrast_staining))
    if case.calcification:
        calcium = make_calcification(streams["calcification"], grid, anatomy_of(skull, brain), lesion)
        further[CALCIFICATION], calcium_hu = calcium.distance, calcium.hu
    densities = Densities.draw(streams["texture"], dense, calcium_hu)
    texture = 110 * grid_noise(streams["texture"], grid, 3.0) + 60 * grid_noise(streams["texture"], grid, 12.0)
    hypodense, marks = bleed.infarct, {INFARCT: bleed.infarct}
    if bleed.edema is not None:
        hypodense, marks[EDEMA] = np.maximum(hypodense, bleed.edema), bleed.edema
    beam = shading(grid, skull, float(case.streaks))
    hard = packed((skull.cavity, face.bone, face.air, texture, skull.skin))
    del texture
    soft = tissue_fields(skull, brain, dense, face, hypodense=hypodense, shading=beam, further=further)
    blood = [part for part in (bleed.blood, bleed.ventricular) if part is not None]
    renderer = Renderer(grid, sampling, soft=soft, hard=hard, marks=marks, densities=densities, blood=blood)
    thresholds = {name: _THRESHOLDS[name] for name in (*marks, *further)}
    artefacts = _artefacts(streams, case, grid, skull, sampling=sampling, lesion=lesion)
    return Scene(renderer, thresholds, bleed.blood, bleed.ventricular, artefacts)


def _bleeding(
    streams: Mapping[str, np.random.Generator],
    case: SimulationParameters,
    grid: HeadGrid,
    skull: Skull,
    brain: Brain,
    *,
    lesion: Lesion,
    sampling: Sampling,
) -> tuple[Brain, _Bleed]:
    """The brain as the lesion leaves it, and the lesion itself."""
    axes = (sampling.fine, sampling.y, sampling.x)
    infarct = infarct_share(streams["infarct"], case, grid, anatomy_of(skull, brain), lesion=lesion)
    brain = effaced(brain, infarct)
    if not case.has_hemorrhage:
        return brain, _Bleed(infarct)
    anatomy = anatomy_of(skull, brain)
    if case.intraventricular_ml:
        anatomy = distended(anatomy, case, grid)
        brain = replace(brain, ventricles=anatomy.ventricles)
        lesion = broken_through(streams["ventricle"], case, grid, anatomy, lesion)
    around = surroundings_of(case, grid, anatomy, lesion=lesion, infarct=infarct)
    blood = make_blood(streams["blood"], case, around, lesion=lesion, axes=axes)
    ventricular = edema = None
    if case.intraventricular_ml:
        ventricular = make_ventricular_blood(
            streams["ventricle"], case, grid, anatomy, lesion=lesion, axes=axes, hemorrhage=blood
        )
    if case.edema:
        edema = edema_share(streams["edema"], case, grid, anatomy, lesion=lesion, blood=blood, axes=axes)
        brain = effaced(brain, edema)
    return brain, _Bleed(infarct, edema, blood, ventricular)


def _artefacts(
    streams: Mapping[str, np.random.Generator],
    case: SimulationParameters,
    grid: HeadGrid,
    skull: Skull,
    *,
    sampling: Sampling,
    lesion: Lesion | None,
) -> Artefacts:
    streaks = motion = None
    if case.streaks:
        strength = float(case.streaks)
        streaks = make_streaks(streams["streaks"], strength, grid, skull.scale, heights=sampling.middles, lesion=lesion)
    if case.motion:
        height = None if lesion is None else float(grid.pose.to_scan(lesion.center)[2])
        motion = make_motion(streams["motion"], float(case.motion), sampling.middles, height)
    return Artefacts(streaks, motion)
