"""One region that may be a bleed, in numbers and in words."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any

from HTSegmentationLib.roi import BoxShape
from HTSegmentationLib.roi.shapes import Vector


class Suspicion(enum.Enum):
    """What a region looks like besides blood, in the words that users read."""

    CALCIFICATION = "calcification"
    BONE_RIM = "blurred rim of bone"
    MIDLINE = "falx or a sinus of the midline"
    DURA_OR_VESSEL = "vessel, sinus or fold of the dura"
    STAINING = "contrast staining"


@dataclass(frozen=True)
class Candidate:
    """A hyperdense region inside the brain that the other side does not mirror.

    Of a bleed beside a calcified core, HU and volume are told without that core.

    Args:
        center: Its centre of mass, LPS mm.
        side: ``"left"``, ``"right"`` (the patient's) or ``"midline"``.
        size_ml: Its volume in mL up to half of its density, on the smoothed copy of about 1 x 1 x 3 mm; a first estimate.
        mean_hu: Mean HU on that copy.
        peak_hu: Highest HU on that copy.
        excess_hu: By how much it is denser on average than normal brain of its depth reaches.
        asymmetry_hu: By how much it is denser on average than the densest place near its mirror image.
        standing_out: How much stands out in all, in mL x HU.
        evidence: The part of it that bone, calcium and the midline do not explain, in mL x HU.
        score: 0 to 1; from 0.5 on it is proposed as a region of interest.
        suspicion: What else it looks like; None if nothing speaks for anything but blood.
        reason: Why it stands here, in a sentence.
        box: A box about it with a margin, along the scan's axes.
    """

    center: Vector
    side: str
    size_ml: float
    mean_hu: float
    peak_hu: float
    excess_hu: float
    asymmetry_hu: float
    standing_out: float
    evidence: float
    score: float
    suspicion: Suspicion | None
    reason: str
    box: BoxShape

    @property
    def center_ras(self) -> Vector:
        """Its centre as 3D Slicer shows it, RAS mm."""
        x, y, z = self.center
        return (-x + 0.0, -y + 0.0, z)

    def where(self) -> str:
        """Side and centre, with the letters that viewers show, so that it reads alike in LPS and in RAS."""
        letters = ("RL", "AP", "IS")
        places = [f"{names[int(value > 0)]} {abs(value):.0f}" for value, names in zip(self.center, letters, strict=True)]
        return f"{self.side}, {', '.join(places)} mm"

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "center_lps_mm": list(self.center),
            "center_ras_mm": list(self.center_ras),
            "side": self.side,
            "size_ml": self.size_ml,
            "mean_hu": self.mean_hu,
            "peak_hu": self.peak_hu,
            "excess_hu": self.excess_hu,
            "asymmetry_hu": self.asymmetry_hu,
            "standing_out_ml_hu": self.standing_out,
            "evidence_ml_hu": self.evidence,
            "score": self.score,
            "suspicion": None if self.suspicion is None else self.suspicion.value,
            "reason": self.reason,
            "box_center_lps_mm": list(self.box.center),
            "box_size_mm": list(self.box.size),
        }
