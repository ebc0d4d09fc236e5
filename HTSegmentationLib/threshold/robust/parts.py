"""Which dense parts of an ROI are the bleed, and which are skull, falx, calcium or something else."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from HTSegmentationLib.ct.geometry import index_to_point_matrix, slice_axis, voxels_to_ml
from HTSegmentationLib.threshold.midplane import Midplane
from HTSegmentationLib.threshold.robust.contrast import TOUCHING, LocalContrast
from HTSegmentationLib.threshold.tissue_model import TissueModel

_CORE_CONTRAST_HU = 16.0
"""A part of a bleed holds a voxel this much denser than its surroundings; what does not is noise or healthy cortex."""

_CORE_ABOVE_GREY_HU = 5.0
"""And one this much denser than grey matter, which cortex spared by an infarct is not."""

_RIM_MM = 4.5
"""Bone's blurred edge reaches this deep; a bleed that touches the skull reaches deeper with a tenth of itself."""

_MIDLINE_MM = 5.0
"""The falx and the sagittal sinus lie within this distance of the plane between the hemispheres."""

_MOST = 0.9
"""Nine tenths of a part are the part: the rest is noise at its border."""

_DENSER_HU = 12.0
"""A small part whose dense tenth is this much above the bleed's is calcium or a vessel: within one bleed clots differ by
less."""

_SMALL_SHARE = 0.3
"""Only parts below this share of the bleed's volume are judged by their density."""

_TOUCHING_SHARE = 0.02
"""A part with more of its voxels on the ROI's border reaches beyond the ROI."""

_CUT_WEIGHT = 0.3
"""Somebody who draws an ROI draws it around the bleed: what the ROI cuts counts this much."""

_SECOND_SHARE = 0.5
"""A second group of parts is kept beside the first if it is at least half as heavy and the ROI does not cut it."""

_BLOCK_MM = 1.0
"""Gaps between parts are measured on blocks of this width."""


class Cause(enum.Enum):
    """What a dense part is taken for."""

    BLEED = "bleed"
    SKULL = "bone's rim or a sinus at the skull"
    MIDLINE = "falx or midline"
    DENSE = "calcification or vessel"
    FAR = "away from the bleed"


@dataclass(frozen=True)
class Part:
    """One connected dense part of the ROI.

    Args:
        number: Its value among the labels.
        ml: Its volume in mL.
        peak_hu: HU that a tenth of it exceeds.
        contrast_hu: Contrast to the tissue around that a tenth of it exceeds.
        mass: Volume times mean contrast, in mL HU.
        cut: Whether it reaches the ROI's border within slices.
        cause: What it is taken for.
        first: Flat index of its first voxel in the ROI's box.
        piece: Number of the piece of the ROI that it lies in; several ROIs are judged one by one.
    """

    number: int
    ml: float
    peak_hu: float
    contrast_hu: float
    mass: float
    cut: bool
    cause: Cause
    first: int
    piece: int


@dataclass(frozen=True)
class JudgedParts:
    """All dense parts of an ROI with a core, and the mask of those that are the bleed.

    Args:
        parts: The parts, by volume, the largest first.
        mask: The bleed, (z, y, x).
        rival_share: Mass of the heaviest group of parts that was left out over that of the bleed; 0 without one.
    """

    parts: tuple[Part, ...]
    mask: np.ndarray
    rival_share: float

    @property
    def bleed(self) -> tuple[Part, ...]:
        """The parts that are the bleed."""
        return tuple(part for part in self.parts if part.cause is Cause.BLEED)

    def left_out_ml(self, cause: Cause) -> float:
        """Volume in mL of the parts with that cause."""
        return sum(part.ml for part in self.parts if part.cause is cause)


def judge_parts(
    field: LocalContrast, bound_hu: np.ndarray | float, model: TissueModel, midplane: Midplane | None, gap_mm: float
) -> JudgedParts:
    """Finds the parts denser than a bound, and judges each.

    Args:
        field: The ROI's box.
        bound_hu: Lower bound on the contrast in HU.
        model: Grey matter of this scan.
        midplane: The plane between the hemispheres, if it is known.
        gap_mm: Parts this near to each other are one group.
    """
    hot = field.tissue & (field.contrast >= bound_hu)
    labels, count = ndimage.label(hot, TOUCHING)
    core = hot & (field.contrast >= _CORE_CONTRAST_HU) & (field.smoothed >= model.grey_hu + _CORE_ABOVE_GREY_HU)
    numbers = np.unique(labels[core])
    found = _measured(field, labels, numbers, midplane)
    candidates = [part for part in found if part.cause is Cause.BLEED]
    groups = _groups(field, labels, candidates, gap_mm)
    judged, rival_share = _bleed_and_rest(candidates, groups)
    rest = [part for part in found if part.cause is not Cause.BLEED]
    parts = tuple(sorted([*judged, *rest], key=lambda part: (-part.ml, part.number)))
    bleed = np.zeros(count + 1, bool)
    bleed[[part.number for part in parts if part.cause is Cause.BLEED]] = True
    return JudgedParts(parts, bleed[labels], rival_share)


def _measured(field: LocalContrast, labels: np.ndarray, numbers: np.ndarray, midplane: Midplane | None) -> list[Part]:
    """The parts of these numbers; those at the skull and at the midline already have their cause."""
    if numbers.size == 0:
        return []
    place = np.flatnonzero(np.isin(labels, numbers))
    owner = labels.ravel()[place]
    order = np.argsort(owner, kind="stable")
    place, owner = place[order], owner[order]
    ends = np.searchsorted(owner, numbers, side="right")
    starts = np.searchsorted(owner, numbers, side="left")
    border, (pieces, _) = _border(field), field.pieces
    parts = []
    for number, start, end in zip(numbers, starts, ends, strict=True):
        voxels = place[start:end]
        contrast = field.contrast.ravel()[voxels]
        ml = voxels_to_ml(len(voxels), field.image)
        cause = Cause.BLEED
        if np.quantile(field.depth_mm.ravel()[voxels], _MOST) < _RIM_MM:
            cause = Cause.SKULL
        elif midplane is not None and _at_midline(voxels, field, midplane):
            cause = Cause.MIDLINE
        parts.append(
            Part(
                number=int(number),
                ml=ml,
                peak_hu=float(np.quantile(field.smoothed.ravel()[voxels], _MOST)),
                contrast_hu=float(np.quantile(contrast, _MOST)),
                mass=ml * float(contrast.mean()),
                cut=bool(np.mean(border.ravel()[voxels]) > _TOUCHING_SHARE),
                cause=cause,
                first=int(voxels[0]),
                piece=int(pieces.ravel()[voxels[0]]),
            )
        )
    return parts


def _border(field: LocalContrast) -> np.ndarray:
    """The ROI's outermost voxels within slices."""
    structure = np.ones((3, 3, 3), bool)
    across = 2 - slice_axis(field.image)
    structure[tuple(slice(None) if axis != across else [0, 2] for axis in range(3))] = False
    return field.roi & ~ndimage.binary_erosion(field.roi, structure)


def _at_midline(voxels: np.ndarray, field: LocalContrast, midplane: Midplane) -> bool:
    index = np.column_stack(np.unravel_index(voxels, field.contrast.shape))[:, ::-1]
    matrix = index_to_point_matrix(field.image)
    distance = midplane.distance_mm(index @ matrix[:3, :3].T + matrix[:3, 3])
    return bool(np.quantile(np.abs(distance), _MOST) <= _MIDLINE_MM)


def _groups(field: LocalContrast, labels: np.ndarray, parts: list[Part], gap_mm: float) -> list[int]:
    """The group of each part: parts whose gap is small are one."""
    if not parts:
        return []
    spacing = field.image.GetSpacing()[::-1]
    # Blocks of a millimetre tell gaps of centimetres as well, in a quarter of the time.
    steps = [max(1, round(_BLOCK_MM / step)) for step in spacing]
    among = np.isin(labels, [part.number for part in parts])
    for axis, step in enumerate(steps):
        among = np.logical_or.reduceat(among, np.arange(0, among.shape[axis], step), axis=axis)
    block_mm = [a * b for a, b in zip(spacing, steps, strict=True)]
    near = ndimage.distance_transform_edt(~among, sampling=block_mm) <= gap_mm / 2
    groups, _ = ndimage.label(near, TOUCHING)
    first = [np.unravel_index(part.first, labels.shape) for part in parts]
    return [int(groups[tuple(a // b for a, b in zip(place, steps, strict=True))]) for place in first]


def _bleed_and_rest(parts: list[Part], groups: list[int]) -> tuple[list[Part], float]:
    """Within each piece of the ROI the heaviest group is the bleed; other groups, and what is far too dense, are not."""
    causes = {part.number: Cause.FAR for part in parts}
    heaviest_left_out = bleed_mass = 0.0
    for piece in {part.piece for part in parts}:
        weights: dict[int, float] = {}
        whole: dict[int, bool] = {}
        members = [(part, group) for part, group in zip(parts, groups, strict=True) if part.piece == piece]
        for part, group in members:
            weights[group] = weights.get(group, 0.0) + part.mass * (_CUT_WEIGHT if part.cut else 1.0)
            whole[group] = whole.get(group, True) and not part.cut
        heaviest = max(weights.values())
        chosen = {g for g, w in weights.items() if w == heaviest or (w >= _SECOND_SHARE * heaviest and whole[g])}
        bleed = [part for part, group in members if group in chosen]
        heaviest_left_out = max([heaviest_left_out, *(w for g, w in weights.items() if g not in chosen)])
        bleed_mass += heaviest
        largest = max(bleed, key=lambda part: part.ml)
        for part in bleed:
            small = part.ml < _SMALL_SHARE * largest.ml
            dense = small and part.peak_hu > largest.peak_hu + _DENSER_HU
            causes[part.number] = Cause.DENSE if dense else Cause.BLEED
    judged = [replace(part, cause=causes[part.number]) for part in parts]
    return judged, heaviest_left_out / bleed_mass if bleed_mass else 0.0
