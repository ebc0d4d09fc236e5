"""How well a method agrees with the reference: Table 2 of the adaptive-threshold paper, and every measurement in full."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from HTSegmentationLib.cohort.cells import interval, mean_sd, number, one_line
from HTSegmentationLib.cohort.evaluation.cohort import Cohort, Group
from HTSegmentationLib.cohort.evaluation.metrics import Metric, agreement_metrics, all_metrics, of_label
from HTSegmentationLib.cohort.evaluation.published import CLASSES, PERFORMANCE
from HTSegmentationLib.cohort.evaluation.results import MethodResults
from HTSegmentationLib.cohort.evaluation.table import (
    OWN,
    Column,
    Row,
    Table,
    ends,
    interval_column,
    mean_sd_column,
    number_column,
    text_column,
)
from HTSegmentationLib.measure.statistics import Summary, lins_ccc, summarize

_WHERE = {"roi": "in the ROI, as published", "brain": "in the brain", "image": "in the whole image"}
"""The domains in words."""


def performance_table(cohort: Cohort) -> Table:
    """Mean DSC, AUC, sensitivity and specificity with their SD, of all cases and of each group."""
    metrics = agreement_metrics(cohort.domain)
    rows = []
    for method in cohort.methods:
        for group in cohort.groups:
            row: dict[str, Any] = {"method": method.name, "group": group.name, "cases": len(group.case_ids)}
            for metric in metrics:
                found = summarize(cohort.values(method, metric.column, group), resamples=0)
                name = metric.column.split("_")[0]
                row |= {"n": found.n} if metric is metrics[0] else {}
                row |= {f"{name}_n": found.n, f"{name}_mean": found.mean, f"{name}_sd": found.sd}
            rows.append({**row, "source": OWN})
    shown = {group.name for group in cohort.groups}
    rows += [published.row() for published in PERFORMANCE if published.group in shown]
    columns = (
        text_column("Method", "method"),
        text_column("Cases", "group"),
        number_column("n", "n", 0),
        *(mean_sd_column(metric.title, metric.column.split("_")[0]) for metric in metrics),
    )
    note = f"Mean (SD). n: cases with a reference. AUC, sensitivity and specificity are those {_WHERE[cohort.domain]}."
    return Table("performance", "DSC, AUC, sensitivity and specificity", columns, tuple(rows), note)


def distribution_table(cohort: Cohort) -> Table:
    """Every measurement of every method and group: mean with its interval, SD, median, quartiles and range."""
    rows = []
    decimals = {metric.column: metric.decimals for metric in all_metrics(cohort.domain)}

    def bounds(low: str, high: str) -> Callable[[Row], str]:
        return lambda row: interval(row[low], row[high], decimals[row["column"]])

    for metric in all_metrics(cohort.domain):
        for method in cohort.methods:
            for group in cohort.groups:
                found = summarize(cohort.values(method, metric.column, group))
                if found.n:
                    rows.append(_summary_row(method, group, metric, found))
    columns = (
        text_column("Measurement", "measurement"),
        text_column("Method", "method"),
        text_column("Cases", "group"),
        number_column("n", "n", 0),
        Column("Mean (SD)", lambda row: mean_sd(row["mean"], row["sd"], decimals[row["column"]])),
        Column("95% interval of the mean", bounds("mean_low", "mean_high")),
        Column(
            "Median (quartiles)", lambda row: f"{number(row['median'], decimals[row['column']])} ({bounds('q1', 'q3')(row)})"
        ),
        Column("Range", bounds("low", "high")),
    )
    note = "The interval of the mean is a bootstrap interval (BCa, 2,000 resamples of the cases)."
    return Table("distribution", "Mean, interval, median and range", columns, tuple(rows), note)


def class_table(cohort: Cohort) -> Table | None:
    """DSC and volumes of each label; None for masks of a single label."""
    labels = tuple(dict.fromkeys(label for method in cohort.methods for label in method.labels))
    if not labels:
        return None
    rows = [
        {
            "method": method.name,
            "label": one_line(label) or "first label",
            **_class_values(cohort, method, group, label),
            "source": OWN,
        }
        for method in cohort.methods
        for label in ("", *labels)
        if label in ("", *method.labels)
        for group in cohort.groups
    ]
    rows += [published.row() for published in CLASSES]
    columns = (
        text_column("Method", "method"),
        text_column("Label", "label"),
        text_column("Cases", "group"),
        number_column("n", "n", 0),
        mean_sd_column("DSC", "dice"),
        number_column("Median DSC", "dice_median"),
        mean_sd_column("Volume (mL)", "volume_ml"),
        mean_sd_column("Reference (mL)", "reference_volume_ml"),
        number_column("CCC", "ccc"),
        interval_column("95% interval", "ccc"),
    )
    note = "Both masks empty counts as DSC 1, one empty as 0. CCC: Lin's concordance of the volumes."
    return Table("classes", "By label", columns, tuple(rows), note)


def _class_values(cohort: Cohort, method: MethodResults, group: Group, label: str) -> dict[str, Any]:
    dice = summarize(cohort.values(method, "dice", group, label), resamples=0)
    row: dict[str, Any] = {"group": group.name, "column": of_label("dice", label), "n": dice.n}
    row |= {"dice_mean": dice.mean, "dice_sd": dice.sd, "dice_median": dice.median}
    volumes = []
    for name in ("volume_ml", "reference_volume_ml"):
        volumes.append(cohort.values(method, name, group, label))
        found = summarize(volumes[-1], resamples=0)
        row |= {f"{name}_mean": found.mean, f"{name}_sd": found.sd}
    agreement = lins_ccc(*volumes)
    return {**row, "ccc": agreement.ccc, **ends(agreement.interval, "ccc")}


def _summary_row(method: MethodResults, group: Group, metric: Metric, found: Summary) -> dict[str, Any]:
    return {
        "method": method.name,
        "group": group.name,
        "column": metric.column,
        "measurement": metric.heading,
        "n": found.n,
        "mean": found.mean,
        "sd": found.sd,
        **ends(found.mean_interval, "mean"),
        "median": found.median,
        "q1": found.q1,
        "q3": found.q3,
        "low": found.low,
        "high": found.high,
        "source": OWN,
    }
