"""A picture of two aligned scans of one patient: the same slices above each other, with both bleeds outlined."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.export.axial_view import AxialView, chosen_slices
from HTSegmentationLib.export.preview import (
    COLUMNS,
    MOST_SLICES,
    OUTLINES,
    blank_page,
    draw_outline,
    draw_scale_bar,
    head_part,
    height_in_words,
    require_preview_path,
    show_slice,
    write_in,
)
from HTSegmentationLib.files import written_whole
from HTSegmentationLib.measure.mask import require_same_grid

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_BASELINE, _FOLLOWUP = "reference", "mask"
"""Names of their outlines."""


def write_pair_preview(
    path: str | Path,
    images: tuple[sitk.Image, sitk.Image],
    masks: tuple[sitk.Image, sitk.Image],
    *,
    title: str = "",
    caption: str = "",
) -> None:
    """Draws slices of a baseline and, beneath each, the same slice of the follow-up, as a PNG file.

    The baseline's bleed is outlined in both, dashed; the follow-up's in its own. Shown are up to eight of the slices that
    hold either; that in which both together are largest is always among them. The view is that of :func:`write_preview`.

    Args:
        path: Ends in ``.png``.
        images: Baseline and follow-up in HU, both on the baseline's grid.
        masks: Their masks on that grid; above zero in the bleed.
        title: A line on top; leave the patient's name out of it.
        caption: Lines at the bottom, as the volumes in words.

    Raises:
        UsageError: The name does not end in ``.png``, or the grids differ.
        OutputError: The file cannot be written.
        MissingPackageError: matplotlib is not installed.

    Example:
        >>> write_pair_preview("compare.png", (first, second), (bleed, grown), caption="+4.2 mL")   # doctest: +SKIP
    """
    require_preview_path(path)
    for name, image in (("follow-up scan", images[1]), ("baseline mask", masks[0]), ("follow-up mask", masks[1])):
        require_same_grid(image, images[0], name, "baseline scan")
    figure = _draw(images, masks, title, caption)
    with written_whole(path) as temporary:
        figure.savefig(temporary, format="png", facecolor=figure.get_facecolor(), metadata={"Software": None})


def _draw(images: tuple[sitk.Image, sitk.Image], masks: tuple[sitk.Image, sitk.Image], title: str, caption: str) -> Figure:
    view = AxialView(images[0])
    outlines = {_BASELINE: masks[0] > 0, _FOLLOWUP: masks[1] > 0}
    numbers = chosen_slices(np.add(*(view.areas(outline) for outline in outlines.values())), MOST_SLICES)
    part = head_part(view, images[0], outlines, numbers)
    figure, grid, bottom = blank_page(view, part, len(numbers), title, caption)
    for place, number in enumerate(numbers):
        block, column = divmod(place, COLUMNS)
        for row, (name, image) in enumerate(zip(("baseline", "follow-up"), images, strict=True)):
            axes = figure.add_subplot(grid[2 * block + row, column])
            pixels = view.picture(image, number)[part]
            show_slice(axes, pixels, view)
            for outline in (_BASELINE, _FOLLOWUP)[: row + 1]:
                draw_outline(axes, view.picture(outlines[outline], number)[part], outline, view)
            write_in(axes, f"{name}\nslice {number} of {view.count}\n{height_in_words(view.height_mm(number))}")
            if place == 0 and row == 1:
                draw_scale_bar(axes, pixels.shape, view)
    _legend(figure, bottom)
    return figure


def _legend(figure: Figure, height: float) -> None:
    from matplotlib.lines import Line2D

    handles = []
    for name, label in ((_BASELINE, "Bleed in the baseline"), (_FOLLOWUP, "Bleed in the follow-up")):
        color, line, width = OUTLINES[name]
        handles.append(Line2D([], [], color=color, linestyle=line, linewidth=1.5 * width, label=label))
    place = {"loc": "upper left", "bbox_to_anchor": (0.0, height), "ncols": len(handles)}
    legend = figure.legend(handles=handles, frameon=False, fontsize=9, labelcolor="white", handlelength=2.6, **place)
    legend.set_in_layout(False)
