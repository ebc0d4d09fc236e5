"""Paints a lesion into a scan: its own pixels, noise and all, are kept wherever nothing is put over them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from HTSegmentationLib.simulate.acquisition import HALF, Artefacts
from HTSegmentationLib.simulate.anatomy import Anatomy
from HTSegmentationLib.simulate.background import Background
from HTSegmentationLib.simulate.blood import Blood
from HTSegmentationLib.simulate.edema import edema_share
from HTSegmentationLib.simulate.fields import ramp
from HTSegmentationLib.simulate.grid import PlaneSampler
from HTSegmentationLib.simulate.hemorrhage import make_blood, surroundings_of
from HTSegmentationLib.simulate.infarct import Lesion, infarct_share
from HTSegmentationLib.simulate.mineral import Calcification, make_calcification
from HTSegmentationLib.simulate.motion import make_motion
from HTSegmentationLib.simulate.parameters import SimulationParameters
from HTSegmentationLib.simulate.scan_lesion import place_on_scan
from HTSegmentationLib.simulate.scanner import blur, noise_slice
from HTSegmentationLib.simulate.staining import STAINED_HU, staining_gain
from HTSegmentationLib.simulate.streaks import make_streaks
from HTSegmentationLib.simulate.tissue import CORTEX_MM, EDEMA_GREY_HU, EDEMA_WHITE_HU, STAINED_WHITE
from HTSegmentationLib.simulate.ventricular_blood import broken_through, distended, make_ventricular_blood

_MEDIAN_HU = 32.5
"""Median of a brain of 28.8 HU in white and 37.8 HU in grey matter with its fluid; a scan's own median shifts both."""

_WHITE_HU, _GREY_HU = 28.8, 37.8
"""White and grey matter of the average scan."""

_FLUID_HU, _TISSUE_HU = 12.0, 20.0
"""Smoothed HU of nothing but fluid, and of nothing but tissue, be it infarcted."""

_DENSE_HU = 60.0
"""Smoothed tissue above this is calcium, vessel or the rim of bone; no infarct makes it less dense."""

_MOST_WIDENING_MM = 1.0
"""The scan's ventricles are where they are: blood may lie this far beyond their seen border."""

_HEAD_HU = -300.0
"""Denser is skin and what it holds."""


@dataclass(frozen=True)
class PaintedLesion:
    """What is painted, on the modelling grid and on the scan's fine voxels.

    Args:
        lesion: Its place; None where there is nothing to place.
        infarct: Share of infarcted tissue.
        edema: Share of edema; None if it is not told apart.
        staining: HU that contrast agent adds to grey matter; None without.
        calcification: Calcium; None without.
        blood: The hemorrhage; None without.
        ventricular: Blood in the ventricles; None without.
    """

    lesion: Lesion | None
    infarct: np.ndarray
    edema: np.ndarray | None = None
    staining: np.ndarray | None = None
    calcification: Calcification | None = None
    blood: Blood | None = None
    ventricular: Blood | None = None


@dataclass(frozen=True)
class Painting:
    """The scan with the lesion, arrays (z, y, x).

    Args:
        hu: HU, float32.
        edema: Voxels with perihematomal edema.
        staining: Voxels that contrast agent makes denser by 10 HU or more.
        calcification: Voxels of which calcium fills half or more.
    """

    hu: np.ndarray
    edema: np.ndarray
    staining: np.ndarray
    calcification: np.ndarray


def make_lesion(
    streams: dict[str, np.random.Generator], case: SimulationParameters, background: Background
) -> PaintedLesion:
    """Models the lesion for a scan, as for a simulated head but without mass effect.

    Args:
        streams: A source of randomness for each part.
        case: What is wanted.
        background: The scan.

    Raises:
        ParameterError: There is no room for the hemorrhage, or the ventricles are too small for the blood in them.
    """
    grid, anatomy = background.grid, background.anatomy
    if not case.has_infarct:
        calcium = make_calcification(streams["calcification"], grid, anatomy, None) if case.calcification else None
        return PaintedLesion(None, np.zeros(grid.shape, np.float32), calcification=calcium)
    lesion = place_on_scan(streams["lesion"], case, background)
    given = background.infarct_share
    infarct = infarct_share(streams["infarct"], case, grid, anatomy, lesion=lesion) if given is None else given
    parts: dict[str, object] = {}
    if case.contrast_staining:
        parts["staining"] = staining_gain(streams["staining"], grid, infarct, float(case.contrast_staining))
    if case.calcification:
        parts["calcification"] = make_calcification(streams["calcification"], grid, anatomy, lesion)
    if case.has_hemorrhage:
        parts |= _blood(streams, case, background, anatomy, lesion=lesion, infarct=infarct)
    return PaintedLesion(lesion, infarct, **parts)


def paint(
    streams: dict[str, np.random.Generator], case: SimulationParameters, background: Background, painted: PaintedLesion
) -> Painting:
    """Puts the lesion over the scan's pixels.

    Tissue is made less dense, or denser, by a difference that keeps the scan's noise; blood is put over it by its share,
    with noise of the scan's own strength.

    Args:
        streams: A source of randomness for each part.
        case: What is wanted.
        background: The scan.
        painted: The lesion.
    """
    _, y, x = background.frame.axes
    shape, pixel = background.hu.shape, abs(float(x[1] - x[0]))
    sampler = PlaneSampler((background.grid.axis_y, background.grid.axis_x), y, x)
    artefacts = _artefacts(streams, case, background, painted.lesion)
    shift = float(np.clip(np.median(background.smooth[background.brain]) - _MEDIAN_HU, -6, 6))
    bloods = [blood for blood in (painted.blood, painted.ventricular) if blood is not None]
    share, product = (_sum(bloods, background, times_hu=times_hu) for times_hu in (False, True))
    hu = background.hu.copy()
    marks = {name: np.zeros(shape, bool) for name in ("edema", "staining", "calcification")}
    for k in range(shape[0]):
        seen = _slice_fields(painted, background, sampler, k)
        smooth, inside = background.smooth[k], background.brain[k]
        tissue = np.clip((smooth - _FLUID_HU) / (_TISSUE_HU - _FLUID_HU), 0, 1) * inside
        grey = np.clip((smooth - shift - _WHITE_HU) / (_GREY_HU - _WHITE_HU), 0, 1)
        section = hu[k]
        target = EDEMA_WHITE_HU + (EDEMA_GREY_HU - EDEMA_WHITE_HU) * grey + shift
        section += np.minimum(target - smooth, 0) * seen["hypodense"] * tissue * (smooth < _DENSE_HU)
        marks["edema"][k] = (seen["edema"] * tissue >= HALF) & inside
        if painted.staining is not None:
            # An infarct that the scan has already is grey no more: its cortex is told by its place.
            cortex = np.maximum(grey, ramp(CORTEX_MM - np.abs(seen["cortex"]), 2.0))
            gain = seen["staining"] * (STAINED_WHITE + (1 - STAINED_WHITE) * cortex) * tissue
            section += gain
            marks["staining"][k] = gain >= STAINED_HU
        if painted.calcification is not None:
            calcium = seen["calcification"] * inside
            section += (painted.calcification.hu - smooth) * calcium
            marks["calcification"][k] = calcium >= HALF
        if share is not None and share[k].any():
            spread = blur(share[k] * inside, pixel)
            noise = background.noise_hu * _noise(streams["blood"], section.shape, pixel)
            section += blur(product[k] * inside, pixel) + spread * (noise - section)
        if artefacts.motion is not None:
            section[:] = artefacts.motion.of(k, section, pixel)
        if artefacts.streaks is not None:
            artefacts.streaks.onto(k, section, section > _HEAD_HU, y=y, x=x)
    return Painting(hu, **marks)


def _blood(
    streams: dict[str, np.random.Generator],
    case: SimulationParameters,
    background: Background,
    anatomy: Anatomy,
    *,
    lesion: Lesion,
    infarct: np.ndarray,
) -> dict[str, object]:
    grid, axes = background.grid, background.frame.fine
    if case.intraventricular_ml:
        anatomy = distended(anatomy, case, grid, _MOST_WIDENING_MM)
        lesion = broken_through(streams["ventricle"], case, grid, anatomy, lesion)
    around = surroundings_of(
        case,
        grid,
        anatomy,
        lesion=lesion,
        infarct=infarct,
        within=background.infarct is not None and not case.kind.is_hematoma,
    )
    blood = make_blood(streams["blood"], case, around, lesion=lesion, axes=axes)
    ventricular = edema = None
    if case.intraventricular_ml:
        ventricular = make_ventricular_blood(
            streams["ventricle"], case, grid, anatomy, lesion=lesion, axes=axes, hemorrhage=blood
        )
    if case.edema:
        edema = edema_share(streams["edema"], case, grid, anatomy, lesion=lesion, blood=blood, axes=axes)
    return {"blood": blood, "ventricular": ventricular, "edema": edema}


def _slice_fields(
    painted: PaintedLesion, background: Background, sampler: PlaneSampler, index: int
) -> dict[str, np.ndarray]:
    """What a slice shows of the fields on the modelling grid: the mean of its fine slices."""
    edema = np.zeros_like(painted.infarct) if painted.edema is None else painted.edema
    fields = {"hypodense": np.maximum(painted.infarct, edema), "edema": edema}
    if painted.staining is not None:
        fields |= {"staining": painted.staining, "cortex": background.anatomy.cortex}
    if painted.calcification is not None:
        fields["calcification"] = painted.calcification.distance
    stack = np.stack(list(fields.values()))
    count = background.frame.per_slice
    total = None
    for height in background.frame.fine[0][index * count : (index + 1) * count]:
        seen = dict(zip(fields, sampler(background.grid.slab(stack, float(height))), strict=True))
        for name in ("hypodense", "edema"):
            np.clip(seen[name], 0, 1, out=seen[name])
        if "calcification" in seen:
            seen["calcification"] = ramp(-seen["calcification"], 1.5)
        total = seen if total is None else {name: total[name] + seen[name] for name in seen}
    return {name: field / np.float32(count) for name, field in total.items()}


def _sum(bloods: list[Blood], background: Background, *, times_hu: bool) -> np.ndarray | None:
    per_slice = background.frame.per_slice
    parts = [blood.per_voxel(background.hu.shape, per_slice, times_hu=times_hu) for blood in bloods]
    return sum(parts[1:], parts[0]) if parts else None


def _noise(rng: np.random.Generator, shape: tuple[int, int], pixel_mm: float) -> np.ndarray:
    return noise_slice(rng, max(shape), pixel_mm)[: shape[0], : shape[1]]


def _artefacts(
    streams: dict[str, np.random.Generator], case: SimulationParameters, background: Background, lesion: Lesion | None
) -> Artefacts:
    heights, grid = background.frame.axes[0], background.grid
    streaks = motion = None
    if case.streaks:
        scale = background.anatomy.scale
        streaks = make_streaks(streams["streaks"], float(case.streaks), grid, scale, heights=heights, lesion=lesion)
    if case.motion:
        height = None if lesion is None else float(grid.pose.to_scan(lesion.center)[2])
        motion = make_motion(streams["motion"], float(case.motion), heights, height)
    return Artefacts(streaks, motion)
