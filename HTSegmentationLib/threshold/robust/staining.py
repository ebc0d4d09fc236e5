"""What of a mask is likely blood, where much of it may be tissue stained by contrast agent."""

from __future__ import annotations

import math

import numpy as np

from HTSegmentationLib.threshold.robust.bound import Bound
from HTSegmentationLib.threshold.robust.contrast import LocalContrast
from HTSegmentationLib.threshold.robust.signs import MaskShape, shape_of
from HTSegmentationLib.threshold.robust.solid import filled_share, solid_part

_COMPACT, _SLENDER = 0.2, 0.6
"""A mask with at most the first slenderness (a logarithm) is one compact mass, and nothing is taken from it however large
it is; from the second on it counts fully as ribbons."""

_SOLID_SLENDERNESS = 0.35
"""A mask must be at least this slender before a core is sought in it."""

_FADING_EDGE_HU_PER_MM = 7.5
"""Nearly all stained masks have fainter borders than this; where the border is steeper, no core is sought."""

_DOUBT, _PER_UNCERTAINTY, _PER_SLENDERNESS, _PER_SKULL_SHARE = -0.65, 0.85, 0.4, 1.1
"""Orders of magnitude (logarithm to base 10) by which a mask is larger than its blood: so many to begin with, so many more
per factor of ten of the volume in mL that 2 HU decide on, per slenderness, and with all of it at the skull. Fitted on
simulated scans, stained and not, so that volumes agree best without loss of Dice."""

_MOST_DOUBT = 1.5
"""More than this is never taken away: a thirtieth is left."""

_NEAR_MM = 4.0
"""How solid a place is, is the share that the mask fills of a Gaussian of this sigma; 3 to 8 mm do alike."""


def likely_blood(field: LocalContrast, mask: np.ndarray, bound: Bound, shape: MaskShape) -> np.ndarray:
    """Leaves out what is likely stained tissue.

    Contrast agent in infarcted cortex can be as dense as blood, and no bound on the density tells the two. But a hematoma
    is solid, and what is stained are ribbons of grey matter. A large slender mask is mostly staining, the more so the more
    its volume hangs on the bound and the more of it lies at the skull, where the cortex is: its densest and most solid part
    is kept, as large as masks of that kind have blood. Where ribbons with a faint border lie around one solid core, they
    are left out first, and of core and rim so much is kept as lies midway between all and that size. A compact mass is
    never cut. Each piece of the ROI is judged by itself.

    Args:
        field: The ROI's box.
        mask: The bleed at the bound, (z, y, x).
        bound: The bound.
        shape: What was measured of the mask.

    Returns:
        The mask, or a part of it.
    """
    pieces, count = field.pieces
    if count == 1:
        return _likely_blood(field, mask, bound, shape)
    kept = np.zeros_like(mask)
    for number in range(1, count + 1):
        own = mask & (pieces == number)
        if own.any():
            kept |= _likely_blood(field, own, bound, shape_of(field, own, bound))
    return kept


def _likely_blood(field: LocalContrast, mask: np.ndarray, bound: Bound, shape: MaskShape) -> np.ndarray:
    """The same for one piece of the ROI."""
    solid, size = mask, int(np.count_nonzero(mask))
    if shape.slenderness >= _SOLID_SLENDERNESS and bound.edge_hu_per_mm < _FADING_EDGE_HU_PER_MM:
        solid = solid_part(mask, field.image)
    left = int(np.count_nonzero(solid))
    wanted = _blood_share(shape) * size
    if left < size:
        wanted = math.sqrt(wanted * left)
    wanted = max(round(wanted), 1)
    if wanted >= left:
        return solid
    worth = (field.contrast * filled_share(mask, field.image, _NEAR_MM))[solid]
    kept = solid.copy()
    kept[solid] = worth >= np.partition(worth, -wanted)[-wanted]
    return kept


def _blood_share(shape: MaskShape) -> float:
    """About which share of a mask of that shape is blood."""
    ribbons = float(np.clip((shape.slenderness - _COMPACT) / (_SLENDER - _COMPACT), 0, 1))
    doubt = (
        _DOUBT
        + _PER_UNCERTAINTY * math.log10(max(shape.bound_uncertainty_ml, 0.01))
        + _PER_SLENDERNESS * shape.slenderness
        + _PER_SKULL_SHARE * shape.skull_share
    )
    return float(10 ** -(ribbons * np.clip(doubt, 0, _MOST_DOUBT)))
