"""Volumes of mask and reference: scatter with the line of identity, Bland and Altman's plot, and DSC against the volume."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from HTSegmentationLib.cohort.cells import interval, number, one_line
from HTSegmentationLib.cohort.evaluation.cohort import Cohort
from HTSegmentationLib.cohort.evaluation.results import MethodResults
from HTSegmentationLib.cohort.evaluation.volumes import pairs_of
from HTSegmentationLib.cohort.report.content import Picture
from HTSegmentationLib.cohort.report.style import GREY, drawing, legend_below, look, new_figure, plain_log_axis, short
from HTSegmentationLib.measure.statistics import BlandAltman, LinearFit, bland_altman, linear_fit, lins_ccc

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

_MOST_OUTLIERS = 5
"""Cases that are named; more names would cover each other."""

_OUTLYING_SD = 1.96
"""A case is named if its difference lies this many SD from the bias, as outside Bland and Altman's limits."""

_NAME_RISE_POINTS, _NAME_HEIGHT_POINTS, _NAME_WIDTH_POINTS = 2.0, 9.5, 110.0
"""How far a name stands above its point, and the room that it takes."""

_POINTS_PER_INCH = 72.0

_PALE = {"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.5}
"""Behind a name, so that it can be read among points."""

_MOST_GROUPS = 8
"""Groups with a look of their own."""


@dataclass(frozen=True)
class Points:
    """The cases of a method that have both volumes.

    Args:
        case_ids: The cases.
        group_names: The group of each; empty where it has none.
        references: Reference volume in mL of each.
        masks: The mask's volume in mL of each.
    """

    case_ids: tuple[str, ...]
    group_names: tuple[str, ...]
    references: np.ndarray
    masks: np.ndarray

    @property
    def outliers(self) -> list[int]:
        """Positions of the cases outside the limits of agreement, the farthest first, a few at most."""
        differences = self.masks - self.references
        if differences.size < 3:  # noqa: PLR2004  (of two, both lie where they lie)
            return []
        far = np.abs(differences - differences.mean())
        order = np.argsort(-far, kind="stable")[:_MOST_OUTLIERS]
        return [int(place) for place in order if far[place] > _OUTLYING_SD * differences.std(ddof=1) > 0]


def points_of(cohort: Cohort, method: MethodResults) -> Points:
    """The volumes of a method's cases."""
    masks, references = pairs_of(cohort, method, cohort.total)
    kind_of = {case_id: kind.name for kind in cohort.kinds[:_MOST_GROUPS] for case_id in kind.case_ids}
    kept = [
        (case_id, kind_of.get(case_id, ""), reference, mask)
        for case_id, reference, mask in zip(cohort.total.case_ids, references, masks, strict=True)
        if reference is not None and mask is not None
    ]
    case_ids, kinds, true, found = zip(*kept, strict=True) if kept else ((), (), (), ())
    return Points(case_ids, kinds, np.array(true, dtype=float), np.array(found, dtype=float))


def concordance_picture(cohort: Cohort, method: MethodResults) -> Picture | None:
    """Mask against reference volume with the line of identity; None without a pair."""
    points = points_of(cohort, method)
    if not points.case_ids:
        return None
    agreement, fit = lins_ccc(points.masks, points.references), linear_fit(points.references, points.masks)
    seen = f"Scatter plot of {len(points.case_ids)} cases, reference {_range(points.references)} mL, "
    seen += f"mask {_range(points.masks)} mL. "
    if agreement.ccc is not None:
        seen += f"Lin's CCC {number(agreement.ccc)}"
        seen += f" ({interval(agreement.interval.low, agreement.interval.high)})" if agreement.interval else ""
        seen += ". "
    seen += _outliers_in_words(points)
    caption = (
        f"Volume of the mask of {method.name} against that of the reference. Solid: identity; dashed: the fitted line. "
        "Named: cases outside the limits of agreement."
    )
    return Picture(
        f"concordance_{one_line(method.name)}", caption, seen, partial(_draw_scatter, points, fit, _kinds(cohort))
    )


def limits_picture(cohort: Cohort, method: MethodResults) -> Picture | None:
    """Bland and Altman's plot; None for fewer than two pairs."""
    points = points_of(cohort, method)
    limits = bland_altman(points.masks, points.references)
    if limits.bias is None or limits.lower is None or limits.upper is None:
        return None
    outside = int(
        ((points.masks - points.references < limits.lower) | (points.masks - points.references > limits.upper)).sum()
    )
    seen = f"Bland-Altman plot of {limits.n} cases: bias {number(limits.bias, 2, sign=True)} mL, limits of agreement "
    seen += f"{interval(limits.lower, limits.upper, 1)} mL; {outside} cases outside. {_outliers_in_words(points)}"
    caption = (
        f"Difference of the volumes of {method.name} and the reference against their mean. Solid: bias; dashed: limits of "
        "agreement (1.96 SD); shaded: their 95% intervals."
    )
    return Picture(f"limits_{one_line(method.name)}", caption, seen, partial(_draw_limits, points, limits, _kinds(cohort)))


def dice_by_volume_picture(cohort: Cohort, method: MethodResults) -> Picture | None:
    """DSC against the reference's volume; None if no case has both and a bleed."""
    dices, volumes = cohort.values(method, "dice"), cohort.values(method, "reference_volume_ml")
    kind_of = {case_id: kind.name for kind in cohort.kinds[:_MOST_GROUPS] for case_id in kind.case_ids}
    kept = [
        (case_id, kind_of.get(case_id, ""), volume, dice)
        for case_id, volume, dice in zip(cohort.total.case_ids, volumes, dices, strict=True)
        if volume and dice is not None
    ]
    if not kept:
        return None
    case_ids, kinds, true, found = zip(*kept, strict=True)
    points = Points(case_ids, kinds, np.array(true), np.array(found))
    middle = float(np.median(points.references))
    small, large = points.masks[points.references <= middle], points.masks[points.references > middle]
    seen = f"Scatter plot of {len(case_ids)} cases. Mean DSC of those up to {number(middle, 1)} mL: {number(small.mean())}"
    seen += f"; of larger ones: {number(large.mean())}." if large.size else "."
    empty = sum(volume == 0 for volume in volumes)
    caption = f"DSC of {method.name} against the volume of the reference, on a logarithmic scale."
    caption += f" {empty} cases with an empty reference are not shown." if empty else ""
    return Picture(f"dice_volume_{one_line(method.name)}", caption, seen, partial(_draw_dice, points, _kinds(cohort)))


def _kinds(cohort: Cohort) -> tuple[str, ...]:
    return tuple(kind.name for kind in cohort.kinds[:_MOST_GROUPS])


def _draw_scatter(points: Points, fit: LinearFit, kinds: tuple[str, ...]) -> Figure:
    from matplotlib.lines import Line2D

    with drawing():
        figure = new_figure(4.3, 4.5)
        axes = figure.subplots()
        end = float(max(points.references.max(), points.masks.max(), 0.1)) * 1.08
        axes.plot([0, end], [0, end], color="black", linewidth=1.0)
        lines = [Line2D([], [], color="black", linewidth=1.0, label="Identity")]
        if fit.slope is not None and fit.intercept is not None:
            ends = np.array([0, end])
            axes.plot(ends, fit.intercept + fit.slope * ends, color=GREY, linestyle="--", linewidth=1.2)
            label = f"Fitted: {number(fit.slope)} x reference {number(fit.intercept, 1, sign=True)} mL"
            lines.append(Line2D([], [], color=GREY, linestyle="--", linewidth=1.2, label=label))
        handles = _scattered(axes, points.references, points.masks, points.group_names, kinds)
        axes.set(xlim=(0, end), ylim=(0, end), xlabel="Reference (mL)", ylabel="Mask (mL)")
        axes.set_aspect("equal")
        _name(axes, points, points.references, points.masks)
        legend_below(axes, [*handles, *lines], 2)
        return figure


def _draw_limits(points: Points, limits: BlandAltman, kinds: tuple[str, ...]) -> Figure:
    with drawing():
        figure = new_figure(6.9, 3.7)
        axes = figure.subplots()
        middles, differences = (points.masks + points.references) / 2, points.masks - points.references
        for value, bounds, line, name in (
            (limits.bias, limits.bias_interval, "-", "Bias"),
            (limits.lower, limits.lower_interval, "--", "Lower limit"),
            (limits.upper, limits.upper_interval, "--", "Upper limit"),
        ):
            if bounds is not None:
                axes.axhspan(bounds.low, bounds.high, color="#0072B2", alpha=0.10, linewidth=0)
            axes.axhline(value, color="black", linestyle=line, linewidth=1.1)
            text = f"{name} {number(value, 1, sign=True)}"
            place = {"xycoords": ("axes fraction", "data"), "xytext": (3, 0), "textcoords": "offset points"}
            axes.annotate(text, (1.0, value), va="center", ha="left", fontsize=8, annotation_clip=False, **place)
        axes.axhline(0, color=GREY, linewidth=0.6)
        handles = _scattered(axes, middles, differences, points.group_names, kinds)
        axes.set(xlabel="Mean of mask and reference (mL)", ylabel="Mask less reference (mL)")
        axes.set_ylim(axes.get_ylim())
        _name(axes, points, middles, differences)
        legend_below(axes, handles, 4)
        return figure


def _draw_dice(points: Points, kinds: tuple[str, ...]) -> Figure:
    with drawing():
        figure = new_figure(6.9, 3.3)
        axes = figure.subplots()
        plain_log_axis(axes, points.references.tolist())
        handles = _scattered(axes, points.references, points.masks, points.group_names, kinds)
        axes.set(ylim=(-0.02, 1.02), xlabel="Volume of the reference (mL)", ylabel="DSC")
        legend_below(axes, handles, 4)
        return figure


def _scattered(axes: Axes, x: np.ndarray, y: np.ndarray, names: Sequence[str], kinds: tuple[str, ...]) -> list[Line2D]:
    """The points, each group with its colour and marker; gives what a legend shows."""
    from matplotlib.lines import Line2D

    handles = []
    for place, kind in enumerate((*kinds, "")):
        chosen = np.array([name == kind for name in names], dtype=bool)
        if not chosen.any():
            continue
        style = look(place)
        look_of = {"marker": style.marker, "markersize": 5.5, "markerfacecolor": style.color, "markeredgecolor": "white"}
        look_of |= {"linestyle": "none", "markeredgewidth": 0.5, "alpha": 0.85}
        axes.plot(x[chosen], y[chosen], **look_of)
        if kinds:
            handles.append(Line2D([], [], label=short(kind) if kind else "no group", **look_of))
    return handles


def _name(axes: Axes, points: Points, x: np.ndarray, y: np.ndarray) -> None:
    """Writes the outliers' names beside their points, on the side that has more room and none upon another."""
    per_point = axes.figure.dpi / _POINTS_PER_INCH
    taken: list[tuple[bool, float, float]] = []
    for place in sorted(points.outliers, key=lambda place: y[place]):
        right = bool(x[place] < x.max() * 0.6)
        left, level = axes.transData.transform((x[place], y[place])) / per_point
        height = level + _NAME_RISE_POINTS
        for side, other_left, other_height in taken:
            if side == right and abs(left - other_left) < _NAME_WIDTH_POINTS:
                height = max(height, other_height + _NAME_HEIGHT_POINTS)
        taken.append((right, left, height))
        shift = (6 if right else -6, height - level)
        moved = shift[1] > _NAME_RISE_POINTS + 1
        line = {"arrowstyle": "-", "color": GREY, "linewidth": 0.5, "shrinkA": 0, "shrinkB": 2} if moved else None
        look_of = {"ha": "left" if right else "right", "va": "bottom", "fontsize": 7.5, "arrowprops": line, "bbox": _PALE}
        text = short(one_line(points.case_ids[place]))
        axes.annotate(text, (x[place], y[place]), shift, textcoords="offset points", **look_of)


def _outliers_in_words(points: Points) -> str:
    named = [f"{one_line(points.case_ids[n])} ({points.masks[n] - points.references[n]:+.1f} mL)" for n in points.outliers]
    return f"Farthest from the reference: {', '.join(named)}." if named else "No case lies outside the limits of agreement."


def _range(values: np.ndarray) -> str:
    return f"{number(float(values.min()), 1)} to {number(float(values.max()), 1)}"
