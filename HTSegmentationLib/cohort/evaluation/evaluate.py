"""The evaluation of a cohort: all its tables, and what must be said of its cases."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from HTSegmentationLib.cohort.cells import one_line
from HTSegmentationLib.cohort.evaluation.case_tables import (
    agreement_table,
    failure_table,
    growth_table,
    lesion_table,
    remark_table,
)
from HTSegmentationLib.cohort.evaluation.cohort import Cohort, make_cohort
from HTSegmentationLib.cohort.evaluation.comparisons import (
    dice_by_method_table,
    groups_table,
    paired_table,
    several_methods_table,
)
from HTSegmentationLib.cohort.evaluation.performance import class_table, distribution_table, performance_table
from HTSegmentationLib.cohort.evaluation.rater_tables import rater_kind_table, rater_pair_table
from HTSegmentationLib.cohort.evaluation.raters import RaterStudy
from HTSegmentationLib.cohort.evaluation.results import MethodResults
from HTSegmentationLib.cohort.evaluation.rules_fired import rule_table
from HTSegmentationLib.cohort.evaluation.table import Table
from HTSegmentationLib.cohort.evaluation.volumes import concordance_table, limits_table, volume_error_table
from HTSegmentationLib.files import write_json, write_text
from HTSegmentationLib.version import __version__

EVALUATION_FORMAT = 1
"""Raised when a key of the JSON changes its name or its meaning."""

_BUILDERS: tuple[Callable[[Cohort], Table | None], ...] = (
    performance_table,
    dice_by_method_table,
    paired_table,
    several_methods_table,
    groups_table,
    agreement_table,
    concordance_table,
    limits_table,
    volume_error_table,
    lesion_table,
    class_table,
    growth_table,
    rule_table,
    distribution_table,
    remark_table,
    failure_table,
)
"""The tables in the order in which they are shown."""

_MOST_NAMED = 20
"""Cases that a sentence names; all are in the table of failures."""


@dataclass(frozen=True)
class Evaluation:
    """A cohort's evaluation.

    Args:
        cohort: The cases.
        tables: The tables that have something to show.
        remarks: What a reader must know before the tables, the counts of cases first.
        raters: The comparison with raters, if there are any.
    """

    cohort: Cohort
    tables: tuple[Table, ...]
    remarks: tuple[str, ...]
    raters: RaterStudy | None = None

    def table(self, key: str) -> Table | None:
        """The table of that name, if there is one."""
        return next((table for table in self.tables if table.key == key), None)

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain values, for JSON."""
        return {
            "format": EVALUATION_FORMAT,
            "versions": {"htsegmentation": __version__},
            "group_by": self.cohort.group_by,
            "domain": self.cohort.domain,
            "failed_as_zero": self.cohort.failed_as_zero,
            "methods": [_method_values(method) for method in self.cohort.methods],
            "remarks": list(self.remarks),
            "tables": {table.key: table.as_dict() for table in self.tables},
        }


def evaluate(
    methods: Iterable[MethodResults],
    *,
    raters: RaterStudy | None = None,
    group_by: str = "ht_type",
    domain: str | None = None,
    failed_as_zero: bool = False,
) -> Evaluation:
    """Makes all tables of one or more methods on the same cases.

    Args:
        methods: The main method first.
        raters: The comparison with raters.
        group_by: The column of the results whose values are the groups.
        domain: Where voxels count for sensitivity, specificity and AUC: ``"roi"``, ``"brain"`` or ``"image"``; if None, the
            first of them that the results hold.
        failed_as_zero: Count failed cases as DSC 0.

    Raises:
        UsageError: There is no method, two have the same name, or column or domain are not known.

    Example:
        >>> found = evaluate([read_results("adaptive"), read_results("global")])   # doctest: +SKIP
        >>> found.table("performance").texts()[0]                                   # doctest: +SKIP
    """
    cohort = make_cohort(tuple(methods), group_by=group_by, domain=domain, failed_as_zero=failed_as_zero)
    tables = [table for builder in _BUILDERS if (table := builder(cohort)) is not None]
    if raters is not None:
        place = next(number for number, table in enumerate(tables) if table.key == "distribution")
        tables[place:place] = [rater_pair_table(raters), rater_kind_table(raters)]
    said = [count_words(method, cohort.failed_as_zero) for method in cohort.methods]
    said += [words for method in cohort.methods if (words := _without_reference_words(method))]
    said += _apart(cohort)
    said += [remark for method in cohort.methods for remark in method.remarks]
    return Evaluation(cohort, tuple(tables), (*said, *cohort.remarks), raters)


def write_tables(evaluation: Evaluation, folder: str | Path) -> None:
    """Writes each table as CSV, and all of them with the remarks as ``tables.json``.

    Args:
        evaluation: What to write.
        folder: An existing folder.

    Raises:
        OutputError: A file cannot be written.
    """
    root = Path(folder)
    for table in evaluation.tables:
        write_text(root / f"{table.key}.csv", table.as_csv())
    write_json(root / "tables.json", evaluation.as_dict())


def count_words(method: MethodResults, failed_as_zero: bool = False) -> str:
    """How many cases there are, and which failed and why.

    Example:
        >>> from HTSegmentationLib.cohort.evaluation.results import case_result
        >>> done, lost = ({"case_id": "a", "status": "done"}, {"case_id": "b", "status": "failed", "error": "no ROI"})
        >>> count_words(MethodResults("adaptive", (case_result(done), case_result(lost))))
        'adaptive: 2 cases, 1 failed and not in the tables: b (no ROI).'
    """
    failed = method.failures
    start = f"{method.name}: {_counted(len(method.cases), 'case')}"
    if not failed:
        return f"{start}, none failed."
    counted = "counted as DSC 0 where there is a reference" if failed_as_zero else "not in the tables"
    named = "; ".join(f"{one_line(case.case_id)} ({case.error.rstrip('.')})" for case in failed[:_MOST_NAMED])
    more = f"; and {len(failed) - _MOST_NAMED} more, all in the table of failed cases" if len(failed) > _MOST_NAMED else ""
    return f"{start}, {len(failed)} failed and {counted}: {named}{more}."


def _without_reference_words(method: MethodResults) -> str:
    missing = method.without_reference
    if not missing:
        return ""
    named = ", ".join(one_line(case.case_id) for case in missing[:_MOST_NAMED])
    more = f" and {len(missing) - _MOST_NAMED} more" if len(missing) > _MOST_NAMED else ""
    return (
        f"{method.name}: {_counted(len(missing), 'case')} without a reference, counted among the masks' volumes alone: "
        f"{named}{more}."
    )


def _apart(cohort: Cohort) -> list[str]:
    """Which methods lack cases that others have."""
    total = len(cohort.total.case_ids)
    return [
        f"{method.name} holds {len(method.cases)} of the {total} cases of all methods; paired tests use what both have."
        for method in cohort.methods
        if len(method.cases) < total
    ]


def _method_values(method: MethodResults) -> dict[str, Any]:
    settings = {name: method.settings[name] for name in ("method", "parameters", "versions") if name in method.settings}
    return {
        "name": method.name,
        "method": method.method,
        "cases": len(method.cases),
        "failed": [{"case_id": case.case_id, "reason": case.error} for case in method.failures],
        "without_reference": [case.case_id for case in method.without_reference],
        "labels": list(method.labels),
        "settings": settings,
    }


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
