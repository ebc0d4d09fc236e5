"""Results of a batch as it writes them, drawn at random: for tests and benchmarks that need no scan."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np

from HTSegmentationLib.threshold.parameters import AdaptiveParameters
from HTSegmentationLib.threshold.rules import PUBLISHED_RULES, rule_number

COMPARISON = [
    *("dice", "iou", "precision", "reference_volume_ml", "volume_difference_ml"),
    *("sensitivity_roi", "specificity_roi", "auc_roi", "sensitivity_brain", "specificity_brain", "auc_brain"),
    *("sensitivity_image", "specificity_image", "auc_image", "hd95_mm", "mean_surface_distance_mm"),
    *("reference_lesions", "lesions_found", "lesion_sensitivity", "false_positive_lesions", "abc2_ml", "reference_abc2_ml"),
]

COLUMNS = [
    *("case_id", "status", "error", "ht_type", "method", "volume_ml"),
    *COMPARISON,
    *("mean_hu", "sd_hu_mask", "largest_component_ml", "component_count", "brain_volume_ml", "roi_volume_ml"),
    *("first_mask_voxels", "first_mask_mean_hu", "first_mask_sd_hu", "rule_number", "threshold_lower_hu"),
    *("threshold_upper_hu", "mask", "remark_codes", "remarks"),
]


def case_row(rng, number, method="adaptive", groups=("HI2", "PH"), failed=0.0, without_reference=0.0):
    """The row of one case; easier for larger bleeds, and for the adaptive method."""
    kind = groups[number % len(groups)] if groups else ""
    row = {"case_id": f"case-{number + 1:04d}", "status": "done", "ht_type": kind, "method": method}
    if rng.random() < failed:
        return row | {"status": "failed", "error": "the scan holds no brain; give a head CT"}
    true = float(np.clip(rng.lognormal(1.5 if kind.startswith("HI") else 2.6, 0.9), 0.08, 60))
    dice = float(
        np.clip(0.5 + 0.08 * np.log(true + 1) - (0.08 if method == "global" else 0) + rng.normal(0, 0.1), 0.05, 0.95)
    )
    volume = max(true * (1 + rng.normal(0, 0.25)), 0.02)
    sensitivity, specificity = (
        float(np.clip(dice + rng.normal(0.12, 0.08), 0, 1)),
        float(np.clip(rng.normal(0.93, 0.05), 0, 1)),
    )
    lesions = int(rng.integers(1, 4))
    found = int(rng.binomial(lesions, 0.85))
    sd = float(abs(rng.normal(7.0, 3.0)))
    rule = PUBLISHED_RULES[rule_number(PUBLISHED_RULES, sd)]
    row |= {"volume_ml": volume, "abc2_ml": volume * 1.2, "mean_hu": 61.0, "sd_hu_mask": 7.0, "component_count": lesions}
    row |= {"largest_component_ml": 0.8 * volume, "brain_volume_ml": 1400.0, "roi_volume_ml": 3 * true + 5}
    row |= {
        "first_mask_voxels": 5000,
        "first_mask_mean_hu": 60.0,
        "first_mask_sd_hu": sd,
        "mask": f"masks/{row['case_id']}.nii.gz",
    }
    if method == "adaptive":
        number_of_rule = PUBLISHED_RULES.index(rule) + 1
        row |= {"rule_number": number_of_rule, "threshold_lower_hu": rule.lower_hu, "threshold_upper_hu": rule.upper_hu}
    if sd > 10:
        row |= {"remark_codes": "sd-near-border", "remarks": "The SD lies near a border of the table."}
    if rng.random() < without_reference:
        return row
    row |= {"dice": dice, "iou": dice / (2 - dice), "precision": float(np.clip(dice + rng.normal(0, 0.05), 0, 1))}
    row |= {"reference_volume_ml": true, "volume_difference_ml": volume - true}
    row |= {"reference_abc2_ml": float(true * rng.normal(1.1, 0.3))}
    for domain, left_out in (("roi", specificity), ("brain", 0.99), ("image", 0.999)):
        row |= {f"sensitivity_{domain}": sensitivity, f"specificity_{domain}": left_out}
        row[f"auc_{domain}"] = (sensitivity + left_out) / 2
    row |= {"hd95_mm": float(rng.gamma(3, 2)), "mean_surface_distance_mm": float(rng.gamma(2, 0.7))}
    row |= {"reference_lesions": lesions, "lesions_found": found, "lesion_sensitivity": found / lesions}
    return row | {"false_positive_lesions": int(rng.poisson(1))}


def make_rows(count, *, method="adaptive", seed=0, **options):
    """The rows of a cohort."""
    rng = np.random.default_rng(seed)
    return [case_row(rng, number, method, **options) for number in range(count)]


def write_results(folder, rows, *, seconds=True, extra=()):
    """Writes results.csv, timings.csv and batch.json as a batch does."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    columns = [*COLUMNS, *extra]
    with (folder / "results.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n", restval="")
        writer.writeheader()
        writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    if seconds:
        lines = [
            f"{row['case_id']},{1.5 + 0.1 * (number % 5)}" for number, row in enumerate(rows) if row["status"] == "done"
        ]
        (folder / "timings.csv").write_text("\n".join(["case_id,seconds", *lines, ""]), encoding="utf-8")
    method = next((row.get("method") for row in rows), "adaptive")
    settings = {
        "method": method,
        "parameters": AdaptiveParameters().as_dict() if method == "adaptive" else {"lower_hu": 50.0},
    }
    (folder / "batch.json").write_text(
        json.dumps({**settings, "versions": {"htsegmentation": "0.3.0"}, "manifest": "cohort.csv"})
    )
    return folder


def _cell(value):
    return round(value, 6) if isinstance(value, float) else value
