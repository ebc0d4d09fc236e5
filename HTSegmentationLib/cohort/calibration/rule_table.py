"""A fitted table as the rule table that every command reads."""

from __future__ import annotations

import math

from HTSegmentationLib.cohort.calibration.search import FittedTable
from HTSegmentationLib.cohort.calibration.windows import candidate_windows
from HTSegmentationLib.threshold.rules import PUBLISHED_RULES, Rule, rule_number


def as_rules(table: FittedTable) -> tuple[Rule, ...]:
    """The rule table: fitted rows where there are some, the published rows everywhere else.

    Example:
        >>> as_rules(FittedTable()) == PUBLISHED_RULES
        True
    """
    ends = {rule.sd_up_to for rule in PUBLISHED_RULES}
    ends |= {end for row in table.rows for end in (row.above_sd, row.up_to_sd) if end >= 0}
    rules: list[Rule] = []
    sources: list[tuple[str, int]] = []
    for end in sorted(ends):
        # No border lies between the one before and this one: what fires at its end fires in the whole stretch.
        sd = end if math.isfinite(end) else max(other for other in ends if math.isfinite(other)) + 1
        fitted = next((n for n, row in enumerate(table.rows) if row.above_sd < sd <= row.up_to_sd), None)
        source = ("published", rule_number(PUBLISHED_RULES, sd)) if fitted is None else ("fitted", fitted)
        if sources and sources[-1] == source:
            rules.pop()
            sources.pop()
        rules.append(_rule(table, end, source))
        sources.append(source)
    return tuple(rules)


def _rule(table: FittedTable, end: float, source: tuple[str, int]) -> Rule:
    kind, number = source
    if kind == "published":
        rule = PUBLISHED_RULES[number]
        return Rule(end, rule.lower_hu, rule.upper_hu, rule.classification)
    row = table.rows[number]
    lower, upper = candidate_windows()[row.window]
    return Rule(end, float(lower), float(upper), f"fitted on {row.cases} cases")
