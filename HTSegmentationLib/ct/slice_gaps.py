"""The distances between slices: whether they are even, what step stands for them, and where slices are missing."""

from __future__ import annotations

from itertools import groupby

import numpy as np

from HTSegmentationLib.ct.slice_stack import SliceStack
from HTSegmentationLib.remark import Remark, Severity

GAP_TOLERANCE = 0.01
"""Gaps that differ by no more than this share are the same gap; beyond it, an average spacing would make volumes wrong."""

_DRIFT_TOLERANCE = 0.1
"""How far, in gaps, a slice of an even pile may lie from where counting puts it: small differences can add up."""

_ROUNDING_MM = 0.01
"""Slices that all lie this near to an even place differ only by the rounding of the positions in their files."""

_MISSING_FACTOR = 1.8
"""A gap this many times the gaps beside it lacks a slice, unless the slabs on both sides fill it."""

_UNCOVERED_FACTOR = 1.1
"""Slabs further apart than this many times their thickness leave tissue between them that was not imaged."""

_STEP_SHARE = 0.2
"""A gap must make up this share of all gaps to become the step: a rare small gap would only make the grid large."""

_RUNS_TOLD = 6
"""Above this many runs of equal gaps, the range of the gaps says more than the list of them."""


def even_gap_mm(stack: SliceStack) -> float | None:
    """The gap of an even pile in mm; None if the gaps differ by more than 1%."""
    gaps = stack.gaps
    mean = float(stack.depths[-1] / len(gaps))
    drift = np.abs(stack.depths - mean * np.arange(len(gaps) + 1)).max()
    if drift <= _ROUNDING_MM:
        return mean
    even = np.ptp(gaps) <= GAP_TOLERANCE * mean and drift <= _DRIFT_TOLERANCE * mean
    return mean if even else None


def step_mm(stack: SliceStack) -> float:
    """The step in mm of the grid that stands for the pile: its smallest gap that is not a rare one, else the median."""
    gaps = np.sort(stack.gaps)
    for gap in gaps:
        same = gaps[np.abs(gaps - gap) <= GAP_TOLERANCE * gap]
        if len(same) >= max(2, _STEP_SHARE * len(gaps)):
            return float(same.mean())
    return float(np.median(gaps))


def gaps_in_words(gaps: np.ndarray) -> str:
    """The gaps as a reader counts them, as in "13 gaps of 4.00 mm, 1 of 1.08 mm, 13 of 7.00 mm"."""
    runs = [(len(list(run)), float(gap)) for gap, run in groupby(np.round(gaps, 2))]
    if len(runs) > _RUNS_TOLD:
        return f"{len(gaps)} gaps of {gaps.min():.2f} to {gaps.max():.2f} mm, median {np.median(gaps):.2f} mm"
    first, *others = [f"{count} of {gap:.2f} mm" for count, gap in runs]
    noun = "gap" if runs[0][0] == 1 else "gaps"
    return ", ".join([first.replace(" of", f" {noun} of", 1), *others])


def redundant_slices(stack: SliceStack) -> np.ndarray:
    """Which slabs add nothing but blur: those between two thinner slabs that already touch. Booleans, (slices,).

    Where a thin and a thick part of a scan overlap, the thick slabs amid the thin ones hold a coarser average of what the
    thin ones show.
    """
    redundant = np.zeros(len(stack.depths), dtype=bool)
    if stack.thickness is None:
        return redundant
    depths, thickness = stack.depths, stack.thickness
    kept = list(range(len(depths)))
    for index in sorted(kept[1:-1], key=lambda i: -thickness[i]):
        here = kept.index(index)
        before, after = kept[here - 1], kept[here + 1]
        touching = depths[after] - depths[before] <= (thickness[before] + thickness[after]) / 2 * (1 + GAP_TOLERANCE)
        if touching and max(thickness[before], thickness[after]) < thickness[index] * (1 - GAP_TOLERANCE):
            redundant[index] = True
            kept.remove(index)
    return redundant


def gap_remarks(stack: SliceStack) -> list[Remark]:
    """What must be said of tissue between the slices that was not imaged."""
    gaps = stack.gaps
    slab = None if stack.thickness is None else (stack.thickness[1:] + stack.thickness[:-1]) / 2
    uncovered = np.zeros(len(gaps), dtype=bool) if slab is None else gaps > _UNCOVERED_FACTOR * slab
    missing = _missing(gaps, uncovered | _alone(gaps) if slab is not None else np.ones(len(gaps), dtype=bool))
    remarks = [_missing_remark(stack, int(index)) for index in np.flatnonzero(missing)]
    apart = uncovered & ~missing
    if apart.any() and slab is not None:
        text = (
            f"The slices are thinner than the distance between them: {apart.sum()} gaps of up to {gaps[apart].max():.2f} mm "
            f"between slices {slab[apart].min():.2f} mm thick; what lies between them was not imaged"
        )
        remarks.append(Remark("slices-apart", f"{text}.", Severity.CAUTION))
    return remarks


def _alone(gaps: np.ndarray) -> np.ndarray:
    """Gaps much wider than the next one on either side: a slice is missing there even if the slabs are thick enough."""
    alone = np.zeros(len(gaps), dtype=bool)
    alone[1:-1] = gaps[1:-1] >= _MISSING_FACTOR * np.maximum(gaps[:-2], gaps[2:])
    return alone


def _missing(gaps: np.ndarray, possible: np.ndarray) -> np.ndarray:
    """Gaps much wider than the nearest ones on both sides that are no such gaps themselves."""
    missing = np.zeros(len(gaps), dtype=bool)
    usual = float(np.median(gaps))
    for index in np.flatnonzero(possible):
        around = np.delete(gaps[max(0, index - 2) : index + 3], min(2, index))
        local = float(np.median(around)) if around.size else usual
        missing[index] = gaps[index] >= _MISSING_FACTOR * max(local, 0.5 * usual)
    return missing


def _missing_remark(stack: SliceStack, index: int) -> Remark:
    others = float(np.median(np.delete(stack.gaps, index))) if len(stack.gaps) > 1 else float("nan")
    text = (
        f"Slices seem to be missing between slices {index + 1} and {index + 2} of {len(stack.depths)} (their first pixels "
        f"are at z = {stack.positions[index, 2]:.1f} and {stack.positions[index + 1, 2]:.1f} mm): the gap there is "
        f"{stack.gaps[index]:.2f} mm, elsewhere {others:.2f} mm. What lies between them was interpolated"
    )
    return Remark("slices-missing", f"{text}.", Severity.WARNING)
