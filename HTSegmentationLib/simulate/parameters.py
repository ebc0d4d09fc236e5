"""What can be asked of a simulated head CT."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from HTSegmentationLib.errors import ParameterError
from HTSegmentationLib.simulate.kinds import KINDS, HemorrhageType, Kind, Side

__all__ = ["HemorrhageType", "Side", "SimulationParameters"]

_HEIGHT_MM = 150.0
"""Without a number of slices, the scan covers this height: from the orbits to above the vertex."""

_RANGES: dict[str, tuple[float, float, str]] = {
    "seed": (0, 2**32 - 1, ""),
    "slice_thickness_mm": (0.5, 10.0, "mm"),
    "matrix": (64, 1024, "pixels"),
    "fov_mm": (190.0, 400.0, "mm"),
    "slices": (1, 400, "slices"),
    "noise_sd_hu": (0.0, 30.0, "HU"),
    "atrophy": (0.0, 1.0, ""),
    "contrast_staining": (0.0, 1.0, ""),
    "streaks": (0.0, 1.0, ""),
    "motion": (0.0, 1.0, ""),
    "roi_margin_mm": (0.0, 40.0, "mm"),
}
"""Lowest and highest value and unit of each numeric parameter."""

_LEAST_ML = 0.05
"""The smallest hemorrhage that a slice can show."""

_EDEMA_RANGE_MM = (1.0, 15.0)
"""Perihematomal edema extends some 3 to 9 mm from the blood in the first days."""

_INTRAVENTRICULAR_RANGE_ML = (0.1, 40.0)
"""More blood than this fills both lateral ventricles to their distended ends."""

_MAX_TILT_DEG = 25.0
"""Largest turn of the head about one axis."""


@dataclass(frozen=True)
class SimulationParameters:
    """One simulated scan; what is None is chosen by the seed or by the type.

    Args:
        seed: Seed of everything random. Head, infarct, hemorrhage and noise draw from streams of their own, so that
            changing one parameter leaves the others' randomness as it was.
        hemorrhage_type: HI1, HI2, PH1, PH2, PH, or none for a control.
        volume_ml: Hemorrhage volume in mL; None: the cohort's mean for the type.
        side: Hemisphere of the infarct.
        slice_thickness_mm: Slice thickness and slice spacing in mm.
        slices: Number of slices, counted down from above the vertex; None: as many as cover 150 mm.
        matrix: Pixels in a row and in a column.
        fov_mm: Width of the square field of view in mm.
        noise_sd_hu: Standard deviation of the noise in HU in white matter at the level of the ventricles; None: 4 HU
            at 5 mm, growing with the inverse root of the slice thickness.
        touching_skull: Whether the hemorrhage lies in the cortex against the inner table.
        tilt_deg: Turns of the head in degrees about x (nodding), y and z; None: a few degrees by the seed.
        atrophy: Width of sulci and ventricles, 0 (young) to 1 (marked atrophy); None: by the seed.
        edema: Width in mm of the perihematomal edema; True: by the seed; False: none that is told apart from the infarct.
        intraventricular_ml: Blood in the ventricles in mL, besides ``volume_ml``.
        calcification: Whether basal ganglia and tissue about the lesion hold calcium beyond what most heads have.
        contrast_staining: How strongly contrast agent stains the infarct, 0 (not) to 1 (up to 90 HU). A control has an
            infarct if it is to be stained.
        streaks: How strong metal and beam hardening streaks are, 0 (as every scan has them) to 1 (tens of HU).
        motion: How strongly some slices are doubled and blurred by motion, 0 (not) to 1 (by about 5 mm).
        roi_margin_mm: How far from the blood the simulated hand draws the ROI; None: 5 to 10 mm by the seed.

    Raises:
        ParameterError: A value is out of its range.

    Example:
        >>> SimulationParameters(seed=1).slices
        30
    """

    seed: int = 0
    hemorrhage_type: HemorrhageType = HemorrhageType.PH
    volume_ml: float | None = None
    side: Side = Side.LEFT
    slice_thickness_mm: float = 5.0
    slices: int | None = None
    matrix: int = 512
    fov_mm: float = 230.0
    noise_sd_hu: float | None = None
    touching_skull: bool = False
    tilt_deg: tuple[float, float, float] | None = None
    atrophy: float | None = None
    edema: float | bool = False
    intraventricular_ml: float = 0.0
    calcification: bool = False
    contrast_staining: float = 0.0
    streaks: float = 0.0
    motion: float = 0.0
    roi_margin_mm: float | None = None

    def __post_init__(self) -> None:
        """Fills in what follows from other parameters and checks all ranges."""
        object.__setattr__(self, "hemorrhage_type", _as_enum(HemorrhageType, "hemorrhage_type", self.hemorrhage_type))
        object.__setattr__(self, "side", _as_enum(Side, "side", self.side))
        _check("slice_thickness_mm", self.slice_thickness_mm)
        if self.volume_ml is None:
            object.__setattr__(self, "volume_ml", self.kind.volume_ml if self.has_hemorrhage else 0.0)
        if self.slices is None:
            object.__setattr__(self, "slices", round(_HEIGHT_MM / self.slice_thickness_mm))
        if self.noise_sd_hu is None:
            object.__setattr__(self, "noise_sd_hu", 4.0 * (5.0 / self.slice_thickness_mm) ** 0.5)
        for name in ("seed", "matrix", "slices"):
            if int(getattr(self, name)) != getattr(self, name):
                raise ParameterError(f"{name} is {getattr(self, name)}; it must be a whole number")
        for name in _RANGES:
            if getattr(self, name) is not None:
                _check(name, getattr(self, name))
        self._check_blood()
        if self.tilt_deg is not None and not all(abs(angle) <= _MAX_TILT_DEG for angle in self.tilt_deg):
            raise ParameterError(
                f"tilt_deg is {self.tilt_deg} degrees; each must be {-_MAX_TILT_DEG:g} to {_MAX_TILT_DEG:g} degrees"
            )

    def _check_blood(self) -> None:
        """Checks what goes with a hemorrhage alone."""
        if not self.has_hemorrhage:
            if self.volume_ml != 0 or self.touching_skull:
                raise ParameterError("volume_ml must be 0 mL and touching_skull false when hemorrhage_type is none")
            if self.edema is not False or self.intraventricular_ml != 0:
                raise ParameterError("edema must be false and intraventricular_ml 0 mL when hemorrhage_type is none")
            return
        _check_range("volume_ml", self.volume_ml, _LEAST_ML, self.kind.most_ml, "mL")
        if not isinstance(self.edema, bool):
            _check_range("edema", self.edema, *_EDEMA_RANGE_MM, "mm")
        if self.intraventricular_ml != 0:
            _check_range("intraventricular_ml", self.intraventricular_ml, *_INTRAVENTRICULAR_RANGE_ML, "mL")

    @property
    def pixel_mm(self) -> float:
        """Width of a pixel in mm."""
        return self.fov_mm / self.matrix

    @property
    def has_hemorrhage(self) -> bool:
        """Whether there is an infarct with a hemorrhage."""
        return self.hemorrhage_type is not HemorrhageType.NONE

    @property
    def has_infarct(self) -> bool:
        """Whether there is an infarct, with a hemorrhage or stained by contrast agent."""
        return self.has_hemorrhage or self.contrast_staining > 0

    @property
    def kind(self) -> Kind:
        """What is typical of the hemorrhage; of a control there is nothing to be told.

        Raises:
            KeyError: There is no hemorrhage.
        """
        return KINDS[self.hemorrhage_type]


def _check(name: str, value: float) -> None:
    _check_range(name, value, *_RANGES[name])


def _check_range(name: str, value: float, low: float, high: float, unit: str) -> None:
    if not low <= value <= high:
        raise ParameterError(f"{name} is {value:g} {unit}; it must be {low:g} to {high:g} {unit}".replace(" ;", ";").strip())


def _as_enum(kind: type[enum.Enum], name: str, value: object) -> enum.Enum:
    try:
        return kind(value)
    except ValueError:
        choices = ", ".join(str(member.value) for member in kind)
        raise ParameterError(f"{name} is {value!r}; it must be one of {choices}") from None
