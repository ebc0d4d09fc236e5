"""What the robust threshold tells of a run: its reference tissue, its bounds, and how sure it is."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from HTSegmentationLib.segmenter import Confidence
from HTSegmentationLib.threshold.robust.bound import Bound
from HTSegmentationLib.threshold.robust.parts import Part
from HTSegmentationLib.threshold.robust.signs import Signs
from HTSegmentationLib.threshold.tissue_model import TissueModel


@dataclass(frozen=True)
class RobustDetails:
    """How the robust method came to its mask.

    Args:
        tissue: Grey matter, white matter and noise of the scan.
        background_hu: Median HU of the tissue around the bleed, or of the ROI when there is none.
        bound: The lower bound on the contrast; None when nothing dense was found.
        densest_hu: The upper bound: what is denser is no blood.
        parts: The dense parts of the ROI and what each was taken for.
        signs: What was measured of the mask; None for an empty one.
        confidence: How sure the method is.
    """

    tissue: TissueModel
    background_hu: float
    bound: Bound | None
    densest_hu: float
    parts: tuple[Part, ...]
    signs: Signs | None
    confidence: Confidence

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "tissue": dataclasses.asdict(self.tissue),
            "background_hu": self.background_hu,
            "bound": None if self.bound is None else dataclasses.asdict(self.bound),
            "densest_hu": self.densest_hu,
            "parts": [
                {"ml": part.ml, "peak_hu": part.peak_hu, "contrast_hu": part.contrast_hu, "taken_for": part.cause.value}
                for part in self.parts
            ],
            "signs": None if self.signs is None else dataclasses.asdict(self.signs),
            "confidence": self.confidence.as_dict(),
        }

    def explain(self) -> list[str]:
        """Three sentences for the user: the reference tissue, the bounds and why these, how sure."""
        tissue = (
            f"Reference: the tissue around the bleed, {self.background_hu:.0f} HU (this scan's grey matter "
            f"{self.tissue.grey_hu:.0f}, white matter {self.tissue.white_hu:.0f}, noise {self.tissue.noise_hu:.1f} HU)."
        )
        return [tissue, self._bounds(), f"Confidence {self.confidence}."]

    def _bounds(self) -> str:
        if self.bound is None or self.signs is None:
            return "Bounds: none, since nothing in the ROI stands out from the tissue around it like blood."
        low, dense = self.bound.contrast_hu, self.bound.dense_contrast_hu
        why = f"a share of the {dense:.0f} HU by which the densest tenth of the bleed stands out"
        at = self.background_hu + low
        text = f"Bounds: {low:.1f} HU above that tissue (about {at:.0f} HU) to {self.densest_hu:g} HU; the lower is {why}"
        if self.signs.staining_ml > 0:
            text += f"; of what lies between, {self.signs.staining_ml:.1f} mL were left out as likely contrast staining"
        return f"{text}."
