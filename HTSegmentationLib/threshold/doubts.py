"""From measured doubts to a confidence: each doubt weighs on the odds, and the gravest is the reason."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from HTSegmentationLib.segmenter import Confidence

_TOLD = 0.4
"""A doubt that weighs less than this on the log odds is not worth naming: it moves confidence by at most a tenth."""


@dataclass(frozen=True)
class Doubt:
    """Something that speaks against a mask.

    Args:
        weight: By how much it lowers the log odds of a good mask; 0 or less is no doubt.
        reason: What it is, in words a clinician reads.
    """

    weight: float
    reason: str


def weighed(log_odds: float, doubts: Sequence[Doubt], otherwise: str) -> Confidence:
    """The confidence that is left after all doubts.

    Args:
        log_odds: Log odds of a good mask of which nothing raises a doubt.
        doubts: The doubts.
        otherwise: The reason when no doubt is worth naming.

    Example:
        >>> weighed(2.0, [Doubt(3.0, "low contrast")], "sharp border").word
        'low'
    """
    total = log_odds - sum(doubt.weight for doubt in doubts)
    gravest = max(doubts, key=lambda doubt: doubt.weight, default=None)
    named = gravest is not None and gravest.weight >= _TOLD
    return Confidence(1 / (1 + math.exp(-total)), gravest.reason if named else otherwise)
