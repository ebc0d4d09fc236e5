"""What can be asked of a simulated head CT."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from HTSegmentationLib.errors import ParameterError


class HemorrhageType(enum.Enum):
    """Radiological type of a hemorrhagic transformation in the Heidelberg Bleeding Classification."""

    NONE = "none"
    """No infarct and no hemorrhage: a healthy control."""

    HI2 = "HI2"
    """Confluent petechiae within the infarct, without mass effect."""

    PH = "PH"
    """Parenchymal hematoma with mass effect."""


class Side(enum.Enum):
    """Hemisphere of infarct and hemorrhage."""

    LEFT = "left"
    RIGHT = "right"

    @property
    def sign(self) -> int:
        """Sign of x in LPS: left is positive."""
        return 1 if self is Side.LEFT else -1


_HEIGHT_MM = 150.0
"""Without a number of slices, the scan covers this height: from the orbits to above the vertex."""

_DEFAULT_VOLUME_ML = {HemorrhageType.NONE: 0.0, HemorrhageType.HI2: 6.8, HemorrhageType.PH: 17.3}
"""Mean volumes of the published cohort (adaptive thresholding of hemorrhagic transformation, 51 cases)."""

_RANGES: dict[str, tuple[float, float, str]] = {
    "seed": (0, 2**32 - 1, ""),
    "slice_thickness_mm": (0.5, 10.0, "mm"),
    "matrix": (64, 1024, "pixels"),
    "fov_mm": (190.0, 400.0, "mm"),
    "slices": (1, 400, "slices"),
    "noise_sd_hu": (0.0, 30.0, "HU"),
    "atrophy": (0.0, 1.0, ""),
}
"""Lowest and highest value and unit of each numeric parameter."""

_VOLUME_RANGE_ML = (0.05, 80.0)
"""Hemorrhage volumes that fit one hemisphere's middle cerebral artery territory."""

_MAX_TILT_DEG = 25.0
"""Largest turn of the head about one axis."""


@dataclass(frozen=True)
class SimulationParameters:
    """One simulated scan; what is None is chosen by the seed or by the type.

    Args:
        seed: Seed of everything random. Head, infarct, hemorrhage and noise draw from streams of their own, so that
            changing one parameter leaves the others' randomness as it was.
        hemorrhage_type: HI2, PH, or none for a healthy control.
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

    def __post_init__(self) -> None:
        """Fills in what follows from other parameters and checks all ranges."""
        object.__setattr__(self, "hemorrhage_type", _as_enum(HemorrhageType, "hemorrhage_type", self.hemorrhage_type))
        object.__setattr__(self, "side", _as_enum(Side, "side", self.side))
        _check("slice_thickness_mm", self.slice_thickness_mm)
        if self.volume_ml is None:
            object.__setattr__(self, "volume_ml", _DEFAULT_VOLUME_ML[self.hemorrhage_type])
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
        if self.hemorrhage_type is HemorrhageType.NONE:
            if self.volume_ml != 0 or self.touching_skull:
                raise ParameterError("volume_ml must be 0 mL and touching_skull false when hemorrhage_type is none")
        elif not _VOLUME_RANGE_ML[0] <= self.volume_ml <= _VOLUME_RANGE_ML[1]:
            low, high = _VOLUME_RANGE_ML
            raise ParameterError(f"volume_ml is {self.volume_ml:g} mL; it must be {low:g} to {high:g} mL")
        if self.tilt_deg is not None and not all(abs(angle) <= _MAX_TILT_DEG for angle in self.tilt_deg):
            raise ParameterError(
                f"tilt_deg is {self.tilt_deg} degrees; each must be {-_MAX_TILT_DEG:g} to {_MAX_TILT_DEG:g} degrees"
            )

    @property
    def pixel_mm(self) -> float:
        """Width of a pixel in mm."""
        return self.fov_mm / self.matrix

    @property
    def has_hemorrhage(self) -> bool:
        """Whether there is an infarct with a hemorrhage."""
        return self.hemorrhage_type is not HemorrhageType.NONE


def _check(name: str, value: float) -> None:
    low, high, unit = _RANGES[name]
    if not low <= value <= high:
        raise ParameterError(f"{name} is {value:g} {unit}; it must be {low:g} to {high:g} {unit}".replace(" ;", ";").strip())


def _as_enum(kind: type[enum.Enum], name: str, value: object) -> enum.Enum:
    try:
        return kind(value)
    except ValueError:
        choices = ", ".join(str(member.value) for member in kind)
        raise ParameterError(f"{name} is {value!r}; it must be one of {choices}") from None
