"""How often a cohort's scans hold what is easily taken for blood, or hides it, and how bad they are."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from HTSegmentationLib.errors import ParameterError
from HTSegmentationLib.simulate.parameters import SimulationParameters


@dataclass(frozen=True)
class Confounders:
    """What a cohort's scans vary in, beside types and volumes of the hemorrhages.

    Args:
        edema: Share of the cases with blood that have edema of their own.
        intraventricular: Share of the hematomas with blood in the ventricles.
        calcification: Share of all cases with more calcium than most heads.
        staining: Share of all cases with contrast staining; of a control it makes an infarct without blood.
        streaks: Share of all cases with streaks of metal.
        motion: Share of all cases with motion.
        strength: Least and most of staining, streaks and motion where they are, 0 to 1.
        slices_mm: Slice thicknesses, one of which each case has; empty: 4 or 5 mm.
        noise_hu: Least and most noise in HU; None: 3 to 5 HU.
        roi_margin_mm: Least and most margin of the ROI in mm; None: 5 to 10 mm.
    """

    edema: float = 0.0
    intraventricular: float = 0.0
    calcification: float = 0.0
    staining: float = 0.0
    streaks: float = 0.0
    motion: float = 0.0
    strength: tuple[float, float] = (0.0, 0.0)
    slices_mm: tuple[float, ...] = ()
    noise_hu: tuple[float, float] | None = None
    roi_margin_mm: tuple[float, float] | None = None


CONFOUNDERS = {
    "none": Confounders(),
    # About as often as on days 1 and 2 after a thrombectomy: staining in a quarter, motion and metal in one of eight.
    "some": Confounders(
        edema=0.5,
        intraventricular=0.15,
        calcification=0.2,
        staining=0.25,
        streaks=0.12,
        motion=0.12,
        strength=(0.2, 0.7),
        slices_mm=(1.0, 3.0, 4.0, 5.0, 5.0),
        noise_hu=(3.0, 6.0),
        roi_margin_mm=(4.0, 15.0),
    ),
    # Far more than any clinic sees, so that every figure of a cohort of 50 tells of each confounder.
    "hard": Confounders(
        edema=0.7,
        intraventricular=0.3,
        calcification=0.5,
        staining=0.4,
        streaks=0.3,
        motion=0.3,
        strength=(0.4, 1.0),
        slices_mm=(1.0, 1.25, 2.5, 4.0, 5.0, 5.0),
        noise_hu=(3.0, 8.0),
        roi_margin_mm=(2.0, 20.0),
    ),
}
"""Named mixtures, from a cohort without any to one of hard cases."""

_INTRAVENTRICULAR_ML = (0.5, 8.0)
"""Blood in the ventricles, from a thin layer to a filled occipital horn."""


def confounders_named(name: str) -> Confounders:
    """One of :data:`CONFOUNDERS`.

    Raises:
        ParameterError: There is none of that name.
    """
    if name not in CONFOUNDERS:
        raise ParameterError(f"confounders is {name!r}; it must be one of {', '.join(CONFOUNDERS)}")
    return CONFOUNDERS[name]


def confounded(rng: np.random.Generator, case: SimulationParameters, mixture: Confounders) -> SimulationParameters:
    """The case with what falls to its lot; head, hemorrhage and side stay as they are.

    Args:
        rng: Source of randomness. As many numbers are drawn whatever comes of them, so that a share that is changed leaves
            the other confounders of all cases as they were.
        case: A case without confounders.
        mixture: How often and how bad they are.
    """
    lots, strengths = rng.random(6), rng.uniform(*mixture.strength, 3)
    pick, noise, margin, ventricular = rng.random(4)
    stained, streaks, motion = (
        round(float(strength), 3) if lot < share else 0.0
        for strength, lot, share in zip(strengths, lots, (mixture.staining, mixture.streaks, mixture.motion), strict=False)
    )
    changes = {
        "contrast_staining": stained,
        "streaks": streaks,
        "motion": motion,
        "calcification": bool(lots[3] < mixture.calcification),
    }
    if case.has_hemorrhage:
        changes["edema"] = bool(lots[4] < mixture.edema)
        if case.kind.ventricular and lots[5] < mixture.intraventricular:
            changes["intraventricular_ml"] = _log_uniform(_INTRAVENTRICULAR_ML, ventricular)
    if mixture.slices_mm:
        thickness = mixture.slices_mm[int(pick * len(mixture.slices_mm))]
        # The number of slices follows from it anew.
        changes |= {"slice_thickness_mm": thickness, "slices": None}
    if mixture.noise_hu is not None:
        low, high = mixture.noise_hu
        changes["noise_sd_hu"] = round(low + (high - low) * float(noise), 3)
    if mixture.roi_margin_mm is not None:
        changes["roi_margin_mm"] = _log_uniform(mixture.roi_margin_mm, margin)
    return replace(case, **changes)


def _log_uniform(limits: tuple[float, float], quantile: float) -> float:
    low, high = limits
    return round(low * (high / low) ** float(quantile), 3)
