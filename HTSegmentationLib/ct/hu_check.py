"""Whether the values of a volume can be Hounsfield units of a head, from their histogram alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from HTSegmentationLib.errors import InputError
from HTSegmentationLib.remark import Remark, Severity

_LOW, _HIGH = -1100, 4200
"""Ends of the histogram in HU; what lies beyond is counted in the last bin of its side."""

_MOST_SAMPLES = 4_000_000
"""Voxels that are counted: more do not change the shares that matter."""

_BRAIN_HU = 33
"""Usual median of brain, CSF included, in non-contrast CT: between CSF (5) and grey matter (40)."""

_BRAIN_RANGE = (18, 60)
"""A peak of soft tissue outside this range is no brain at its usual HU: brain's median is 20-45, +-15 for its scanner."""

_AIR_HU, _BONE_HU = -850, 300
"""Air is below the first, bone above the second."""

_AIR_SHARE, _BONE_SHARE, _SOFT_SHARE = 0.003, 0.001, 0.01
"""Least shares of all voxels for air (below -850 HU), bone (above 300 HU) and soft tissue (-20 to 100 HU)."""

_NEGATIVE_SHARE = 0.0005
"""Least share of voxels below -30 HU (fat, air) in a CT that shows bone: MR has no negative values at all."""

_OFFSETS = (1024, 1000)
"""Offsets with which CT is stored unsigned; the scanners' 1024, and the 1000 that follows from the definition of HU."""

_PEAK_WIDTH = 60
"""Peaks of soft tissue are searched for within this many HU of where an offset would put them."""

_OFFSET_SOFT_SHARE = 0.05
"""Least share of voxels near an offset's soft tissue: MR has some of every value."""

_MR_TISSUE = (300, 800)
"""Where MR has tissue and CT that is stored with an offset has little: fat would be at 900, air at 0."""

_LABELS, _FEW_LABELS, _DENSE = 64, 16, 0.3
"""A mask has at most 64 different values, and either at most 16, or less than 0.3 of the whole numbers in its range."""

_PICTURE = 255
"""The highest value of a picture of 8 bits."""

_CUT_BETWEEN = (60, 300)
"""A highest value between brain and bone means either that there is no bone, or that it was cut off."""

_CUT_SHARE = 0.01
"""That share of the filled voxels at the very highest value means that everything above it was cut off."""

_SPIKE_SHARE, _ONLY_BRAIN_SHARE = 0.1, 0.9
"""Background is one value in this share of all voxels, or more; in a stripped brain this share of the rest is near brain."""

_OVERRIDE = "give the CT itself in HU, or --assume-hu if the values are HU nevertheless"
"""What to do about values of unknown origin."""


@dataclass(frozen=True)
class _Counts:
    """The histogram: ``share(low, high)`` of all voxels in ``low <= HU <= high``."""

    bins: np.ndarray
    lowest: float
    highest: float
    distinct: int

    @property
    def span(self) -> str:
        """The range of the values, in words."""
        return f"its values run from {self.lowest:g} to {self.highest:g}"

    def share(self, low: float, high: float) -> float:
        start, end = (int(np.clip(round(value) - _LOW, 0, len(self.bins) - 1)) for value in (low, high))
        return float(self.bins[start : end + 1].sum() / self.bins.sum())

    def peak(self, low: int, high: int) -> int:
        """The HU with the most voxels between ``low`` and ``high``, noise smoothed away; a background's spike left out."""
        bins = self.bins.astype(float)
        spike = int(np.argmax(bins))
        if (
            bins[spike] > _SPIKE_SHARE * bins.sum()
            and self.distinct > _LABELS
            and spike in (-_LOW, round(self.lowest) - _LOW)
        ):
            bins[spike] = 0
        smooth = np.convolve(bins, np.hanning(13), mode="same")
        return low + int(np.argmax(smooth[low - _LOW : high - _LOW + 1]))


def check_hu(pixels: np.ndarray, path: str | Path, assume_hu: bool = False) -> list[Remark]:
    """Looks for air, soft tissue and bone where HU has them.

    Args:
        pixels: Values, shape (z, y, x); nothing below -1024.
        path: What the user gave, for the message.
        assume_hu: Whether to take the user's word for it; what speaks against it then becomes a remark.

    Returns:
        Remarks: of a head without skull, of a brain at unusual HU, of a check that was overruled.

    Raises:
        InputError: The values cannot be HU of a head, and ``assume_hu`` is not set.
    """
    counts = _count(pixels)
    wrong = _what_is_wrong(counts)
    if wrong is None:
        return _cautions(counts)
    problem, advice = wrong
    if not assume_hu:
        raise InputError(path, problem, advice)
    text = f"The values were taken for HU as asked for, though {problem}."
    return [Remark("hu-assumed", text, Severity.WARNING)]


def _count(pixels: np.ndarray) -> _Counts:
    step = max(1, round((pixels.size / _MOST_SAMPLES) ** (1 / 2)))
    bins = np.zeros(_HIGH - _LOW + 1, dtype=np.int64)
    for plane in pixels:
        # Every plane and a part of its pixels, so that thin structures across the slices are not missed.
        sample = plane[::step, ::step].ravel()
        bins += np.bincount(np.clip(np.rint(sample), _LOW, _HIGH).astype(np.int64) - _LOW, minlength=len(bins))
    return _Counts(bins, float(pixels.min()), float(pixels.max()), int(np.count_nonzero(bins)))


def _what_is_wrong(counts: _Counts) -> tuple[str, str] | None:
    """What speaks against HU and what to do about it; None if nothing does."""
    for check in (_one_value, _mask, _offset_left, _cut_off, _no_tissue):
        wrong = check(counts)
        if wrong is not None:
            return wrong
    return None


def _one_value(counts: _Counts) -> tuple[str, str] | None:
    if counts.lowest < counts.highest:
        return None
    return f"all its voxels are {counts.lowest:g}", "give the CT itself"


def _mask(counts: _Counts) -> tuple[str, str] | None:
    """Labels are few whole numbers from 0 up, or lie apart; a stripped brain fills a range, a picture ends at 255."""
    apart = counts.distinct < _DENSE * (counts.highest - counts.lowest) and counts.highest < _PICTURE
    few = counts.distinct <= _FEW_LABELS or apart
    if counts.lowest < 0 or counts.highest > _PICTURE or counts.distinct > _LABELS or not few:
        return None
    return f"it looks like a mask of labels, not a CT: {counts.distinct} different values from 0 up", _OVERRIDE


def _offset_left(counts: _Counts) -> tuple[str, str] | None:
    """The offset that was left in the values: the one that puts the peak of soft tissue nearest to brain's."""
    low, high = min(_OFFSETS) + _BRAIN_HU - _PEAK_WIDTH, max(_OFFSETS) + _BRAIN_HU + _PEAK_WIDTH
    soft = counts.share(low, high)
    no_air = counts.share(_LOW, _AIR_HU) < _AIR_SHARE
    air_at_zero = counts.share(-_PEAK_WIDTH, _PEAK_WIDTH) >= _AIR_SHARE
    if not (no_air and air_at_zero) or soft < _OFFSET_SOFT_SHARE or counts.share(*_MR_TISSUE) > soft:
        return None
    peak = counts.peak(low, high)
    offset = min(_OFFSETS, key=lambda value: abs(peak - value - _BRAIN_HU))
    problem = f"its values are HU + {offset} by their look ({counts.span}, soft tissue near {peak})"
    return problem, f"give --hu-offset -{offset}, or --assume-hu if they are HU nevertheless"


def _cut_off(counts: _Counts) -> tuple[str, str] | None:
    if not _CUT_BETWEEN[0] <= counts.highest < _CUT_BETWEEN[1]:
        return None
    filled = 1 - counts.share(_LOW, max(counts.lowest, _LOW))
    if counts.share(counts.highest, counts.highest) < _CUT_SHARE * filled or counts.distinct <= _FEW_LABELS:
        return None
    if counts.lowest >= 0 and counts.highest == _PICTURE:
        return f"its values run from 0 to {_PICTURE}, as in a picture, not in HU", _OVERRIDE
    problem = f"its values were cut off at {counts.highest:g} ({counts.span}), so that bone and blood cannot be told apart"
    return problem, "give the CT as it was before a window was applied, or --assume-hu"


def _no_tissue(counts: _Counts) -> tuple[str, str] | None:
    air = counts.share(_LOW, _AIR_HU) >= _AIR_SHARE
    soft = counts.share(-20, 100) >= _SOFT_SHARE
    bone = counts.share(_BONE_HU, _HIGH) >= _BONE_SHARE
    if air and not soft:
        return f"it has air but nothing near the HU of soft tissue, 0 to 60 ({counts.span})", _OVERRIDE
    if air or (soft and bone and counts.share(_LOW, -30) >= _NEGATIVE_SHARE) or (not bone and _only_brain(counts)):
        return None
    picture = ", as in a picture, not in HU" if counts.lowest >= 0 and _BONE_HU > counts.highest > _PICTURE / 2 else ""
    problem = f"{counts.span}{picture}: there is no air near -1000 HU and no brain near {_BRAIN_HU} HU (is it MR?)"
    return problem, _OVERRIDE


def _only_brain(counts: _Counts) -> bool:
    """Whether, apart from a background of one value, nearly everything is near brain's HU."""
    spike = int(np.argmax(counts.bins))
    brain = counts.bins.copy()
    if brain[spike] > _SPIKE_SHARE * brain.sum() and (spike + _LOW == 0 or spike + _LOW <= counts.lowest):
        brain[spike] = 0
    total = brain.sum()
    if not total:
        return False
    median = int(np.searchsorted(np.cumsum(brain), total / 2)) + _LOW
    near = brain[-30 - _LOW : 110 - _LOW].sum() / total
    return bool(near >= _ONLY_BRAIN_SHARE and _BRAIN_RANGE[0] <= median <= _BRAIN_RANGE[1])


def _cautions(counts: _Counts) -> list[Remark]:
    remarks = []
    if counts.share(_BONE_HU, _HIGH) < _BONE_SHARE:
        text = (
            "No bone was found (nothing above 300 HU): the scan seems to be skull-stripped or to hold a part of the brain."
        )
        remarks.append(Remark("no-skull", text, Severity.CAUTION))
    peak = counts.peak(-60, 130)
    if not _BRAIN_RANGE[0] <= peak <= _BRAIN_RANGE[1]:
        text = f"Soft tissue is at {peak} HU, usual for brain is {_BRAIN_HU} HU: the HU may be off, and so every threshold."
        remarks.append(Remark("brain-hu-unusual", text, Severity.CAUTION))
    return remarks
