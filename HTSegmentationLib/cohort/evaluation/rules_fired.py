"""Which rows of the adaptive threshold's rule table fired, and whether its borders suit the scanners of this cohort."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from HTSegmentationLib.cohort.cells import share
from HTSegmentationLib.cohort.evaluation.cohort import Cohort
from HTSegmentationLib.cohort.evaluation.metrics import DICE
from HTSegmentationLib.cohort.evaluation.results import MethodResults
from HTSegmentationLib.cohort.evaluation.table import (
    OWN,
    Column,
    Table,
    mean_sd_column,
    number_column,
    text_column,
)
from HTSegmentationLib.errors import ParameterError
from HTSegmentationLib.measure.statistics import summarize
from HTSegmentationLib.threshold.parameters import AdaptiveParameters
from HTSegmentationLib.threshold.rules import PUBLISHED_RULES, Rule, sd_range


def rules_of(method: MethodResults) -> tuple[tuple[Rule, ...], bool]:
    """The rule table that a method used.

    Returns:
        The table, and whether the run's own settings or records tell it; if not, it is the published one.
    """
    first = next((case.case_id for case in method.cases if not case.failed), None)
    records = [method.settings, (method.record(first) if first is not None else None) or {}]
    for parameters in (record.get("parameters") for record in records):
        if isinstance(parameters, Mapping) and "rules" in parameters:
            try:
                return AdaptiveParameters.from_dict({"rules": parameters["rules"]}).rules, True
            except ParameterError:
                continue
    return PUBLISHED_RULES, False


def borders(rules: tuple[Rule, ...]) -> tuple[float, ...]:
    """The SDs in HU at which one row ends and the next begins."""
    return tuple(rule.sd_up_to for rule in rules if not math.isinf(rule.sd_up_to))


def rule_table(cohort: Cohort) -> Table | None:
    """How often each row fired, with the SDs of its cases and their DSC; None if no method has rules."""
    rows: list[dict[str, Any]] = []
    known = True
    for method in cohort.methods:
        numbers = cohort.values(method, "rule_number")
        total = sum(value is not None for value in numbers)
        if not total:
            continue
        rules, told = rules_of(method)
        known = known and told
        deviations, dices = cohort.values(method, "first_mask_sd_hu"), cohort.values(method, DICE.column)
        held = {int(value) for value in numbers if value is not None}
        for position in sorted(held | set(range(1, len(rules) + 1))):
            places = [place for place, value in enumerate(numbers) if value == position]
            sd, dice = (summarize([values[place] for place in places], resamples=0) for values in (deviations, dices))
            row: dict[str, Any] = {
                "method": method.name,
                "rule": position,
                "cases": len(places),
                "share": len(places) / total,
            }
            row |= _rule_words(rules, position)
            row |= {"sd_mean": sd.mean, "sd_sd": sd.sd, "sd_low": sd.low, "sd_high": sd.high}
            rows.append({**row, "n": dice.n, "dice_mean": dice.mean, "dice_sd": dice.sd, "source": OWN})
    columns = (
        text_column("Method", "method"),
        number_column("Rule", "rule", 0),
        text_column("SD of the first mask", "condition"),
        text_column("Second threshold", "window"),
        number_column("Cases", "cases", 0),
        Column("Share", lambda row: share(row["share"])),
        mean_sd_column("SD (HU)", "sd", 1),
        mean_sd_column("DSC", "dice"),
    )
    note = "SD: that of the HU in the first mask, which chooses the second threshold."
    if not known:
        note += " The results do not tell the rule table that was used; the published one is shown."
    return Table("rules", "Rules that fired", columns, tuple(rows), note) if rows else None


def _rule_words(rules: tuple[Rule, ...], position: int) -> dict[str, str]:
    if not 1 <= position <= len(rules):
        return {"condition": "not in the table", "window": ""}
    rule = rules[position - 1]
    return {"condition": sd_range(rules, position - 1), "window": f"{rule.lower_hu:g} to {rule.upper_hu:g} HU"}
