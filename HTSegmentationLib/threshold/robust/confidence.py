"""How sure the robust threshold is of its mask."""

from __future__ import annotations

import math

from HTSegmentationLib.segmenter import Confidence
from HTSegmentationLib.threshold.doubts import Doubt, weighed
from HTSegmentationLib.threshold.robust.parts import JudgedParts
from HTSegmentationLib.threshold.robust.signs import Signs

_LOG_ODDS = 3.0
"""Log odds of Dice 0.6 or more where no sign is bad. This and the weights below were fitted by logistic regression on
simulated scans with all confounders, and rounded so that confidence is a little too low rather than too high."""

_SHARP_EDGE_HU_PER_MM, _PER_EDGE = 7.5, 1.0
"""A border this steep is that of most good masks; each HU per mm less weighs this much."""

_SLENDER, _PER_SLENDERNESS = 0.6, 3.2
"""A compact bleed has at most this slenderness (a logarithm); what fills gyri, as staining does, has more."""

_USUAL_SPREAD, _PER_SPREAD = 0.08, 2.0
"""Moving the bound by 2 HU changes the volume of a well-bounded bleed by at most this share."""

_PER_SKULL_SHARE = 1.0
"""A mask that lies wholly within 3 mm of the skull is mostly bone's blurred edge."""

_PER_RIVAL = 1.0
"""Something else in the ROI that is as heavy as the bleed may be the bleed."""

_PER_STAINING = 4.0
"""Each factor of ten by which what is as dense as blood exceeds what was kept of it weighs this much."""

_SMALL_ML, _PER_SMALLNESS = 1.0, 4.5
"""Below one mL calcified plexus, vessels and noise look alike; each factor of ten less weighs this much."""

_NOTHING = Confidence(0.8, "nothing in the ROI stands out like blood")
"""Of an empty mask, when there was no doubtful part either."""

_DOUBTFUL = Confidence(0.5, "dense parts were left out: faint, small, or near to skull or midline")
"""Of an empty mask, when dense parts were left out."""


def confidence_of(signs: Signs | None, judged: JudgedParts) -> Confidence:
    """The confidence in a mask, and what speaks most against it.

    Args:
        signs: What was measured of it; None for an empty mask.
        judged: The dense parts of the ROI.
    """
    if signs is None:
        return _DOUBTFUL if judged.parts else _NOTHING
    spread = signs.bound_uncertainty_ml / signs.volume_ml
    doubts = [
        Doubt(_PER_EDGE * max(_SHARP_EDGE_HU_PER_MM - signs.edge_hu_per_mm, 0), _faint_border(signs)),
        Doubt(
            _PER_SLENDERNESS * max(signs.slenderness - _SLENDER, 0),
            "staining cannot be excluded: it fills gyri instead of one place",
        ),
        Doubt(
            _PER_SPREAD * max(spread - _USUAL_SPREAD, 0),
            f"low contrast to the tissue around: 2 HU change the volume by {spread:.0%}",
        ),
        Doubt(_PER_SKULL_SHARE * signs.skull_share, f"touches the skull: {signs.skull_share:.0%} lies within 3 mm of it"),
        Doubt(_PER_RIVAL * min(signs.rival_share, 1.0), "another dense part of the ROI may be the bleed"),
        Doubt(
            _PER_STAINING * math.log10(1 + signs.staining_ml / signs.volume_ml),
            f"staining cannot be excluded: {signs.staining_ml:.1f} mL of what is as dense as blood were left out",
        ),
        Doubt(
            _PER_SMALLNESS * max(math.log10(_SMALL_ML / signs.volume_ml), 0),
            f"{signs.volume_ml:.2f} mL is too little to be told from calcium, a vessel or noise",
        ),
    ]
    good = f"stands out by {signs.dense_contrast_hu:.0f} HU, sharply bounded and alone in the ROI"
    return weighed(_LOG_ODDS, doubts, good)


def _faint_border(signs: Signs) -> str:
    return f"faint border of {signs.edge_hu_per_mm:.0f} HU per mm: streaks, motion, staining or low contrast to the infarct"
