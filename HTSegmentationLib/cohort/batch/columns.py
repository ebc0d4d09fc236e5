"""The columns of results.csv, in their order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from HTSegmentationLib.cohort.manifest.case import Manifest

LEADING = ("case_id", "status", "error", "ht_type", "method")
"""Which case, and whether it was done."""

COMPARISON = (
    *("dice", "iou", "precision", "volume_ml", "reference_volume_ml", "volume_difference_ml"),
    *("sensitivity_roi", "specificity_roi", "auc_roi", "sensitivity_brain", "specificity_brain", "auc_brain"),
    *("sensitivity_image", "specificity_image", "auc_image", "hd95_mm", "mean_surface_distance_mm"),
    *("reference_lesions", "lesions_found", "lesion_sensitivity", "false_positive_lesions", "abc2_ml", "reference_abc2_ml"),
)
"""What a mask's comparison with a reference gives; volume and ABC/2 of the mask need none."""

OF_MASK = ("mean_hu", "sd_hu_mask", "largest_component_ml", "component_count")
"""What the mask alone gives."""

OF_LABEL = ("volume_ml", *(name for name in COMPARISON if name != "volume_ml"), *OF_MASK)
"""Columns that each label of a mask has, further labels with their name behind it."""

OF_SCAN = ("brain_volume_ml", "roi_volume_ml")

SURENESS = ("uncertainty_ml", "confidence", "confidence_reason")
"""How sure a threshold method is of its volume and of its mask."""

OF_RULE = (
    *("first_mask_voxels", "first_mask_mean_hu", "first_mask_sd_hu"),
    *("rule_number", "threshold_lower_hu", "threshold_upper_hu"),
)
"""How a threshold method came to its window."""

CLOSING = ("mask", "remark_codes", "remarks")

GROWTH = (
    *("baseline_volume_ml", "growth_ml", "growth_percent", "growth_uncertainty_ml"),
    *("expansion_6ml_or_33percent", "expansion_12_5ml"),
)
"""Against the baseline scan, where the table of cases names one."""

BASE = (*LEADING, *OF_LABEL, *SURENESS, *OF_SCAN, *OF_RULE, *CLOSING)
"""Columns of every table."""

WHOLE_NUMBERS = (
    *("reference_lesions", "lesions_found", "false_positive_lesions", "component_count"),
    *("first_mask_voxels", "rule_number"),
)
YES_OR_NO = ("expansion_6ml_or_33percent", "expansion_12_5ml")
TEXTS = (*LEADING, "confidence_reason", *CLOSING)
"""Columns whose cells are no fractional numbers."""

LABEL_MARK = "__"
"""Stands between a column's name and a label's."""

_MANIFEST_MARK = "manifest_"
"""Stands before the name of a manifest's column that is taken."""


def label_column(column: str, label: str) -> str:
    """The column of a further label.

    Example:
        >>> label_column("dice", "Perihematomal edema")
        'dice__perihematomal_edema'
    """
    return f"{column}{LABEL_MARK}{'_'.join(re.findall('[a-z0-9]+', label.lower()))}"


def result_columns(manifest: Manifest, rows: Iterable[Mapping[str, object]]) -> list[str]:
    """All columns of a table of results.

    Args:
        manifest: Its further columns stand last; with a column ``baseline`` there is growth.
        rows: The rows of the table; labels come from them.
    """
    extra = extra_names(manifest)
    labels = dict.fromkeys(
        name for row in rows for name in row if LABEL_MARK in name and name not in extra and _of_label(name)
    )
    growth = GROWTH if "baseline" in manifest.columns else ()
    return [*BASE, *labels, *growth, *extra.values()]


def extra_names(manifest: Manifest) -> dict[str, str]:
    """What the manifest's further columns are called among the results."""
    names: dict[str, str] = {}
    for column in manifest.extra_columns:
        name = column
        while name in (*BASE, *GROWTH, *names.values()) or _of_label(name):
            name = f"{_MANIFEST_MARK}{name}"
        names[column] = name
    return names


def _of_label(name: str) -> bool:
    return LABEL_MARK in name and name.split(LABEL_MARK, 1)[0] in OF_LABEL
