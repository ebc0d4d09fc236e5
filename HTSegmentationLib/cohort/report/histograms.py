"""Histograms of DSC and AUC by group, as Figures 2 and 3 of the adaptive-threshold paper."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from HTSegmentationLib.cohort.cells import number, one_line
from HTSegmentationLib.cohort.evaluation.cohort import Cohort
from HTSegmentationLib.cohort.report.content import Picture
from HTSegmentationLib.cohort.report.style import ALL_CASES, drawing, look, new_figure, short

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_PANELS = 6
"""Groups side by side."""

_COLUMNS = 3

_BINS = np.round(np.linspace(0, 1, 11), 1)
"""Of shares: as in the paper."""


def share_histogram(cohort: Cohort, column: str, title: str) -> Picture | None:
    """The histogram of DSC or AUC of the main method, of all cases and of each group; None without a value."""
    method = cohort.methods[0]
    shown = [(cohort.total, None), *((kind, place) for place, kind in enumerate(cohort.kinds))]
    groups = [
        (group.name, place, [value for value in cohort.values(method, column, group) if value is not None])
        for group, place in shown[:_MOST_PANELS]
    ]
    groups = [group for group in groups if group[-1]]
    if not groups:
        return None
    seen = [
        f"{one_line(name)}: {len(values)} cases from {min(values):.2f} to {max(values):.2f}, mean {np.mean(values):.2f}, "
        f"most in {_fullest(values)}"
        for name, _, values in groups
    ]
    more = len(shown) - _MOST_PANELS
    caption = f"{title} of {method.name}: how many cases reach which value. Dashed: the mean."
    caption += f" More groups ({more}) are in the tables." if more > 0 else ""
    key = f"histogram_{column}"
    return Picture(key, caption, f"Histograms of {title}. {'; '.join(seen)}.", partial(_draw_shares, groups, title))


def _fullest(values: list[float]) -> str:
    counts, _ = np.histogram(values, _BINS)
    place = int(np.argmax(counts))
    return f"{_BINS[place]:.1f} to {_BINS[place + 1]:.1f} ({counts[place]})"


def _draw_shares(groups: list[tuple[str, int | None, list[float]]], title: str) -> Figure:
    with drawing():
        columns = min(_COLUMNS, len(groups))
        rows = -(-len(groups) // columns)
        figure = new_figure(6.9, 2.45 * rows)
        panels = figure.subplots(rows, columns, sharex=True, squeeze=False).ravel()
        for axes, (name, place, values) in zip(panels, groups, strict=False):
            style = ALL_CASES if place is None else look(place)
            axes.hist(values, bins=_BINS, color=style.color, alpha=0.85, edgecolor="white", hatch=style.hatch, linewidth=0.8)
            mean = float(np.mean(values))
            axes.axvline(mean, color="black", linestyle="--", linewidth=1.2)
            axes.set_title(f"{short(name)}\nn = {len(values)}, mean {number(mean)}", fontsize=9)
            axes.set(xlim=(0, 1), xticks=np.arange(0, 1.01, 0.2), xlabel=title)
            axes.xaxis.set_tick_params(labelbottom=True)
            axes.yaxis.get_major_locator().set_params(integer=True)
            axes.grid(visible=False, axis="x")
        for axes in panels[:: max(columns, 1)]:
            axes.set_ylabel("Cases")
        for axes in panels[len(groups) :]:
            axes.set_visible(False)
        return figure
