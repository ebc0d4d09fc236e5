"""Methods side by side: box plots of DSC and of the volume's error."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from HTSegmentationLib.cohort.cells import number, one_line
from HTSegmentationLib.cohort.evaluation.cohort import Cohort
from HTSegmentationLib.cohort.report.content import Picture
from HTSegmentationLib.cohort.report.style import drawing, look, new_figure, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_GROUPS = 5
"""Groups of boxes beside each other."""

_MOST_METHODS = 6

_MOST_POINTS = 200
"""Cases that are drawn beside a box; of more, the box tells all."""

Boxes = list[tuple[str, list[tuple[str, list[float]]]]]


def methods_picture(cohort: Cohort) -> Picture | None:
    """Box plots of DSC and of the volume difference of each method and group; None without a value."""
    dices, errors = _boxes(cohort, "dice"), _boxes(cohort, "volume_difference_ml")
    if not any(values for _, methods in dices for _, values in methods):
        return None
    seen = [
        f"{one_line(method)}, {one_line(group)}: {number(float(np.median(values)))}"
        for group, methods in dices
        for method, values in methods
        if values
    ]
    caption = (
        "DSC and volume difference (mask less reference) by method and group. Box: quartiles, line: median, diamond: mean, "
        "whiskers: to the farthest case within 1.5 interquartile ranges, points: cases."
    )
    return Picture("methods", caption, f"Box plots. Median DSC of {'; '.join(seen)}.", partial(_draw, dices, errors))


def _boxes(cohort: Cohort, column: str) -> Boxes:
    return [
        (
            group.name,
            [
                (method.name, [value for value in cohort.values(method, column, group) if value is not None])
                for method in cohort.methods[:_MOST_METHODS]
            ],
        )
        for group in (cohort.total, *cohort.kinds)[:_MOST_GROUPS]
    ]


def _draw(dices: Boxes, errors: Boxes) -> Figure:
    from matplotlib.patches import Patch

    with drawing():
        figure = new_figure(6.9, 3.5)
        panels = figure.subplots(1, 2)
        for axes, boxes, title in zip(panels, (dices, errors), ("DSC", "Volume difference (mL)"), strict=True):
            _draw_boxes(axes, boxes)
            axes.set_ylabel(title)
        panels[0].set_ylim(-0.02, 1.02)
        panels[1].axhline(0, color="black", linewidth=0.7)
        methods = [name for name, _ in dices[0][1]]
        handles = [
            Patch(facecolor=look(place).color, edgecolor="black", hatch=look(place).hatch, alpha=0.65, label=short(name))
            for place, name in enumerate(methods)
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=min(len(methods), 3), fontsize=8)
        return figure


def _draw_boxes(axes: Axes, boxes: Boxes) -> None:
    count = len(boxes[0][1])
    width = 0.8 / count
    jitter = np.random.default_rng(0)
    for column, (_, methods) in enumerate(boxes):
        for place, (_, values) in enumerate(methods):
            if not values:
                continue
            middle, style = column - 0.4 + width * (place + 0.5), look(place)
            axes.boxplot(
                [values],
                positions=[middle],
                widths=width * 0.8,
                showfliers=False,
                showmeans=True,
                patch_artist=True,
                boxprops={"facecolor": style.color, "alpha": 0.65, "hatch": style.hatch, "linewidth": 0.8},
                medianprops={"color": "black", "linewidth": 1.6},
                meanprops={"marker": "D", "markerfacecolor": "white", "markeredgecolor": "black", "markersize": 4},
            )
            if len(values) <= _MOST_POINTS:
                x = middle + jitter.uniform(-0.25, 0.25, len(values)) * width
                axes.plot(x, values, linestyle="none", marker=style.marker, markersize=2.2, color="black", alpha=0.5)
    axes.set_xticks(range(len(boxes)), [f"{short(name)}\n{_counts(methods)}" for name, methods in boxes])
    axes.set_xlim(-0.55, len(boxes) - 0.45)
    axes.grid(visible=False, axis="x")


def _counts(methods: list[tuple[str, list[float]]]) -> str:
    """How many cases the methods have, below each other; once if all have the same."""
    counts = [len(values) for _, values in methods]
    return f"n = {counts[0]}" if len(set(counts)) == 1 else "n = " + "\n".join(map(str, counts))
