"""The rules of the adaptive threshold: how often each fired, and whether its borders suit the scanners of this cohort."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from HTSegmentationLib.cohort.cells import one_line
from HTSegmentationLib.cohort.evaluation.cohort import Cohort
from HTSegmentationLib.cohort.evaluation.results import MethodResults
from HTSegmentationLib.cohort.evaluation.rules_fired import borders, rules_of
from HTSegmentationLib.cohort.report.content import Picture
from HTSegmentationLib.cohort.report.style import drawing, look, new_figure, short

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from HTSegmentationLib.threshold.rules import Rule

_SD_STEP_HU = 0.5
"""Width of a bar of the histogram of SDs; a case this near to a border may fall to either side."""

_HIGHEST_SD_HU = 40.0
"""SDs above it share the last bar: HU confined to a window hardly pass it."""

_MOST_GROUPS = 6
"""Bars beside each other."""


def sd_histogram(cohort: Cohort, method: MethodResults) -> Picture | None:
    """The histogram of the first mask's SD with the borders of the rules; None if the method has no rules."""
    rule_numbers, deviations = cohort.values(method, "rule_number"), cohort.values(method, "first_mask_sd_hu")
    values = [sd for rule, sd in zip(rule_numbers, deviations, strict=True) if rule is not None and sd is not None]
    if not values:
        return None
    rules, told = rules_of(method)
    edges = borders(rules)
    counts = np.bincount([sum(value > edge for edge in edges) for value in values], minlength=len(rules))
    near = sum(any(abs(value - edge) <= _SD_STEP_HU for edge in edges) for value in values)
    seen = f"Histogram of the SD of the first mask of {len(values)} cases, from {min(values):.1f} to {max(values):.1f} HU, "
    seen += f"median {np.median(values):.1f}. Rules 1 to {len(rules)} hold {', '.join(map(str, counts))} cases; "
    seen += f"{near} cases lie within {_SD_STEP_HU:g} HU of a border."
    source = "" if told else " as published, since the results do not tell them"
    caption = (
        f"SD of the HU in the first mask of {method.name}, which chooses the second threshold. Vertical lines: borders of "
        f"the rules{source}; between them the rule's number and its second threshold in HU. Where most cases crowd at one "
        "border, or in the first or last rule, the cut-offs may not suit the scanners of this cohort."
    )
    return Picture(f"sd_{one_line(method.name)}", caption, seen, partial(_draw_deviations, values, rules))


def _draw_deviations(values: list[float], rules: tuple[Rule, ...]) -> Figure:
    edges = borders(rules)
    shown = np.minimum(values, _HIGHEST_SD_HU)
    with drawing():
        figure = new_figure(6.9, 3.0)
        axes = figure.subplots()
        end = max(float(shown.max()), max(edges, default=0.0) + 2.0) + _SD_STEP_HU
        axes.hist(
            shown, bins=np.arange(0, end + _SD_STEP_HU, _SD_STEP_HU), color=look(0).color, edgecolor="white", linewidth=0.6
        )
        top = axes.get_ylim()[1]
        axes.set_ylim(0, top * 1.28)
        limits = [0.0, *edges, end]
        for place, rule in enumerate(rules):
            low, high = limits[place], limits[place + 1]
            if place < len(edges):
                axes.axvline(edges[place], color=look(1).color, linestyle=("--", "-.", ":")[place % 3], linewidth=1.4)
            text = f"{place + 1}\n{rule.lower_hu:g}-{rule.upper_hu:g}"
            wide = high - low > 0
            axes.text(
                (low + high) / 2 if wide else 0.04, top * 1.25, text, ha="center" if wide else "left", va="top", fontsize=7.5
            )
        axes.set(xlim=(-0.15, end), xlabel="SD of the first mask (HU)", ylabel="Cases")
        axes.set_xticks(sorted({0.0, *edges, *np.arange(0, end, 5)}))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.grid(visible=False, axis="x")
        axes.yaxis.get_major_locator().set_params(integer=True)
        return figure


def rules_picture(cohort: Cohort, method: MethodResults) -> Picture | None:
    """How often each rule fired, by group; None if the method has no rules."""
    kinds = cohort.kinds or (cohort.total,)
    rules, _ = rules_of(method)
    counts = {}
    for kind in kinds[:_MOST_GROUPS]:
        fired = [int(value) for value in cohort.values(method, "rule_number", kind) if value is not None]
        counts[kind.name] = [fired.count(position) for position in range(1, len(rules) + 1)]
    if not any(map(sum, counts.values())):
        return None
    seen = "; ".join(f"{one_line(name)}: {', '.join(map(str, found))}" for name, found in counts.items())
    windows = [f"Rule {place}\n{rule.lower_hu:g}-{rule.upper_hu:g} HU" for place, rule in enumerate(rules, start=1)]
    caption = f"How often each rule of {method.name} fired, with its second threshold."
    text = f"Bar chart of the rules 1 to {len(rules)}. Cases by group: {seen}."
    return Picture(f"rules_{one_line(method.name)}", caption, text, partial(_draw_rules, counts, windows))


def _draw_rules(counts: dict[str, list[int]], windows: list[str]) -> Figure:
    with drawing():
        figure = new_figure(6.9, 2.6)
        axes = figure.subplots()
        width = 0.8 / len(counts)
        for place, (name, found) in enumerate(counts.items()):
            style = look(place)
            left = np.arange(len(windows)) - 0.4 + width * (place + 0.5)
            bars = axes.bar(left, found, width, color=style.color, hatch=style.hatch, edgecolor="white", label=short(name))
            axes.bar_label(bars, fontsize=7.5)
        axes.set_xticks(np.arange(len(windows)), windows)
        axes.set_ylabel("Cases")
        axes.margins(y=0.12)
        axes.grid(visible=False, axis="x")
        axes.yaxis.get_major_locator().set_params(integer=True)
        if len(counts) > 1:
            axes.legend(fontsize=8)
        return figure
