"""The values that the papers publish, to be shown beside a cohort's own and never mixed with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

ADAPTIVE_PAPER = "adaptive-threshold paper"
CASCADE_PAPER = "cascaded U-Net paper"
NNUNET_PAPER = "nnU-Net paper"
SUPERVISED_PAPER = "CNN with deep supervision paper"

TOTAL = "Total"
"""How tables call all cases together."""


@dataclass(frozen=True)
class Published:
    """One published row.

    Args:
        source: Paper and place.
        method: The method as the paper calls it.
        group: The cases.
        values: The values by the names that rows of tables have.
    """

    source: str
    method: str
    group: str = TOTAL
    values: Mapping[str, float | int | str] = field(default_factory=dict)

    def row(self) -> dict[str, float | int | str]:
        """The row as a table holds it."""
        return {"method": self.method, "group": self.group, **self.values, "source": f"published, {self.source}"}


def _mean_sd(**pairs: tuple[float, float]) -> dict[str, float | int | str]:
    return {f"{name}_{end}": value for name, pair in pairs.items() for end, value in zip(("mean", "sd"), pair, strict=True)}


_TABLE_2 = f"{ADAPTIVE_PAPER}, Table 2"
_TABLE_3 = f"{ADAPTIVE_PAPER}, Table 3"
_TABLE_4 = f"{ADAPTIVE_PAPER}, Table 4"

PERFORMANCE = tuple(
    Published(
        _TABLE_2,
        "Adaptive thresholding",
        group,
        {"n": n, **_mean_sd(dice=dice, auc=auc, sensitivity=sensitivity, specificity=specificity)},
    )
    for group, n, dice, auc, sensitivity, specificity in (
        (TOTAL, 51, (0.66, 0.17), (0.87, 0.08), (0.81, 0.17), (0.93, 0.08)),
        ("HI2", 28, (0.61, 0.18), (0.87, 0.07), (0.84, 0.14), (0.90, 0.10)),
        ("PH", 23, (0.73, 0.14), (0.86, 0.09), (0.77, 0.19), (0.96, 0.04)),
    )
)
"""Table 2 of the adaptive-threshold paper; sensitivity, specificity and AUC inside the ROI."""

DICE_BY_METHOD = tuple(
    Published(source, method, group, _mean_sd(dice=dice))
    for source, method, by_group in (
        (_TABLE_3, "Global thresholding", ((0.57, 0.25), (0.49, 0.26), (0.66, 0.20))),
        (_TABLE_3, "Adaptive thresholding", ((0.66, 0.17), (0.61, 0.18), (0.73, 0.14))),
        (_TABLE_4, "SAMIHS", ((0.66, 0.02), (0.64, 0.07), (0.69, 0.03))),
    )
    for group, dice in zip((TOTAL, "HI2", "PH"), by_group, strict=True)
)
"""Tables 3 and 4 of the adaptive-threshold paper."""

CONCORDANCE = Published(
    f"{ADAPTIVE_PAPER}, Figure 4", "Adaptive thresholding", TOTAL, {"n": 51, "ccc": 0.88, "ccc_low": 0.79, "ccc_high": 0.93}
)
"""Lin's CCC of volumes with its 95% interval."""

AGREEMENT = Published(
    f"{ADAPTIVE_PAPER}, section 3",
    "Adaptive thresholding",
    TOTAL,
    {"n": 51, "fair": 6, "substantial_or_more": 40, "share": 40 / 51, "auc_above": 50 / 51},
)
"""40 of 51 cases with DSC above 0.6, 6 between 0.2 and 0.4, and 50 with an AUC above 0.7."""

VOLUME_ERROR = (
    Published(f"{CASCADE_PAPER}, Table 2", "Tada formula (IPH and IVH)", TOTAL, {"mae_mean": 9.167, "seconds_mean": 27.8}),
    Published(f"{CASCADE_PAPER}, Table 2", "3D cascade (IPH and IVH)", TOTAL, {"mae_mean": 2.242, "seconds_mean": 6.2}),
    Published(f"{CASCADE_PAPER}, Table 2", "3D cascade (SAH)", TOTAL, {"mae_mean": 4.698, "seconds_mean": 6.2}),
    Published(
        f"{ADAPTIVE_PAPER}, section 3", "Adaptive thresholding", TOTAL, {"n": 51, "seconds_mean": 2.7, "seconds_sd": 0.7}
    ),
)
"""Mean absolute error of the volume in mL and seconds a case."""

CLASSES = tuple(
    Published(NNUNET_PAPER, "nnU-Net", TOTAL, {"label": label, "dice_median": dice, "ccc": ccc})
    for label, dice, ccc in (("ICH", 0.92, 0.98), ("PHE", 0.66, 0.88), ("IVH", 1.00, 0.99))
)
"""Median DSC and concordance of volumes by class."""

RATERS = (
    Published(
        f"{SUPERVISED_PAPER}, Results",
        "Expert against expert",
        TOTAL,
        {"kappa_mean": 0.88, "kappa_sd": 0.01, "disagreement": 0.09, "disagreement_sd": 0.02},
    ),
    Published(
        f"{SUPERVISED_PAPER}, Results",
        "Method against expert",
        TOTAL,
        {"kappa_mean": 0.83, "kappa_sd": 0.01, "disagreement": 0.08, "disagreement_sd": 0.02},
    ),
)
"""Cohen's kappa and disagreement of volumes, averaged over pairs of raters."""
