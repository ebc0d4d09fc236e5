"""From a region to a candidate: what was measured, what it looks like, how sure."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from HTSegmentationLib.ct.geometry import index_to_point_matrix, nearest_rotation
from HTSegmentationLib.roi import BoxShape
from HTSegmentationLib.suggest.brain_copy import CALCIUM_HU, BrainCopy
from HTSegmentationLib.suggest.candidate import Candidate, Suspicion
from HTSegmentationLib.suggest.evidence import Cause, Evidence

EVEN_EVIDENCE = 4.0
"""Evidence in mL x HU whose score is 0.5, as of half a mL that stands out by 10 HU; of simulated heads with that score,
one in ten shows it without blood."""

_MARGIN_MM = 8.0
"""The box is larger than the region by this on each side: faint borders and patches nearby lie within it."""

_MIDLINE_SIDE_MM = 5.0
"""A centre nearer to the plane of symmetry than this lies on neither side."""

_THIN_MM = 2.7
"""Within slices, what is nowhere farther than this from its own border may be a vessel, a sinus or a fold of the dura."""

_SMALL_ML = 1.5
"""Thin things of more than this are no vessel."""

_SHALLOW_MM = 6.5
"""Sinuses and the dura's insertions lie this near to the skull on average."""

_THIN_FACTOR = 0.5
"""What may be a vessel or the dura speaks half as loud."""

_DENSEST_PERCENTILE = 90.0
"""A region's densest tenth tells its density; half of it is where a blurred border stands."""

_STAINING_HU = 80.0
"""Over the smoothed copy, blood seldom reaches this; contrast staining often does."""

_CAUSES = {
    Cause.BONE: Suspicion.BONE_RIM,
    Cause.CALCIUM: Suspicion.CALCIFICATION,
    Cause.MIDLINE: Suspicion.MIDLINE,
}

_MOSTLY = 0.5
"""From this share on, a cause explains a region."""


def appraise(copy: BrainCopy, evidence: Evidence, numbers: np.ndarray) -> list[Candidate]:
    """Measures and judges each region.

    The score is E / (E + 4 mL HU), E being the evidence: the sum over the region's unexplained voxels of their volume
    times the HU by which they stand out beyond 2 HU. Where more than half of a region is explained, the score falls in
    proportion; what may be a vessel or the dura counts half.

    Args:
        copy: The shrunk brain.
        evidence: What speaks for blood in it.
        numbers: The regions, from :func:`hyperdense_regions`.

    Returns:
        The candidates, the highest score first.
    """
    boxes = enumerate(ndimage.find_objects(numbers), start=1)
    found = [_appraised(copy, evidence, numbers[box] == number, box) for number, box in boxes]
    return sorted(found, key=lambda candidate: (-candidate.score, -candidate.evidence, candidate.center))


def _appraised(copy: BrainCopy, evidence: Evidence, region: np.ndarray, box: tuple[slice, ...]) -> Candidate:
    """One region, true in ``region``, which is the part ``box`` of the copy."""

    def within(array: np.ndarray) -> np.ndarray:
        return array[box][region]

    strength = within(evidence.strength_hu) * copy.voxel_ml
    standing_out, unexplained = float(strength.sum()), float(strength[within(evidence.unexplained)].sum())
    explained = 1 - unexplained / standing_out
    by_cause = {cause: float(strength[within(where)].sum()) for cause, where in evidence.beside.items()}
    # What is told of a bleed beside a calcified core is that of the bleed.
    clear = ~within(evidence.beside[Cause.CALCIUM])
    clear = clear if clear.any() and explained <= _MOSTLY else np.ones_like(clear)
    density, excess, asymmetry = (
        within(array)[clear] for array in (copy.density_hu, evidence.excess_hu, evidence.asymmetry_hu)
    )
    peak, size = float(density.max()), _size_ml(excess, copy)
    thin = size < _SMALL_ML and within(copy.depth_mm).mean() < _SHALLOW_MM and _half_width_mm(copy, region) < _THIN_MM
    suspicion = _suspicion(by_cause, explained, thin=bool(thin), peak_hu=peak)
    heard = unexplained * (_THIN_FACTOR if thin else 1.0)
    stands_out = float(excess.mean()), float(asymmetry.mean())
    touches_bone = bool(within(evidence.beside[Cause.BONE]).any())
    points = copy.points(np.argwhere(region) + [part.start for part in box])
    return Candidate(
        center=_triple(points.mean(axis=0)),
        side=_side(float(within(copy.midline_mm).mean())),
        size_ml=size,
        mean_hu=float(density.mean()),
        peak_hu=peak,
        excess_hu=stands_out[0],
        asymmetry_hu=stands_out[1],
        standing_out=standing_out,
        evidence=unexplained,
        score=heard / (heard + EVEN_EVIDENCE) * min(1.0, (1 - explained) / (1 - _MOSTLY)),
        suspicion=suspicion,
        reason=_reason(size, *stands_out, suspicion, touches_bone=touches_bone),
        box=_box(copy, points),
    )


def _size_ml(excess_hu: np.ndarray, copy: BrainCopy) -> float:
    """The volume of what stands out by half of what the densest tenth does, since blur makes the region too large."""
    return int((excess_hu >= np.percentile(excess_hu, _DENSEST_PERCENTILE) / 2).sum()) * copy.voxel_ml


def _half_width_mm(copy: BrainCopy, region: np.ndarray) -> float:
    """Within slices, the largest distance of a voxel to the region's border."""
    across = copy.slice_array_axis
    flat = [mm for axis, mm in enumerate(copy.spacing_mm) if axis != across]
    sections = np.moveaxis(np.pad(region, 1), across, 0)
    return max(float(ndimage.distance_transform_edt(section, sampling=flat).max()) for section in sections)


def _suspicion(by_cause: dict[Cause, float], explained: float, *, thin: bool, peak_hu: float) -> Suspicion | None:
    if explained > _MOSTLY:
        return _CAUSES[max(by_cause, key=by_cause.__getitem__)]
    if thin:
        return Suspicion.DURA_OR_VESSEL
    return Suspicion.STAINING if peak_hu > _STAINING_HU else None


def _side(midline_mm: float) -> str:
    if abs(midline_mm) < _MIDLINE_SIDE_MM:
        return "midline"
    return "left" if midline_mm > 0 else "right"


_LOOKS_LIKE = {
    Suspicion.CALCIFICATION: f"looks like calcification: it lies about a core above {CALCIUM_HU:g} HU",
    Suspicion.BONE_RIM: "looks like the blurred rim of bone that it lies along",
    Suspicion.MIDLINE: "looks like the falx or a sinus: it lies in the plane of symmetry",
    Suspicion.DURA_OR_VESSEL: "may be a vessel, a sinus or the dura: it is thin and lies near the skull",
    Suspicion.STAINING: f"contrast staining cannot be excluded: it reaches more than {_STAINING_HU:g} HU",
}


def _reason(size: float, excess: float, asymmetry: float, suspicion: Suspicion | None, *, touches_bone: bool) -> str:
    parts = [
        f"{size:.1f} mL, {excess:.0f} HU denser than normal brain",
        f"not mirrored ({asymmetry:.0f} HU denser than the other side)",
        "touches the skull" if touches_bone else "touches no bone",
    ]
    return ", ".join(parts) + (f"; {_LOOKS_LIKE[suspicion]}" if suspicion else "")


def _box(copy: BrainCopy, points: np.ndarray) -> BoxShape:
    """The box along the scan's axes that holds the region's voxels and the margin."""
    matrix = index_to_point_matrix(copy.grid)[:3, :3]
    axes = nearest_rotation(matrix / np.linalg.norm(matrix, axis=0))
    along = points @ axes
    low, high = along.min(axis=0), along.max(axis=0)
    size = high - low + np.array(copy.grid.GetSpacing()) + 2 * _MARGIN_MM
    return BoxShape(_triple(axes @ (low + high) / 2), tuple(_triple(axis) for axis in axes.T), _triple(size))


def _triple(values: np.ndarray) -> tuple[float, float, float]:
    x, y, z = (float(value) for value in values)
    return (x, y, z)
