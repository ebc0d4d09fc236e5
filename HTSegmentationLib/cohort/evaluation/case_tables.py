"""What became of the cases: agreement in words, lesions found, growth, remarks, failures, cases without reference."""

from __future__ import annotations

from collections import Counter
from typing import Any

from HTSegmentationLib.cohort.cells import number, one_line, share
from HTSegmentationLib.cohort.evaluation.cohort import Cohort
from HTSegmentationLib.cohort.evaluation.metrics import DICE
from HTSegmentationLib.cohort.evaluation.published import AGREEMENT
from HTSegmentationLib.cohort.evaluation.results import MethodResults
from HTSegmentationLib.cohort.evaluation.table import (
    OWN,
    Column,
    Row,
    Table,
    mean_sd_column,
    number_column,
    text_column,
)
from HTSegmentationLib.measure.agreement import agreement_word
from HTSegmentationLib.measure.statistics import summarize

_WORDS = ("none", "slight", "fair", "moderate", "substantial", "almost perfect")
"""Landis and Koch's words for a DSC, from the poorest."""

_SUBSTANTIAL = ("substantial", "almost perfect")
"""The words that the adaptive-threshold paper counts together: DSC above 0.6."""

_AUC_BORDER = 0.7
"""The AUC that the adaptive-threshold paper counts cases above."""


def agreement_table(cohort: Cohort) -> Table:
    """How many cases reach which agreement, and the share of those with DSC above 0.6, as the paper counts it."""
    rows: list[dict[str, Any]] = []
    for method in cohort.methods:
        for group in cohort.groups:
            dices = [value for value in cohort.values(method, DICE.column, group) if value is not None]
            areas = [value for value in cohort.values(method, f"auc_{cohort.domain}", group) if value is not None]
            found = Counter(agreement_word(value) for value in dices)
            good = sum(found[word] for word in _SUBSTANTIAL)
            row = {"method": method.name, "group": group.name, "n": len(dices)}
            row |= {word.replace(" ", "_"): found[word] for word in _WORDS} | {"substantial_or_more": good}
            row |= {"share": good / len(dices) if dices else None}
            above = sum(value > _AUC_BORDER for value in areas) / len(areas) if areas else None
            rows.append({**row, "auc_above": above, "source": OWN})
    columns = (
        text_column("Method", "method"),
        text_column("Cases", "group"),
        number_column("n", "n", 0),
        *(number_column(word.capitalize(), word.replace(" ", "_"), 0) for word in _WORDS),
        Column("DSC above 0.6", lambda row: share(row["share"])),
        Column(f"AUC above {_AUC_BORDER}", lambda row: share(row["auc_above"])),
    )
    note = "Words of Landis and Koch for DSC: none 0, slight to 0.2, fair to 0.4, moderate to 0.6, substantial to 0.8."
    return Table("agreement", "Agreement in words", columns, (*rows, AGREEMENT.row()), note)


def lesion_table(cohort: Cohort) -> Table | None:
    """Separate lesions: how many of the reference's are found, and how many of the mask's are none."""
    rows = []
    for method in cohort.methods:
        for group in cohort.groups:
            of_cases = [cohort.values(method, name, group) for name in ("reference_lesions", "lesions_found")]
            counted = [
                (true, found) for true, found in zip(*of_cases, strict=True) if true is not None and found is not None
            ]
            if not counted:
                continue
            true, found = (sum(values) for values in zip(*counted, strict=True))
            false = summarize(cohort.values(method, "false_positive_lesions", group), resamples=0)
            by_scan = summarize(cohort.values(method, "lesion_sensitivity", group), resamples=0)
            row = {"method": method.name, "group": group.name, "scans": len(counted), "lesions": true, "found": found}
            row |= {"sensitivity": found / true if true else None}
            row |= {"scan_mean": by_scan.mean, "scan_sd": by_scan.sd}
            rows.append({**row, "false_mean": false.mean, "false_sd": false.sd, "false_most": false.high, "source": OWN})
    columns = (
        text_column("Method", "method"),
        text_column("Cases", "group"),
        number_column("Scans", "scans", 0),
        number_column("Lesions", "lesions", 0),
        number_column("Found", "found", 0),
        Column("Sensitivity, all lesions", lambda row: share(row["sensitivity"])),
        mean_sd_column("Sensitivity a scan", "scan"),
        mean_sd_column("False positives a scan", "false", 1),
        number_column("Most in a scan", "false_most", 0),
    )
    note = (
        "A lesion is a separate part of the reference; it counts as found if the mask shares a voxel with it. A false "
        "positive is a part of the mask that shares no voxel with the reference."
    )
    return Table("lesions", "Detection of lesions", columns, tuple(rows), note) if rows else None


def growth_table(cohort: Cohort) -> Table | None:
    """Growth since an earlier scan; None if no case has one."""
    if not cohort.has("growth_ml"):
        return None
    rows = []
    for method in cohort.methods:
        by_id = {case.case_id: case for case in method.cases}
        for group in cohort.groups:
            growth = summarize(cohort.values(method, "growth_ml", group), resamples=0)
            cases = [by_id[case_id] for case_id in group.case_ids if case_id in by_id]
            row: dict[str, Any] = {"method": method.name, "group": group.name, "n": growth.n}
            row |= {"growth_ml_mean": growth.mean, "growth_ml_sd": growth.sd, "median_ml": growth.median}
            for name in ("expansion_6ml_or_33percent", "expansion_12_5ml"):
                row[name] = sum(case.text(name).lower() in ("true", "1") for case in cases if not case.failed)
            rows.append({**row, "source": OWN})
    columns = (
        text_column("Method", "method"),
        text_column("Cases", "group"),
        number_column("n", "n", 0),
        mean_sd_column("Growth (mL)", "growth_ml"),
        number_column("Median (mL)", "median_ml", sign=True),
        number_column("Above 6 mL or 33%", "expansion_6ml_or_33percent", 0),
        number_column("Above 12.5 mL", "expansion_12_5ml", 0),
    )
    return Table("growth", "Growth since the earlier scan", columns, tuple(rows), "n: cases with an earlier scan.")


def remark_table(cohort: Cohort) -> Table | None:
    """How often each remark was made; None if none was."""
    rows = []
    for method in cohort.methods:
        codes: dict[str, list[str]] = {}
        done = [case for case in method.cases if not case.failed]
        for case in done:
            for code in dict.fromkeys(case.text("remark_codes").split()):
                codes.setdefault(code, []).append(case.case_id)
        for code, case_ids in sorted(codes.items(), key=lambda item: (-len(item[1]), item[0])):
            severity, text = _remark_words(method, case_ids[0], code)
            row = {"method": method.name, "code": code, "cases": len(case_ids), "share": len(case_ids) / len(done)}
            rows.append({**row, "severity": severity, "example": text, "source": OWN})
    columns = (
        text_column("Method", "method"),
        text_column("Remark", "code"),
        text_column("Severity", "severity"),
        Column("Cases", _count_and_share),
        text_column("As said of one case", "example"),
    )
    return Table("remarks", "How often each remark was made", columns, tuple(rows)) if rows else None


def failure_table(cohort: Cohort) -> Table | None:
    """Every failed case with its reason; None if none failed."""
    rows = [
        {"method": method.name, "case_id": one_line(case.case_id), "reason": case.error, "source": OWN}
        for method in cohort.methods
        for case in method.failures
    ]
    columns = (text_column("Method", "method"), text_column("Case", "case_id"), text_column("Reason", "reason"))
    counted = "They count as DSC 0." if cohort.failed_as_zero else "They are in no other table."
    return Table("failures", "Each failed case and its reason", columns, tuple(rows), counted) if rows else None


def _remark_words(method: MethodResults, case_id: str, code: str) -> tuple[str, str]:
    """Severity and text of a remark as a case's record has them; empty if there is no record."""
    remarks = (method.record(case_id) or {}).get("remarks")
    for remark in remarks if isinstance(remarks, list) else []:
        if isinstance(remark, dict) and remark.get("code") == code:
            return one_line(str(remark.get("severity", ""))), one_line(str(remark.get("text", "")))
    return "", ""


def _count_and_share(row: Row) -> str:
    return f"{number(row['cases'], 0)} ({share(row['share'])})"
