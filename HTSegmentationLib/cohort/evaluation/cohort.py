"""The cases of an evaluation: all methods aligned case by case, and the groups that tables show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from HTSegmentationLib.cohort.cells import one_line
from HTSegmentationLib.cohort.evaluation.metrics import DICE, DOMAINS, of_label, require_domain
from HTSegmentationLib.cohort.evaluation.published import TOTAL
from HTSegmentationLib.cohort.evaluation.results import MethodResults
from HTSegmentationLib.errors import UsageError

_MOST_GROUPS = 12
"""More kinds than these are no groups; the smaller ones are left to the total."""

_UNITED = {"HI": ("HI", "HI1", "HI2"), "PH": ("PH", "PH1", "PH2")}
"""Types of hemorrhagic transformation that the papers put together."""


@dataclass(frozen=True)
class Group:
    """Some of the cases.

    Args:
        name: As the tables call it.
        case_ids: Its cases, in the order of the cohort.
    """

    name: str
    case_ids: tuple[str, ...]


@dataclass(frozen=True)
class Cohort:
    """Several methods' results of the same cases.

    Args:
        methods: The methods, the main one first.
        groups: All cases together first, then the groups; those that unite others have their own cases again.
        kinds: The groups that do not overlap, for tests between them.
        group_by: The column that the groups come from.
        domain: Where voxels count for sensitivity, specificity and AUC.
        failed_as_zero: Whether a failed case counts as DSC 0.
        remarks: What was decided on the way.
    """

    methods: tuple[MethodResults, ...]
    groups: tuple[Group, ...]
    kinds: tuple[Group, ...]
    group_by: str
    domain: str
    failed_as_zero: bool = False
    remarks: tuple[str, ...] = ()
    _values: Mapping[str, Mapping[str, Mapping[str, float]]] = field(default_factory=dict, repr=False)

    @property
    def total(self) -> Group:
        """All cases."""
        return self.groups[0]

    def values(self, method: MethodResults, column: str, group: Group | None = None, label: str = "") -> list[float | None]:
        """One measurement of a group's cases, in the same order for every method; None where it is not defined.

        Args:
            method: One of the cohort's methods.
            column: The measurement's column.
            group: All cases if None.
            label: The label's name, empty for the first one.
        """
        known = self._values[method.name].get(of_label(column, label), {})
        return [known.get(case_id) for case_id in (group or self.total).case_ids]

    def has(self, column: str) -> bool:
        """Whether any method has this measurement of any case."""
        return any(self._values[method.name].get(column) for method in self.methods)


def make_cohort(
    methods: tuple[MethodResults, ...], *, group_by: str = "ht_type", domain: str | None = None, failed_as_zero: bool = False
) -> Cohort:
    """Aligns the results of several methods.

    Args:
        methods: At least one; no two of the same name.
        group_by: The column of the tables whose values are the groups.
        domain: One of ``"roi"``, ``"brain"``, ``"image"``; if None, the first of them that the tables hold.
        failed_as_zero: Count a failed case that has a reference as DSC 0.

    Raises:
        UsageError: There is no method, two have the same name, no table has the column, or the domain is unknown.
    """
    if not methods:
        raise UsageError("there is nothing to evaluate; give at least one table of results")
    names = [method.name for method in methods]
    if len(set(names)) < len(names):
        raise UsageError(f"two methods are called the same ({', '.join(names)}); name them as NAME=PATH")
    case_ids = tuple(dict.fromkeys(case.case_id for method in methods for case in method.cases))
    values = {method.name: _by_column(method) for method in methods}
    if failed_as_zero:
        for method in methods:
            values[method.name].setdefault(DICE.column, {}).update(
                dict.fromkeys(_failed_with_reference(method, methods), 0.0)
            )
    chosen, remarks = _domain(values, domain)
    kinds, more = _kinds(methods, case_ids, group_by)
    groups = (Group(TOTAL, case_ids), *_with_unions(kinds, case_ids))
    return Cohort(methods, groups, kinds, group_by, chosen, failed_as_zero, (*remarks, *more), values)


def _by_column(method: MethodResults) -> dict[str, dict[str, float]]:
    """Values by column and case; a failed case has none."""
    found: dict[str, dict[str, float]] = {}
    for case in method.cases:
        if not case.failed:
            for column, value in case.numbers.items():
                found.setdefault(column, {})[case.case_id] = value
    return found


def _failed_with_reference(method: MethodResults, methods: tuple[MethodResults, ...]) -> list[str]:
    """Failed cases, without those of which a record or another method's result tells that there is no reference."""
    compared = {
        case.case_id: case.number("dice") is not None for other in methods for case in other.cases if not case.failed
    }
    found = []
    for case in method.failures:
        known = compared.get(case.case_id)
        if known is None:
            inputs = (method.record(case.case_id) or {}).get("inputs")
            known = not (isinstance(inputs, dict) and "reference" in inputs and inputs["reference"] is None)
        if known:
            found.append(case.case_id)
    return found


def _domain(values: Mapping[str, Mapping[str, Mapping[str, float]]], asked: str | None) -> tuple[str, tuple[str, ...]]:
    if asked is not None:
        require_domain(asked)
        return asked, ()
    held = [domain for domain in DOMAINS if any(found.get(f"specificity_{domain}") for found in values.values())]
    if not held or held[0] == DOMAINS[0]:
        return DOMAINS[0], ()
    text = f"No case has an ROI: sensitivity, specificity and AUC are those in the {held[0]}, not in the ROI as published."
    return held[0], (text,)


def _kinds(
    methods: tuple[MethodResults, ...], case_ids: tuple[str, ...], column: str
) -> tuple[tuple[Group, ...], tuple[str, ...]]:
    if column != "ht_type" and not any(column in case.texts for method in methods for case in method.cases):
        raise UsageError(f"no table has the column {one_line(column)!r}; give one that the results hold to --group-by")
    kind_of: dict[str, str] = {}
    for method in methods:
        for case in method.cases:
            kind_of[case.case_id] = kind_of.get(case.case_id) or case.text(column)
    members: dict[str, list[str]] = {}
    for case_id in case_ids:
        members.setdefault(kind_of.get(case_id, ""), []).append(case_id)
    unknown = len(members.pop("", []))
    remarks = [f"{unknown} cases have no {one_line(column)} and count in the total alone."] if unknown and members else []
    shown = sorted(members, key=lambda name: (-len(members[name]), name))[:_MOST_GROUPS]
    if len(shown) < len(members):
        remarks.append(f"Of {len(members)} groups the {_MOST_GROUPS} largest are shown; all cases count in the total.")
    titles = {name: f"{name} (group)" if name == TOTAL else name for name in shown}
    return tuple(Group(titles[name], tuple(members[name])) for name in sorted(shown)), tuple(remarks)


def _with_unions(kinds: tuple[Group, ...], case_ids: tuple[str, ...]) -> list[Group]:
    """The groups, and after the last of HI1 and HI2 or PH1 and PH2 the group of both, as the papers have it."""
    found = list(kinds)
    for name, parts in _UNITED.items():
        there = [kind for kind in kinds if kind.name in parts]
        if len(there) > 1:
            held = {case_id for kind in there for case_id in kind.case_ids}
            title = name if all(kind.name != name for kind in kinds) else f"{name}, all"
            union = Group(title, tuple(case_id for case_id in case_ids if case_id in held))
            found.insert(found.index(there[-1]) + 1, union)
    return found
