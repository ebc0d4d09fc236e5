"""Methods side by side, and groups of a method: Tables 3 and 4 of the adaptive-threshold paper, and their tests."""

from __future__ import annotations

from itertools import combinations
from typing import Any

from HTSegmentationLib.cohort.cells import mean_sd, share
from HTSegmentationLib.cohort.evaluation.cohort import Cohort, Group
from HTSegmentationLib.cohort.evaluation.metrics import DICE
from HTSegmentationLib.cohort.evaluation.published import DICE_BY_METHOD
from HTSegmentationLib.cohort.evaluation.table import (
    OWN,
    Column,
    Row,
    Table,
    ends,
    interval_column,
    number_column,
    p_column,
    text_column,
)
from HTSegmentationLib.measure.statistics import compare_paired, false_discovery, kruskal_wallis, mann_whitney, summarize

_VOLUME_ERROR = "Absolute volume error (mL)"

_VOLUME_DECIMALS = 4
"""Smaller differences are those of geometry stored in single precision, not of masks; a voxel has more."""

_PAIR = 2
"""Two groups are compared by Mann and Whitney, more by Kruskal and Wallis."""


def dice_by_method_table(cohort: Cohort) -> Table:
    """Mean DSC (SD) of each method, the groups side by side, with the published methods below."""
    rows: list[dict[str, Any]] = []
    for method in cohort.methods:
        row: dict[str, Any] = {"method": method.name}
        for group in cohort.groups:
            found = summarize(cohort.values(method, DICE.column, group), resamples=0)
            row |= {f"{group.name} n": found.n, f"{group.name} mean": found.mean, f"{group.name} sd": found.sd}
        rows.append({**row, "source": OWN})
    published: dict[tuple[str, str], dict[str, Any]] = {}
    for entry in DICE_BY_METHOD:
        row = published.setdefault((entry.method, entry.source), {"method": entry.method})
        row |= {f"{entry.group} mean": entry.values["dice_mean"], f"{entry.group} sd": entry.values["dice_sd"]}
        row["source"] = entry.row()["source"]
    columns = (text_column("Method", "method"), *(_group_column(group) for group in cohort.groups))
    note = "Mean DSC (SD)."
    return Table("dice_by_method", "DSC by method", columns, (*rows, *published.values()), note)


def paired_table(cohort: Cohort) -> Table | None:
    """Each pair of methods on the cases that both have: differences with their interval and paired tests."""
    if len(cohort.methods) < _PAIR:
        return None
    rows = []
    for title, better, values in (
        (DICE.title, True, lambda method, group: cohort.values(method, DICE.column, group)),
        (_VOLUME_ERROR, False, lambda method, group: _absolute_error(cohort, method, group)),
    ):
        for group in cohort.groups:
            pairs = list(combinations(cohort.methods, 2))
            found = [
                compare_paired(values(first, group), values(second, group), higher_is_better=better)
                for first, second in pairs
            ]
            adjusted = false_discovery([result.wilcoxon_p for result in found])
            for (first, second), result, p in zip(pairs, found, adjusted, strict=True):
                row = {"measurement": title, "group": group.name, "first": first.name, "second": second.name, "n": result.n}
                row |= {"mean_difference": result.mean_difference, **ends(result.interval, "difference")}
                row |= {"median_difference": result.median_difference, "wilcoxon_p": result.wilcoxon_p}
                row |= {"wilcoxon_adjusted_p": p, "t_p": result.t_p}
                row |= {"first_better": result.share_better, "second_better": result.share_worse}
                rows.append({**row, "equal": result.share_equal, "source": OWN})
    adjusted_column = (p_column("Adjusted p", "wilcoxon_adjusted_p"),) if len(cohort.methods) > _PAIR else ()
    columns = (
        text_column("Measurement", "measurement"),
        text_column("Cases", "group"),
        text_column("First", "first"),
        text_column("Second", "second"),
        number_column("n", "n", 0),
        number_column("Mean difference", "mean_difference", 3, sign=True),
        interval_column("95% interval", "difference", 3),
        number_column("Median difference", "median_difference", 3, sign=True),
        p_column("Wilcoxon p", "wilcoxon_p"),
        *adjusted_column,
        p_column("Paired t p", "t_p"),
        Column("First better", lambda row: share(row["first_better"])),
        Column("Second better", lambda row: share(row["second_better"])),
    )
    note = "First less second, on the cases that both methods have; the interval is a bootstrap interval of the mean."
    if adjusted_column:
        note += " Adjusted: for the number of pairs of methods (Benjamini and Hochberg)."
    return Table("paired", "Methods compared case by case", columns, tuple(rows), note)


def several_methods_table(cohort: Cohort) -> Table | None:
    """Kruskal and Wallis over all methods, and Dunn's test of each pair; None for fewer than three methods."""
    if len(cohort.methods) <= _PAIR:
        return None
    rows = []
    for group in cohort.groups:
        values = {method.name: cohort.values(method, DICE.column, group) for method in cohort.methods}
        rows += _dunn_rows({"measurement": DICE.title, "group": group.name}, values)
    columns = (text_column("Cases", "group"), *_PAIR_COLUMNS)
    note = (
        "Kruskal and Wallis takes the methods for independent samples, as published; the paired tests use more of the data."
    )
    return Table("several_methods", "All methods together: DSC", columns, tuple(rows), note) if rows else None


def groups_table(cohort: Cohort) -> Table | None:
    """Whether DSC differs between the groups of each method; None if there are fewer than two groups."""
    if len(cohort.kinds) < _PAIR:
        return None
    rows: list[dict[str, Any]] = []
    for method in cohort.methods:
        values = {kind.name: cohort.values(method, DICE.column, kind) for kind in cohort.kinds}
        base = {"measurement": DICE.title, "method": method.name}
        if len(values) > _PAIR:
            rows += _dunn_rows(base, values)
            continue
        (first, one), (second, other) = values.items()
        found = mann_whitney(one, other)
        if found.p_value is not None:
            row = {**base, "test": "Mann-Whitney", "first": first, "second": second, "n_first": found.n_first}
            row |= {"n_second": found.n_second, "p": found.p_value, "adjusted_p": None, "overall_p": None}
            rows.append({**row, "source": OWN})
    columns = (text_column("Method", "method"), *_PAIR_COLUMNS)
    return Table("groups", "Groups compared: DSC", columns, tuple(rows), "Two-sided tests.") if rows else None


_PAIR_COLUMNS = (
    text_column("Test", "test"),
    text_column("First", "first"),
    number_column("n", "n_first", 0),
    text_column("Second", "second"),
    number_column("n", "n_second", 0),
    p_column("p", "p"),
    p_column("Adjusted p", "adjusted_p"),
    p_column("All together p", "overall_p"),
)
"""How the comparison of two independent groups reads."""


def _dunn_rows(base: dict[str, Any], values: dict[str, list[float | None]]) -> list[dict[str, Any]]:
    found = kruskal_wallis(values)
    return [
        {
            **base,
            "test": "Kruskal-Wallis, Dunn",
            "first": pair.first,
            "second": pair.second,
            "n_first": found.counts[pair.first],
            "n_second": found.counts[pair.second],
            "z": pair.z,
            "p": pair.p_value,
            "adjusted_p": pair.adjusted_p_value,
            "h": found.h,
            "overall_p": found.p_value,
            "source": OWN,
        }
        for pair in found.pairs
    ]


def _absolute_error(cohort: Cohort, method: Any, group: Group) -> list[float | None]:
    values = cohort.values(method, "volume_difference_ml", group)
    return [None if value is None else round(abs(value), _VOLUME_DECIMALS) for value in values]


def _group_column(group: Group) -> Column:
    def show(row: Row) -> str:
        return mean_sd(row.get(f"{group.name} mean"), row.get(f"{group.name} sd"))

    return Column(group.name, show)
