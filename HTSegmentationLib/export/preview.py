"""A picture of a segmentation for a quick look: slices with and without the outlines, side by side."""

from __future__ import annotations

import importlib.util
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from HTSegmentationLib.ct.geometry import voxels_to_ml
from HTSegmentationLib.errors import MissingPackageError, UsageError
from HTSegmentationLib.export.axial_view import AxialView, chosen_slices
from HTSegmentationLib.files import require_writable, written_whole
from HTSegmentationLib.measure.mask import require_same_grid
from HTSegmentationLib.roi import Roi

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.gridspec import GridSpec

WINDOW_LEVEL_HU = 40.0
"""Middle of the grey scale: the usual brain window."""

WINDOW_WIDTH_HU = 80.0
"""Width of the grey scale: 0 HU is black, 80 HU is white."""

MOST_SLICES = 8
"""Slices in a picture; more would be too small to judge."""

COLUMNS = 4
"""Slices side by side; the outlines of each stand below its plain view."""

_PANEL_INCHES = 2.7
"""Edge of one view on paper; with the resolution below, 350 pixels."""

_DOTS_PER_INCH = 130

_LETTERS_PER_INCH = 14
"""How many letters of the caption fit into an inch."""

_AIR_HU = -300.0
"""Below it there is no tissue; the picture is cut to the head."""

_MARGIN_MM = 6.0
"""Left about the head."""

_SCALE_BAR_MM = 50.0
"""Length of the scale bar."""

OUTLINES = {
    "mask": ("#D55E00", "solid", 1.3),
    "reference": ("#56B4E9", (0, (4, 1.2)), 1.2),
    "roi": ("#F0E442", (0, (1.2, 1.8)), 0.9),
}
"""Colour, line and width of each outline. The colours are told apart by colour-blind readers (Okabe and Ito, 2008)."""


def require_preview_path(path: str | Path) -> None:
    """Checks that a picture can be drawn and written under this name, before any work is done.

    Raises:
        UsageError: The name does not end in ``.png``.
        OutputError: The folder is missing or cannot be written to.
        MissingPackageError: matplotlib is not installed.
    """
    if not str(path).lower().endswith(".png"):
        raise UsageError(f"{path}: pictures are written as .png; give a name that ends so")
    require_writable(path)
    if importlib.util.find_spec("matplotlib") is None:
        raise MissingPackageError("matplotlib", "to draw a picture", "report")


def write_preview(
    path: str | Path,
    image: sitk.Image,
    mask: sitk.Image,
    *,
    roi: Roi | None = None,
    reference: sitk.Image | None = None,
    title: str = "",
    caption: str = "",
) -> None:
    """Draws slices of a scan, each plain and with the outlines of mask, reference and ROI, as a PNG file.

    The view is the radiologists': the patient's right on the picture's left, anterior on top, in the brain window (level 40,
    width 80 HU). Shown are up to eight slices of those that hold mask or reference, else of those that hold the ROI; the
    slice of the mask's largest area is always among them.

    Args:
        path: Ends in ``.png``.
        image: The scan in HU, of any direction.
        mask: Label values on the scan's grid; everything above zero is outlined.
        roi: The region of interest.
        reference: A second mask to compare with, on the scan's grid.
        title: A line on top; leave the patient's name out of it.
        caption: Lines at the bottom, as the measurements in words.

    Raises:
        UsageError: The name does not end in ``.png``, or mask or reference lie on another grid.
        ROIError: The ROI was made for another grid.
        OutputError: The file cannot be written.
        MissingPackageError: matplotlib is not installed.

    Example:
        >>> write_preview("bleed.png", scan.image, result.mask, roi=roi, caption="12.3 mL")   # doctest: +SKIP
    """
    require_preview_path(path)
    require_same_grid(mask, image, "mask", "scan")
    outlines = {"mask": mask > 0}
    if reference is not None:
        require_same_grid(reference, image, "reference", "scan")
        outlines["reference"] = reference > 0
    if roi is not None:
        outlines["roi"] = roi.on_grid(image)
    figure = _draw(image, outlines, title, caption)
    with written_whole(path) as temporary:
        figure.savefig(temporary, format="png", facecolor=figure.get_facecolor(), metadata={"Software": None})


def _draw(image: sitk.Image, outlines: dict[str, sitk.Image], title: str, caption: str) -> Figure:
    view = AxialView(image)
    numbers = _numbers(view, outlines)
    part = head_part(view, image, outlines, numbers)
    figure, grid, bottom = blank_page(view, part, len(numbers), title, caption)
    for place, number in enumerate(numbers):
        block, column = divmod(place, COLUMNS)
        plain, outlined = (figure.add_subplot(grid[2 * block + row, column]) for row in (0, 1))
        pixels = view.picture(image, number)[part]
        for axes in (plain, outlined):
            show_slice(axes, pixels, view)
        write_in(plain, f"slice {number} of {view.count}\n{height_in_words(view.height_mm(number))}")
        for name, outline in outlines.items():
            draw_outline(outlined, view.picture(outline, number)[part], name, view)
        if place == 0:
            draw_scale_bar(outlined, pixels.shape, view)
    _legend(figure, outlines, bottom)
    return figure


def blank_page(
    view: AxialView, part: tuple[slice, slice], count: int, title: str, caption: str
) -> tuple[Figure, GridSpec, float]:
    """A page with title and caption, and room for two views of each slice, the one above the other.

    Args:
        view: How slices are seen.
        part: Rows and columns of the slices that are shown.
        count: How many slices.
        title: A line on top.
        caption: Lines at the bottom; long ones are wrapped.

    Returns:
        The page, places for the views, and where they end at the bottom as a share of the page.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = min(COLUMNS, count)
    width = _PANEL_INCHES * max(columns, 2)
    caption = "\n".join(textwrap.fill(line, round(_LETTERS_PER_INCH * width)) for line in caption.splitlines())
    blocks = -(-count // columns)
    shape = (part[0].stop - part[0].start) * view.pixel_mm[1] / ((part[1].stop - part[1].start) * view.pixel_mm[0])
    top, bottom = (0.45 if title else 0.12), 0.42 + 0.2 * len(caption.splitlines())
    height = top + bottom + blocks * 2 * width / columns * shape
    figure = Figure(figsize=(width, height), dpi=_DOTS_PER_INCH, facecolor="black")
    FigureCanvasAgg(figure)
    figure.text(0.01, 1 - 0.14 / height, title, color="white", fontsize=11, va="top")
    figure.text(0.01, 0.08 / height, caption, color="white", fontsize=8.5, va="bottom", linespacing=1.3)
    edges = {"left": 0, "right": 1, "top": 1 - top / height, "bottom": bottom / height}
    return figure, figure.add_gridspec(blocks * 2, columns, **edges, wspace=0.01, hspace=0.01), bottom / height


def _numbers(view: AxialView, outlines: dict[str, sitk.Image]) -> list[int]:
    """Which slices are shown: the mask's matter most, then the reference's, then the ROI's."""
    found = view.areas(outlines["mask"])
    if "reference" in outlines:
        true = view.areas(outlines["reference"])
        found = np.where(found, found, np.minimum(true, 1)) if found.any() else true
    if not found.any() and "roi" in outlines:
        found = view.areas(outlines["roi"])
    return chosen_slices(found, MOST_SLICES)


def head_part(
    view: AxialView, image: sitk.Image, outlines: dict[str, sitk.Image], numbers: list[int]
) -> tuple[slice, slice]:
    """Rows and columns of the picture that hold the head and all outlines."""
    shown = np.any([view.picture(image, number) > _AIR_HU for number in numbers], axis=0)
    parts, count = ndimage.label(shown)
    if count:
        shown = parts == np.argmax(np.bincount(parts[shown]))
    for outline in outlines.values():
        shown |= np.any([view.picture(outline, number) > 0 for number in numbers], axis=0)
    if not shown.any():
        shown[:] = True
    cut = []
    for axis, pixel in ((0, view.pixel_mm[1]), (1, view.pixel_mm[0])):
        held = np.flatnonzero(shown.any(axis=1 - axis))
        margin = round(_MARGIN_MM / pixel)
        cut.append(slice(max(held[0] - margin, 0), min(held[-1] + 1 + margin, shown.shape[axis])))
    return cut[0], cut[1]


def show_slice(axes: Axes, pixels: np.ndarray, view: AxialView) -> None:
    """Draws HU in the brain window, with the patient's sides written on it."""
    low, high = WINDOW_LEVEL_HU - WINDOW_WIDTH_HU / 2, WINDOW_LEVEL_HU + WINDOW_WIDTH_HU / 2
    rows, columns = pixels.shape
    extent = (0, columns * view.pixel_mm[0], rows * view.pixel_mm[1], 0)
    axes.imshow(pixels, cmap="gray", vmin=low, vmax=high, extent=extent, interpolation="bilinear", aspect="equal")
    axes.set_axis_off()
    for place, side, align in ((0.01, "R", "left"), (0.99, "L", "right")):
        axes.text(place, 0.5, side, color="white", fontsize=8, ha=align, va="center", transform=axes.transAxes)


def write_in(axes: Axes, text: str) -> None:
    """Writes into the upper left corner of a view."""
    axes.text(0.02, 0.98, text, color="white", fontsize=7, va="top", linespacing=1.25, transform=axes.transAxes)


def draw_outline(axes: Axes, area: np.ndarray, name: str, view: AxialView) -> None:
    """Draws the border of an area in the colour and line of that name in :data:`OUTLINES`."""
    if not area.any():
        return
    color, line, width = OUTLINES[name]
    # An outline at the picture's edge is closed there.
    padded = np.pad(area.astype(float), 1)
    across, down = view.pixel_mm
    x = (np.arange(padded.shape[1]) - 0.5) * across
    y = (np.arange(padded.shape[0]) - 0.5) * down
    limits = axes.get_xlim(), axes.get_ylim()
    axes.contour(x, y, padded, levels=[0.5], colors=[color], linestyles=[line], linewidths=[width])
    axes.set(xlim=limits[0], ylim=limits[1])


def draw_scale_bar(axes: Axes, shape: tuple[int, ...], view: AxialView) -> None:
    """Draws a bar of 50 mm into the lower right corner."""
    right, bottom = shape[1] * view.pixel_mm[0], shape[0] * view.pixel_mm[1]
    end, level = right - 0.04 * right, bottom - 0.035 * bottom
    axes.plot([end - _SCALE_BAR_MM, end], [level, level], color="white", linewidth=1.5, solid_capstyle="butt")
    text = f"{_SCALE_BAR_MM:.0f} mm"
    axes.text(end - _SCALE_BAR_MM / 2, level - 0.012 * bottom, text, color="white", fontsize=7, ha="center", va="bottom")


def _legend(figure: Figure, outlines: dict[str, sitk.Image], height: float) -> None:
    from matplotlib.lines import Line2D

    names = {"mask": "Segmentation", "reference": "Reference", "roi": "Region of interest"}
    handles = []
    for name, outline in outlines.items():
        color, line, width = OUTLINES[name]
        voxels = int(np.count_nonzero(sitk.GetArrayViewFromImage(outline)))
        label = f"{names[name]}, {voxels_to_ml(voxels, outline):.2f} mL"
        handles.append(Line2D([], [], color=color, linestyle=line, linewidth=1.5 * width, label=label))
    place = {"loc": "upper left", "bbox_to_anchor": (0.0, height), "ncols": len(handles)}
    legend = figure.legend(handles=handles, frameon=False, fontsize=9, labelcolor="white", handlelength=2.6, **place)
    legend.set_in_layout(False)


def height_in_words(millimetres: float) -> str:
    """A position along the head-foot axis: ``"S 12.5 mm"`` is superior."""
    side = "S" if millimetres >= 0 else "I"
    return f"{side} {abs(millimetres):.1f} mm"
