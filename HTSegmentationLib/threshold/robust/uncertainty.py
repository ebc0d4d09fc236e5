"""How far the volume of the robust threshold may be off."""

from __future__ import annotations

import math

from HTSegmentationLib.segmenter import Confidence
from HTSegmentationLib.threshold.robust.parts import JudgedParts
from HTSegmentationLib.threshold.robust.signs import Signs

_SURE_SHARE, _PER_DOUBT = 0.06, 0.5
"""Share of the volume that even a sure mask is off by, and how much more a mask is in which there is no confidence. Fitted
on simulated scans, so that 0.77 of the true volumes lie within one and 0.95 within 1.96 uncertainties."""

_STAINED_SHARE = 0.3
"""This much of what was left out as likely staining is one standard deviation."""


def robust_uncertainty_ml(signs: Signs | None, judged: JudgedParts, confidence: Confidence, grid_ml: float) -> float:
    """One standard deviation of the volume in mL, calibrated on simulated scans.

    Four parts, added as squares: what the grid leaves open, half of the volume between bounds 2 HU lower and higher, 0.3 of
    what was left out as likely staining, and what may be mistaken for blood or missed, a share of the volume that grows
    with the doubts: ``V x (0.06 + 0.5 x (1 - confidence))``. Of an empty mask it is the share ``1 - confidence`` of the
    dense parts that were found and not taken for blood; 0 where there were none.

    Args:
        signs: What was measured of the mask; None for an empty one.
        judged: The dense parts of the ROI.
        confidence: How sure the method is of it.
        grid_ml: See :func:`~HTSegmentationLib.measure.grid_uncertainty.grid_uncertainty_ml`.
    """
    if signs is None:
        return (1 - confidence.value) * sum(part.ml for part in judged.bleed)
    mistaken_ml = signs.volume_ml * (_SURE_SHARE + _PER_DOUBT * (1 - confidence.value))
    return math.hypot(grid_ml, signs.bound_uncertainty_ml, _STAINED_SHARE * signs.staining_ml, mistaken_ml)
