"""Builds the content of a report from an evaluation."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from HTSegmentationLib.cohort.cells import one_line
from HTSegmentationLib.cohort.evaluation.cohort import Cohort
from HTSegmentationLib.cohort.evaluation.evaluate import Evaluation
from HTSegmentationLib.cohort.evaluation.results import MethodResults
from HTSegmentationLib.cohort.evaluation.table import Table, text_column
from HTSegmentationLib.cohort.report.agreement_figures import concordance_picture, dice_by_volume_picture, limits_picture
from HTSegmentationLib.cohort.report.content import Block, Facts, Report, Section, Sentences
from HTSegmentationLib.cohort.report.gallery import galleries
from HTSegmentationLib.cohort.report.histograms import share_histogram
from HTSegmentationLib.cohort.report.method_figures import methods_picture
from HTSegmentationLib.cohort.report.rule_figures import rules_picture, sd_histogram
from HTSegmentationLib.cohort.report.summary import summary
from HTSegmentationLib.progress import Progress, silent
from HTSegmentationLib.version import __version__

TITLE = "Segmentation of hemorrhage: evaluation of a cohort"

_MOST_METHODS = 3
"""Methods with figures of their own."""

_GALLERY_LEGEND = (
    "The slice with most of mask and reference, cut to their surroundings, in the brain window (level 40, width 80 HU), "
    "seen from the feet: the patient's right is on the picture's left. Orange, solid: mask; blue, dashed: reference; "
    "yellow, dotted: region of interest."
)


def build_report(evaluation: Evaluation, *, name: str = "", progress: Progress = silent) -> Report:
    """The report's content; it depends on the evaluation alone, not on the day.

    Args:
        evaluation: The evaluation.
        name: How the cohort is called; taken from the results if empty.
        progress: Told of the pictures.
    """
    cohort = evaluation.cohort
    sections = [
        Section("summary", "Summary", (Sentences(summary(evaluation)),)),
        Section("cases", "Cases", (Sentences(evaluation.remarks, as_list=True),)),
        Section("agreement", "Agreement with the reference", tuple(_agreement(evaluation))),
        Section("methods", "Methods and groups compared", tuple(_methods(evaluation))),
        Section("volumes", "Volumes", tuple(_volumes(evaluation))),
        Section("lesions", "Lesions, labels and growth", tuple(_tables(evaluation, "lesions", "classes", "growth"))),
        Section("raters", "Raters", tuple(_tables(evaluation, "raters", "rater_kinds"))),
        Section("rules", "Rules of the adaptive threshold", tuple(_rules(evaluation))),
        Section("gallery", "Cases seen", tuple(_gallery(cohort, progress))),
        Section("failures", "Failed cases", tuple(_tables(evaluation, "failures"))),
        Section("remarks", "Remarks", tuple(_tables(evaluation, "remarks"))),
        Section("measurements", "Every measurement", tuple(_tables(evaluation, "distribution"))),
        Section("parameters", "Parameters", tuple(_parameters(cohort))),
    ]
    return Report(TITLE, _facts(cohort, name), tuple(section for section in sections if section.blocks))


def _facts(cohort: Cohort, name: str) -> Facts:
    main = cohort.methods[0]
    manifest = main.settings.get("manifest")
    pairs = [("Cohort", name or (one_line(manifest) if isinstance(manifest, str) else ""))]
    pairs += [("Cases", str(len(cohort.total.case_ids)))]
    pairs += [("Methods" if number == 0 else "", _method_words(method)) for number, method in enumerate(cohort.methods)]
    pairs += [("Report", f"htsegmentation {__version__}")]
    return Facts(tuple((title, text) for title, text in pairs if text))


def _method_words(method: MethodResults) -> str:
    versions = method.settings.get("versions")
    if not isinstance(versions, Mapping) or not versions:
        return method.name
    return f"{method.name} ({', '.join(f'{one_line(str(name))} {one_line(str(text))}' for name, text in versions.items())})"


def _tables(evaluation: Evaluation, *keys: str) -> Iterator[Block]:
    for key in keys:
        table = evaluation.table(key)
        if table is not None and table.rows:
            yield table


def _agreement(evaluation: Evaluation) -> Iterator[Block]:
    cohort = evaluation.cohort
    yield from _tables(evaluation, "performance", "dice_by_method")
    yield from _known(share_histogram(cohort, "dice", "DSC"), share_histogram(cohort, f"auc_{cohort.domain}", "AUC"))
    yield from _tables(evaluation, "agreement")
    yield from _known(dice_by_volume_picture(cohort, cohort.methods[0]))


def _methods(evaluation: Evaluation) -> Iterator[Block]:
    yield from _known(methods_picture(evaluation.cohort))
    yield from _tables(evaluation, "paired", "several_methods", "groups")


def _volumes(evaluation: Evaluation) -> Iterator[Block]:
    cohort = evaluation.cohort
    yield from _tables(evaluation, "concordance")
    yield from _known(*(concordance_picture(cohort, method) for method in cohort.methods[:_MOST_METHODS]))
    yield from _tables(evaluation, "limits")
    yield from _known(*(limits_picture(cohort, method) for method in cohort.methods[:_MOST_METHODS]))
    yield from _tables(evaluation, "volume_error")


def _rules(evaluation: Evaluation) -> Iterator[Block]:
    cohort = evaluation.cohort
    yield from _tables(evaluation, "rules")
    for method in cohort.methods[:_MOST_METHODS]:
        yield from _known(rules_picture(cohort, method), sd_histogram(cohort, method))


def _gallery(cohort: Cohort, progress: Progress) -> Iterator[Block]:
    found = galleries(cohort, cohort.methods[0], progress)
    if found:
        yield Sentences((_GALLERY_LEGEND,))
        yield from found


def _parameters(cohort: Cohort) -> Iterator[Block]:
    for number, method in enumerate(cohort.methods):
        parameters = method.settings.get("parameters")
        if not isinstance(parameters, Mapping) or not parameters:
            yield Sentences((f"{method.name}: the results do not tell its parameters.",))
            continue
        rows = tuple({"name": name, "value": value} for name, value in _flat(parameters))
        columns = (text_column("Parameter", "name"), text_column("Value", "value"))
        yield Table(f"parameters_{number + 1}", f"Parameters of {method.name}", columns, rows)


def _flat(parameters: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Names and values as text; a list of tables, as the rules, has a row each."""
    for name, value in parameters.items():
        if isinstance(value, list) and value and all(isinstance(row, Mapping) for row in value):
            for number, row in enumerate(value, start=1):
                text = ", ".join(f"{key} {_value(cell)}" for key, cell in row.items())
                yield f"{one_line(str(name))}, row {number}", one_line(text)
        else:
            yield one_line(str(name)), _value(value)


def _value(value: Any) -> str:
    if value is None:
        return "none"
    return one_line(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _known(*blocks: Block | None) -> Iterator[Block]:
    yield from (block for block in blocks if block is not None)
