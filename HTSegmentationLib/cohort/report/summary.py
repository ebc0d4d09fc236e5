"""The evaluation in a few sentences that a clinician reads, with what the figures cannot tell."""

from __future__ import annotations

from HTSegmentationLib.cohort.cells import interval, mean_sd, number, one_line, p_value
from HTSegmentationLib.cohort.evaluation.cohort import Cohort
from HTSegmentationLib.cohort.evaluation.evaluate import Evaluation
from HTSegmentationLib.cohort.evaluation.results import MethodResults
from HTSegmentationLib.cohort.evaluation.volumes import pairs_of
from HTSegmentationLib.measure.statistics import bland_altman, compare_paired, lins_ccc, summarize

_SUBSTANTIAL = 0.6
"""DSC above it is substantial agreement or better, in the words of Landis and Koch."""

_POOR = 0.4
"""Cases below it agree fairly at best; they are named."""

_FEW = 30
"""With fewer cases, single ones move the figures."""

_MOST_NAMED = 6

_MOST_GROUPS = 4

_SIGNIFICANT = 0.05


def summary(evaluation: Evaluation) -> tuple[str, ...]:
    """The sentences, of the main method first."""
    cohort = evaluation.cohort
    method = cohort.methods[0]
    said = [_cases(method), _agreement(cohort, method), _poor(cohort, method), _volumes(cohort, method)]
    said += [_other(cohort, method, other) for other in cohort.methods[1:]]
    said += [_limits(cohort, method)]
    return tuple(text for text in said if text)


def _cases(method: MethodResults) -> str:
    total, failed = len(method.cases), len(method.failures)
    if total == 0:
        return f"The results of {method.name} hold no case."
    text = f"{method.name} was given {total} {'case' if total == 1 else 'cases'}"
    text += (
        f"; {failed} failed and {'is' if failed == 1 else 'are'} listed under Failed cases." if failed else "; none failed."
    )
    missing = len(method.without_reference)
    if missing:
        text += f" {missing} {'has' if missing == 1 else 'have'} no reference, so that agreement is not known there."
    return text


def _agreement(cohort: Cohort, method: MethodResults) -> str:
    found = summarize(cohort.values(method, "dice"))
    if found.mean is None:
        return "No case has a reference: the report shows volumes and remarks, but not how right they are."
    if found.n == 1:
        return f"One case has a reference; its DSC is {number(found.mean)}."
    values = [value for value in cohort.values(method, "dice") if value is not None]
    good = sum(value > _SUBSTANTIAL for value in values)
    text = f"On {found.n} cases with a reference the mean DSC was {mean_sd(found.mean, found.sd)}"
    if found.mean_interval is not None:
        text += f", 95% interval {interval(found.mean_interval.low, found.mean_interval.high)}"
    text += f"; {good} of {found.n} ({good / found.n:.0%}) reached substantial agreement or better (above {_SUBSTANTIAL})."
    groups = []
    for group in cohort.groups[1 : _MOST_GROUPS + 1]:
        of_group = summarize(cohort.values(method, "dice", group), resamples=0)
        if of_group.mean is not None:
            groups.append(f"{mean_sd(of_group.mean, of_group.sd)} for {group.name} ({of_group.n})")
    return f"{text} By group it was {', '.join(groups)}." if groups else text


def _poor(cohort: Cohort, method: MethodResults) -> str:
    values = zip(cohort.values(method, "dice"), cohort.total.case_ids, strict=True)
    poor = sorted((value, case_id) for value, case_id in values if value is not None and value < _POOR)
    if not poor:
        return ""
    named = ", ".join(f"{one_line(case_id)} ({number(value, 3)})" for value, case_id in poor[:_MOST_NAMED])
    more = f" and {len(poor) - _MOST_NAMED} more" if len(poor) > _MOST_NAMED else ""
    cases = "case has" if len(poor) == 1 else "cases have"
    return f"{len(poor)} {cases} a DSC below {_POOR} and should be looked at: {named}{more}."


def _volumes(cohort: Cohort, method: MethodResults) -> str:
    pairs = pairs_of(cohort, method, cohort.total)
    limits, agreement = bland_altman(*pairs), lins_ccc(*pairs)
    if limits.bias is None or limits.lower is None or limits.upper is None:
        return ""
    way = "larger" if limits.bias >= 0 else "smaller"
    text = (
        f"Its volumes were on average {number(abs(limits.bias), 1)} mL {way} than the reference's; of 95 in 100 cases the "
    )
    text += (
        f"difference is expected between {number(limits.lower, 1, sign=True)} and {number(limits.upper, 1, sign=True)} mL"
    )
    if agreement.ccc is None:
        return f"{text}."
    text += f", and Lin's concordance is {number(agreement.ccc)}"
    return text + (f" ({interval(agreement.interval.low, agreement.interval.high)})." if agreement.interval else ".")


def _other(cohort: Cohort, method: MethodResults, other: MethodResults) -> str:
    found = compare_paired(cohort.values(method, "dice"), cohort.values(other, "dice"))
    if found.mean_difference is None or found.interval is None or found.wilcoxon_p is None:
        return f"{method.name} and {other.name} have too few cases in common to be compared."
    way = "higher" if found.mean_difference >= 0 else "lower"
    size = number(abs(found.mean_difference))
    text = f"On the {found.n} cases that both have, the DSC of {method.name} was {size} {way} on average than that of "
    text += f"{other.name} (95% interval of the difference {interval(found.interval.low, found.interval.high)}, Wilcoxon p "
    text += f"{p_value(found.wilcoxon_p)})"
    return text + ("." if found.wilcoxon_p < _SIGNIFICANT else "; chance alone could explain it.")


def _limits(cohort: Cohort, method: MethodResults) -> str:
    count = sum(value is not None for value in cohort.values(method, "dice"))
    text = (
        "These figures hold for these scans and this reference; a reference drawn by hand is an opinion, too, and published "
        "values come from other patients and scanners, so that a difference from them proves nothing. Look at every mask: "
        "this is research software, not a medical device."
    )
    if 0 < count < _FEW:
        text = f"With {count} {'case' if count == 1 else 'cases'} single ones move every figure. {text}"
    return text
