"""Where a lesion lies in a scanned head: in a given infarct, or in the middle cerebral artery's territory."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import ndimage

from HTSegmentationLib.errors import ParameterError
from HTSegmentationLib.simulate.background import Background
from HTSegmentationLib.simulate.infarct import Lesion, ball_radius_mm, drawn_lesion
from HTSegmentationLib.simulate.parameters import HemorrhageType, SimulationParameters

_SHARES = {
    HemorrhageType.HI1: (0.0, 0.1),
    HemorrhageType.HI2: (0.0, 0.5),
    HemorrhageType.PH1: (0.0, 0.3),
    HemorrhageType.PH2: (0.3, 3.0),
    HemorrhageType.PH: (0.0, 3.0),
}
"""Smallest and largest share of a given infarct that each type can be; hematomas may grow out of it."""

_KEPT_OFF = 0.85
"""Fitted volumes keep this share of a type's limits, so that slices do not change the type."""

_TRIES = 40
"""Places that are tried before a scan is said to have none."""

_MIDLINE_MM = 8.0
"""A bleed's middle lies at least this far off the midline."""


def fitted(case: SimulationParameters, background: Background) -> SimulationParameters:
    """The case with a volume that its type can have in the given infarct; as it is without one.

    Args:
        case: What is wanted.
        background: The scan.

    Raises:
        ParameterError: The infarct is too large or too small for any hemorrhage of that type.
    """
    if background.infarct is None or not case.has_hemorrhage:
        return case
    low, high = (share * background.infarct_ml for share in _SHARES[case.hemorrhage_type])
    volume = float(np.clip(case.volume_ml, low / _KEPT_OFF, _KEPT_OFF * high))
    return case if volume == case.volume_ml else replace(case, volume_ml=round(volume, 3))


def require_fit(case: SimulationParameters, background: Background) -> None:
    """Checks that the hemorrhage can be of its type in the given infarct.

    Raises:
        ParameterError: It is too large or too small for it.
    """
    if background.infarct is None or not case.has_hemorrhage:
        return
    low, high = (share * background.infarct_ml for share in _SHARES[case.hemorrhage_type])
    if not low <= case.volume_ml <= high:
        raise ParameterError(
            f"volume_ml is {case.volume_ml:g} mL; {case.hemorrhage_type.value} in an infarct of "
            f"{background.infarct_ml:.1f} mL must be {low:.2f} to {high:.2f} mL"
        )


def place_on_scan(rng: np.random.Generator, case: SimulationParameters, background: Background) -> Lesion:
    """Chooses where the blood lies.

    Args:
        rng: Source of randomness.
        case: What is wanted; a given infarct decides about the side.
        background: The scan.

    Raises:
        ParameterError: There is no room for the hemorrhage, or the given infarct lies where none can be drawn.
    """
    if background.infarct_share is not None:
        return _seated(_in_infarct(rng, case, background), background)
    anatomy, grid = background.anatomy, background.grid
    z = background.frame.axes[0]
    for _ in range(_TRIES):
        lesion = drawn_lesion(rng, case, center=anatomy.center, scale=anatomy.scale)
        node = _node(background, lesion.center)
        height = float(grid.pose.to_scan(lesion.center)[2])
        fits = z[0] + lesion.radius_mm < height < z[-1] - 0.7 * lesion.radius_mm
        depth = 0.3 if case.touching_skull else 0.6
        if fits and anatomy.cavity[node] < -depth * lesion.radius_mm and anatomy.ventricles[node] > 0.3 * lesion.radius_mm:
            return _seated(lesion, background)
    raise ParameterError(
        f"volume_ml is {case.volume_ml:g} mL; {background.name} has no room for it in the territory of the middle cerebral "
        "artery, its slices may not reach that; choose a smaller volume or another background"
    )


def _in_infarct(rng: np.random.Generator, case: SimulationParameters, background: Background) -> Lesion:
    """A place in the given infarct, rather deep in it."""
    anatomy, grid, share = background.anatomy, background.grid, background.infarct_share
    radius = ball_radius_mm(case)
    infarct = share > min(0.5, 0.6 * float(share.max()))
    allowed = infarct & (np.abs(grid.x) > _MIDLINE_MM) & (np.minimum(anatomy.cerebellum, anatomy.brainstem) > 0)
    if not allowed.any():
        raise ParameterError(
            "the infarct lies in cerebellum, brainstem or midline, where no bleed is simulated; give one of a hemisphere"
        )
    depth = ndimage.distance_transform_edt(infarct, sampling=grid.spacing)
    if case.touching_skull:
        depth = depth - np.abs(anatomy.cavity + radius)
    wanted = min(0.6 * radius, 0.7 * float(depth[allowed].max()))
    places = np.flatnonzero(allowed & (depth >= wanted))
    node = np.unravel_index(int(rng.choice(places)), grid.shape)
    center = tuple(float(axis[node]) for axis in (grid.x, grid.y, grid.z))
    middle = tuple(float(axis[infarct].mean()) for axis in (grid.x, grid.y, grid.z))
    size = (0.75 * background.infarct_ml * 1000 / np.pi) ** (1 / 3)
    return Lesion(center, middle, (size, size, size), radius, 0.0, 1 if center[0] > 0 else -1)


def _seated(lesion: Lesion, background: Background) -> Lesion:
    """Puts blood that is thinner than two slices on the middle of a slice, so that its truth is not empty."""
    z = background.frame.axes[0]
    if lesion.radius_mm > float(z[1] - z[0]):
        return lesion
    height = float(background.grid.pose.to_scan(lesion.center)[2])
    x, y, own = lesion.center
    return replace(lesion, center=(x, y, own + float(z[np.argmin(np.abs(z - height))]) - height))


def _node(background: Background, point: tuple[float, float, float]) -> tuple[int, int, int]:
    """The modelling grid's node nearest to a point in head coordinates."""
    scan = background.grid.pose.to_scan(point)[::-1]
    return tuple(int(np.abs(axis - value).argmin()) for axis, value in zip(background.grid.axes, scan, strict=True))
