"""The measurements that an evaluation tabulates: their columns in results.csv, names, units and decimals."""

from __future__ import annotations

from dataclasses import dataclass

from HTSegmentationLib.errors import UsageError

DOMAINS = ("roi", "brain", "image")
"""Where voxels count for sensitivity, specificity and AUC, the published one first."""

LABEL_MARK = "__"
"""Stands between a column's name and the label's, for masks of several labels."""


@dataclass(frozen=True)
class Metric:
    """One measurement of a case against its reference.

    Args:
        column: Its column in results.csv.
        title: Its name as readers know it.
        unit: Its unit, empty for shares and counts.
        decimals: How many decimals a table shows.
        higher_is_better: False for distances and errors, None where neither end is better.
    """

    column: str
    title: str
    unit: str = ""
    decimals: int = 2
    higher_is_better: bool | None = True

    @property
    def heading(self) -> str:
        """Title and unit."""
        return f"{self.title} ({self.unit})" if self.unit else self.title


DICE = Metric("dice", "DSC")
"""Dice similarity coefficient."""

_BEFORE_DOMAIN = (DICE, Metric("iou", "IoU"), Metric("precision", "Precision"))

_AFTER_DOMAIN = (
    Metric("hd95_mm", "HD95", "mm", 1, higher_is_better=False),
    Metric("mean_surface_distance_mm", "Mean surface distance", "mm", 1, higher_is_better=False),
    Metric("volume_ml", "Volume", "mL", 2, higher_is_better=None),
    Metric("reference_volume_ml", "Reference volume", "mL", 2, higher_is_better=None),
    Metric("volume_difference_ml", "Volume difference", "mL", 2, higher_is_better=None),
    Metric("lesion_sensitivity", "Lesion sensitivity"),
    Metric("false_positive_lesions", "False-positive lesions", "", 1, higher_is_better=False),
)

NUMBER_COLUMNS = (
    *(metric.column for metric in (*_BEFORE_DOMAIN, *_AFTER_DOMAIN)),
    *(f"{name}_{domain}" for domain in DOMAINS for name in ("sensitivity", "specificity", "auc")),
    "reference_lesions",
    "lesions_found",
    "abc2_ml",
    "reference_abc2_ml",
    "first_mask_sd_hu",
    "first_mask_mean_hu",
    "rule_number",
    "threshold_lower_hu",
    "threshold_upper_hu",
    "baseline_volume_ml",
    "growth_ml",
    "growth_percent",
)
"""Columns of results.csv that an evaluation reads as numbers."""


def agreement_metrics(domain: str) -> tuple[Metric, Metric, Metric, Metric]:
    """DSC, AUC, sensitivity and specificity, in the order of the adaptive-threshold paper's Table 2.

    Args:
        domain: One of :data:`DOMAINS`.

    Raises:
        UsageError: It is another.

    Example:
        >>> [metric.column for metric in agreement_metrics("roi")]
        ['dice', 'auc_roi', 'sensitivity_roi', 'specificity_roi']
    """
    require_domain(domain)
    titles = (("auc", "AUC"), ("sensitivity", "Sensitivity"), ("specificity", "Specificity"))
    return (DICE, *(Metric(f"{name}_{domain}", title) for name, title in titles))


def require_domain(domain: str) -> None:
    """Checks the name of a domain.

    Raises:
        UsageError: There is none of that name.
    """
    if domain not in DOMAINS:
        raise UsageError(f"there is no domain {domain!r}; known are {', '.join(DOMAINS)}")


def all_metrics(domain: str) -> tuple[Metric, ...]:
    """Every measurement that is summarized, those that depend on the domain in this domain alone."""
    return (*_BEFORE_DOMAIN, *agreement_metrics(domain)[1:], *_AFTER_DOMAIN)


def of_label(column: str, label: str) -> str:
    """The column of one label: the name itself for the first label, with the label's name behind it for the others."""
    return f"{column}{LABEL_MARK}{label}" if label else column
