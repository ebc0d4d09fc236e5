"""One case at a glance: the slice that shows most of it, with the outlines of mask, reference and ROI."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.cohort.evaluation.results import CaseFiles
from HTSegmentationLib.cohort.report.style import drawing
from HTSegmentationLib.errors import HTSegError
from HTSegmentationLib.export.axial_view import AxialView
from HTSegmentationLib.export.preview import draw_outline, draw_scale_bar, show_slice
from HTSegmentationLib.measure.mask import require_same_grid
from HTSegmentationLib.roi import read_labels, read_roi

_INCHES, _DOTS_PER_INCH = 2.3, 170
"""Edge and resolution of the picture."""

_LEAST_SIDE_MM = 90.0
"""Side of the square that is shown at least: the bleed and enough about it to know the place."""

_MARGIN_MM = 10.0
"""Left about the outlines."""


def case_picture(files: CaseFiles) -> tuple[bytes, str]:
    """Draws the slice on which mask and reference have most voxels, in the brain window, seen from the patient's feet.

    It is cut to the surroundings of what is outlined, so that small bleeds are seen, too.

    Args:
        files: The case's images; CT and mask must be there.

    Returns:
        The picture as PNG, and the slice in words.

    Raises:
        HTSegError: A file is missing or cannot be read, or they lie on different grids.
    """
    for what, path in (("CT", files.image), ("mask", files.mask)):
        if path is None:
            raise HTSegError(f"the results do not tell where its {what} lies")
    for path in (files.image, files.mask, files.reference):
        if path is not None and not path.exists():
            raise HTSegError(f"{path.name} is not where it was when the cases were segmented")
    image = files.read_image().image
    outlines = {"mask": _binary(files.mask)}
    if files.reference is not None:
        outlines["reference"] = _binary(files.reference)
    for name, outline in outlines.items():
        require_same_grid(outline, image, name, "scan")
    shown = outlines["mask"] | outlines["reference"] if "reference" in outlines else outlines["mask"]
    if files.roi:
        outlines["roi"] = read_roi(files.roi, image).on_grid(image)
    view = AxialView(image)
    areas = view.areas(shown)
    slice_number = int(np.argmax(areas if areas.any() else view.areas(outlines.get("roi", shown)))) + 1
    return _draw(view, image, outlines, slice_number), f"slice {slice_number} of {view.count}"


def _binary(path: Path) -> sitk.Image:
    labels, _ = read_labels(path)
    return labels > 0


def _draw(view: AxialView, image: sitk.Image, outlines: dict[str, sitk.Image], slice_number: int) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    pixels = view.picture(image, slice_number)
    areas = {name: view.picture(outline, slice_number) > 0 for name, outline in outlines.items()}
    part = _surroundings(areas, view)
    with drawing():
        figure = Figure(figsize=(_INCHES, _INCHES), dpi=_DOTS_PER_INCH, facecolor="black")
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0, 0, 1, 1))
        show_slice(axes, pixels[part], view)
        for name, area in areas.items():
            draw_outline(axes, area[part], name, view)
        draw_scale_bar(axes, pixels[part].shape, view)
        target = io.BytesIO()
        figure.savefig(target, format="png", facecolor="black", metadata={"Software": None})
    return target.getvalue()


def _surroundings(areas: dict[str, np.ndarray], view: AxialView) -> tuple[slice, slice]:
    """Rows and columns of a square about all outlines, moved where it would leave the picture; all if there are none."""
    held = np.any(list(areas.values()), axis=0)
    if not held.any():
        return slice(None), slice(None)
    found = [np.flatnonzero(held.any(axis=1 - axis)) for axis in (0, 1)]
    pixels = (view.pixel_mm[1], view.pixel_mm[0])
    side = max(
        _LEAST_SIDE_MM,
        *((ends[-1] + 1 - ends[0]) * pixel + 2 * _MARGIN_MM for ends, pixel in zip(found, pixels, strict=True)),
    )
    cut = []
    for ends, pixel, count in zip(found, pixels, held.shape, strict=True):
        length = min(round(side / pixel), count)
        start = round((ends[0] + ends[-1] + 1) / 2 - length / 2)
        start = min(max(start, 0), count - length)
        cut.append(slice(start, start + length))
    return cut[0], cut[1]
