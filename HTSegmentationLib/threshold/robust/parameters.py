"""Parameters of the robust threshold, each with the reason for its value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from HTSegmentationLib.errors import ParameterError
from HTSegmentationLib.threshold.parameters import ParameterTable, require

ROBUST_LIMITS: Mapping[str, tuple[float, float, str]] = MappingProxyType(
    {
        "smoothing_mm": (0.3, 3, "mm"),
        "background_mm": (2, 15, "mm"),
        "least_contrast_hu": (5, 20, "HU"),
        "most_contrast_hu": (5, 40, "HU"),
        "bound_share": (0.1, 0.9, "(no unit)"),
        "densest_hu": (80, 200, "HU"),
        "part_gap_mm": (0, 50, "mm"),
    }
)
"""Lowest and highest value of each parameter, both allowed, and its unit."""


@dataclass(frozen=True)
class RobustParameters(ParameterTable):
    """The robust adaptive threshold. Constants were fitted on simulated cohorts of one seed and tested on others.

    Args:
        smoothing_mm: Sigma of the Gaussian within slices, 0.3 to 3 mm. At 0.9 mm noise of 8 HU falls to about 3 HU, and
            petechiae of 3 mm keep three quarters of their contrast.
        background_mm: Sigma of the Gaussian that averages the tissue around, 2 to 15 mm. At 5 mm the background follows
            the infarct's border and still spans gyri; 4 to 9 mm differ by 0.01 in mean Dice.
        least_contrast_hu: Lowest bound above the background, 5 to 20 HU: three times the noise that smoothing leaves.
        most_contrast_hu: Highest bound above the background, 5 to 40 HU.
        bound_share: The bound as a share of the contrast of the bleed's dense part, 0.1 to 0.9. Half-way is where partial
            volume is unbiased, for a border of three quarters of that contrast: 0.36.
        densest_hu: What is denser is no blood but bone, calcium, contrast or metal, 80 to 200 HU.
        part_gap_mm: Parts of one bleed lie this near to each other, 0 to 50 mm.

    Raises:
        ParameterError: A value is out of its range.

    Example:
        >>> RobustParameters(smoothing_mm=1.2).background_mm
        5.0
    """

    smoothing_mm: float = 0.9
    background_mm: float = 5.0
    least_contrast_hu: float = 9.0
    most_contrast_hu: float = 17.0
    bound_share: float = 0.36
    densest_hu: float = 100.0
    part_gap_mm: float = 10.0

    def __post_init__(self) -> None:
        for name, (lowest, highest, unit) in ROBUST_LIMITS.items():
            require(name, getattr(self, name), lowest, highest, unit)
        if self.least_contrast_hu > self.most_contrast_hu:
            raise ParameterError(
                f"least_contrast_hu ({self.least_contrast_hu:g} HU) must not be above "
                f"most_contrast_hu ({self.most_contrast_hu:g} HU)"
            )
