"""The types of hemorrhage, and what is typical of each."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class HemorrhageType(enum.Enum):
    """Radiological type of a hemorrhagic transformation in the Heidelberg Bleeding Classification."""

    NONE = "none"
    """No hemorrhage: a control, healthy unless an infarct is asked for by its staining."""

    HI1 = "HI1"
    """Scattered small petechiae within the infarct, not confluent, without mass effect."""

    HI2 = "HI2"
    """Confluent petechiae within the infarct, without mass effect."""

    PH1 = "PH1"
    """Hematoma in at most 30% of the infarct, without marked mass effect."""

    PH2 = "PH2"
    """Hematoma in more than 30% of the infarct, with marked mass effect."""

    PH = "PH"
    """Parenchymal hematoma with mass effect, of either size."""


class Side(enum.Enum):
    """Hemisphere of infarct and hemorrhage."""

    LEFT = "left"
    RIGHT = "right"

    @property
    def sign(self) -> int:
        """Sign of x in LPS: left is positive."""
        return 1 if self is Side.LEFT else -1


@dataclass(frozen=True)
class Kind:
    """What is typical of a type of hemorrhage.

    Args:
        volume_ml: Volume in mL of who does not ask for another.
        is_hematoma: Whether blood is one mass and not petechiae.
        edge_mm: Width over which blood fades into tissue, in the measure of the blood's own field.
        reach: How far the blood spreads from its middle, in radii of the ball that has its volume.
        infarct_reach: The infarct's smallest semi-axis, in the same radii.
        push: How strongly the blood displaces brain, 0 to 1.
        core_hu: Mean, standard deviation, lowest and highest HU of the blood's core.
        rim_hu: By how many HU, at least and at most, the outermost blood is less dense.
        rim_mm: Width of that rim, in the same measure as ``edge_mm``.
        infarct_share: Smallest and largest share of the infarct that the blood is; None where the type says nothing of it.
        ventricular: Whether the blood may break through into a ventricle.
        most_ml: The largest volume in mL that looks like this type and fits into one hemisphere.
    """

    volume_ml: float
    is_hematoma: bool
    edge_mm: float
    reach: float
    infarct_reach: float
    push: float
    core_hu: tuple[float, float, float, float]
    rim_hu: tuple[float, float]
    rim_mm: float
    infarct_share: tuple[float, float] | None = None
    ventricular: bool = False
    most_ml: float = 80.0


_HEMATOMA_HU, _HEMATOMA_RIM_HU = (60.5, 6.3, 53.0, 78.0), (7.0, 15.0)
"""Clotted blood measures 55 to 80 HU, less where it is mixed with edema; the mean is that of the published cohort's PH."""

KINDS = {
    # Single petechiae hardly rise above the cortex; their sum is of the order of 1 mL.
    HemorrhageType.HI1: Kind(
        volume_ml=1.2,
        is_hematoma=False,
        edge_mm=1.1,
        reach=3.6,
        infarct_reach=3.0,
        push=0.0,
        core_hu=(54.5, 3.5, 48.0, 62.0),
        rim_hu=(2.0, 5.0),
        rim_mm=1.5,
        most_ml=10.0,
    ),
    # Volumes of HI2 and PH: means of the published cohort (adaptive thresholding of hemorrhagic transformation, 51 cases).
    HemorrhageType.HI2: Kind(
        volume_ml=6.8,
        is_hematoma=False,
        edge_mm=1.3,
        reach=2.9,
        infarct_reach=1.8,
        push=0.1,
        core_hu=(58.5, 4.5, 50.0, 66.0),
        rim_hu=(4.0, 9.0),
        rim_mm=2.0,
    ),
    # The classification's border lies at 30% of the infarct; the ranges keep off it, so that slices do not change the type.
    # Equal numbers of PH1 and PH2 have the published mean volume of PH.
    HemorrhageType.PH1: Kind(
        volume_ml=9.0,
        is_hematoma=True,
        edge_mm=0.9,
        reach=2.3,
        infarct_reach=1.35,
        push=0.2,
        core_hu=_HEMATOMA_HU,
        rim_hu=_HEMATOMA_RIM_HU,
        rim_mm=5.0,
        infarct_share=(0.1, 0.26),
        ventricular=True,
    ),
    HemorrhageType.PH2: Kind(
        volume_ml=25.5,
        is_hematoma=True,
        edge_mm=0.9,
        reach=2.3,
        infarct_reach=1.35,
        push=0.48,
        core_hu=_HEMATOMA_HU,
        rim_hu=_HEMATOMA_RIM_HU,
        rim_mm=5.0,
        infarct_share=(0.55, 0.85),
        ventricular=True,
    ),
    HemorrhageType.PH: Kind(
        volume_ml=17.3,
        is_hematoma=True,
        edge_mm=0.9,
        reach=2.3,
        infarct_reach=1.35,
        push=0.34,
        core_hu=_HEMATOMA_HU,
        rim_hu=_HEMATOMA_RIM_HU,
        rim_mm=5.0,
        ventricular=True,
    ),
}
"""What is typical of each type with blood."""
