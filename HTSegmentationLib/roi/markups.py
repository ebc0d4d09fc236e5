"""Regions of interest from 3D Slicer Markups files (``.mrk.json``, schema 1.0.x).

Read are markups of type ROI (boxes of any orientation) and ClosedCurve. The schema is Slicer's own:
https://github.com/Slicer/Slicer/tree/main/Modules/Loadable/Markups/Resources/Schema
"""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from scipy.interpolate import CubicSpline

from HTSegmentationLib.errors import InputError, ROIError
from HTSegmentationLib.remark import Remark, Severity
from HTSegmentationLib.roi.shapes import LEAST_CURVE_POINTS, BoxShape, CurveShape, Shape

_LARGEST_FILE_BYTES = 20_000_000
"""Slicer writes about 600 bytes a control point; this is room for 30,000 of them."""

_MOST_POINTS = 20_000
"""More control points are no drawing."""

_LARGEST_COORDINATE_MM = 1e5
"""100 m; a number beyond it is no place in a scanner."""

_SPLINE_STEPS = 10
"""Points that Slicer draws for each control point of a spline (vtkMRMLMarkupsCurveNode)."""

_NO_TRANSFORM = 1e-9
"""A matrix that differs less from the identity moves nothing."""

_MM_PER_UNIT = {"mm": 1.0, "um": 1e-3, "cm": 10.0, "m": 1e3}
"""Length units by their UCUM code."""

_LPS_NAMES = {"LPS", "1", 1}
_RAS_NAMES = {"RAS", "0", 0}
"""How a file names its coordinate system; the numbers are those of Slicer's older files."""

_EXPECTED = "draw the region as ROI or Closed Curve in Slicer's Markups module and save it as .mrk.json"


def read_markups(path: str | Path) -> tuple[list[Shape], list[Remark]]:
    """Reads the boxes and closed curves of a Markups file.

    Coordinates are given in LPS mm, whatever the file's system and unit. Control points that were never placed are left
    out. Slicer does not save a closed curve's type: it is drawn as a cardinal spline through its control points, as Slicer
    draws it when it opens the file.

    Args:
        path: A ``.mrk.json`` file.

    Returns:
        The shapes in the file's order, and what the user must be told.

    Raises:
        InputError: The file cannot be read, is not a Markups file, or holds no shape that can be used.

    Example:
        >>> shapes, remarks = read_markups("R.mrk.json")   # doctest: +SKIP
    """
    return _Reader(path).shapes(_load(path))


def closed_spline(points: np.ndarray, steps: int = _SPLINE_STEPS) -> np.ndarray:
    """The closed cubic spline that Slicer draws through control points: periodic, all control points equally far apart.

    Args:
        points: Control points, shape (n, 3).
        steps: Number of points from one control point to the next.

    Returns:
        Points of the curve, shape (n * steps, 3), from the first control point on; the last is not the first again.
    """
    around = np.concatenate([points, points[:1]])
    spline = CubicSpline(np.arange(len(around)), around, bc_type="periodic")
    return spline(np.arange(len(points) * steps) / steps)


class _Reader:
    """Turns the content of one file into shapes; it keeps the file's name for messages and gathers remarks."""

    def __init__(self, path: str | Path) -> None:
        self._path = path
        self._remarks: list[Remark] = []

    def shapes(self, content: Any) -> tuple[list[Shape], list[Remark]]:
        markups = content.get("markups") if isinstance(content, dict) else None
        schema = content.get("@schema") if isinstance(content, dict) else None
        if not isinstance(markups, list) or not isinstance(schema, str):
            self._refuse('it is JSON but no Markups file ("@schema" and a list "markups" are expected)', _EXPECTED)
        version = re.search(r"markups-schema-v(\d+)\.", schema, re.IGNORECASE)
        if version is None or version[1] != "1":
            self._refuse(f"its schema is {schema[-60:]!r}, not Markups 1.x", _EXPECTED)
        shapes: list[Shape] = []
        others: list[str] = []
        for markup in markups:
            kind = markup.get("type") if isinstance(markup, dict) else None
            if kind not in {"ROI", "ClosedCurve"}:
                others.append(str(kind)[:40])
                continue
            try:
                shapes.append(self._box(markup) if kind == "ROI" else self._curve(markup))
            except ROIError as error:
                raise InputError(self._path, str(error), "save it from Slicer anew") from error
        self._judge_others(shapes, others)
        return shapes, list(dict.fromkeys(self._remarks))

    def _judge_others(self, shapes: list[Shape], others: list[str]) -> None:
        names = ", ".join(dict.fromkeys(others))
        if not shapes:
            found = f"it holds {names} only" if others else "it holds no markups"
            self._refuse(f"{found}, not an ROI or a ClosedCurve", _EXPECTED)
        if others:
            text = f"{len(others)} markups of the file that are no ROI or closed curve ({names}) were left out."
            self._remarks.append(Remark("roi-markups-left-out", text, Severity.CAUTION))

    def _box(self, markup: dict[str, Any]) -> BoxShape:
        kind = markup.get("roiType", "Box")
        if kind not in {"Box", "BoundingBox"}:
            self._refuse(f"its ROI has the type {str(kind)[:40]!r}, not Box or BoundingBox", _EXPECTED)
        if markup.get("insideOut", False) is not False:
            self._refuse("its ROI is inside out, so that it means everything but the box", "untick Inside out in Slicer")
        for key in ("baseToNode", "objectToBase", "objectToNode"):
            matrix = self._numbers(markup, key, 16) if key in markup else np.eye(4).ravel()
            if np.abs(matrix - np.eye(4).ravel()).max() > _NO_TRANSFORM:
                self._refuse(f'its ROI has a transform "{key}" of its own', "save it from a current Slicer")
        scale, flip = self._scale(markup), self._flip(markup)
        center = self._places(self._numbers(markup, "center", 3), scale) * flip
        size = self._places(self._numbers(markup, "size", 3), scale)
        # Row by row in the file; its columns are the box's axes.
        axes = (self._numbers(markup, "orientation", 9).reshape(3, 3) * flip[:, None]).T
        return BoxShape(tuple(center.tolist()), tuple(map(tuple, axes.tolist())), tuple(size.tolist()))

    def _curve(self, markup: dict[str, Any]) -> CurveShape:
        entries = markup.get("controlPoints")
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            self._refuse('its ClosedCurve has no list "controlPoints"', _EXPECTED)
        if len(entries) > _MOST_POINTS:
            self._refuse(f"its ClosedCurve has {len(entries)} control points, more than {_MOST_POINTS}", "draw it anew")
        placed = [entry for entry in entries if entry.get("positionStatus", "defined") == "defined"]
        if len(placed) < len(entries):
            text = f"{len(entries) - len(placed)} control points of the closed curve were never placed and were left out."
            self._remarks.append(Remark("roi-points-not-placed", text))
        if len(placed) < LEAST_CURVE_POINTS:
            raise ROIError(f"a closed curve has {len(placed)} placed points; it needs at least {LEAST_CURVE_POINTS}")
        points = np.array([self._numbers(entry, "position", 3) for entry in placed])
        points = self._places(points, self._scale(markup)) * self._flip(markup)
        if markup.get("curveType") != "linear":
            points = closed_spline(points)
            self._tell_spline(markup.get("curveType"))
        return CurveShape(tuple(map(tuple, points.tolist())))

    def _tell_spline(self, kind: Any) -> None:
        if kind is None:
            text = "The file does not tell the closed curve's type; it was taken as the smooth curve that 3D Slicer draws."
            self._remarks.append(Remark("roi-curve-smooth", text))
        elif kind != "cardinalSpline":
            text = f"A closed curve of the type {str(kind)[:40]} was drawn as a smooth curve through its control points."
            self._remarks.append(Remark("roi-curve-type", text, Severity.CAUTION))

    def _flip(self, markup: dict[str, Any]) -> np.ndarray:
        system = markup.get("coordinateSystem", "LPS")
        known = isinstance(system, (str, int)) and not isinstance(system, bool)
        if not known or system not in _LPS_NAMES | _RAS_NAMES:
            self._refuse(f"its coordinate system is {str(system)[:40]!r}, not LPS or RAS", "save it from Slicer anew")
        return np.ones(3) if system in _LPS_NAMES else np.array([-1.0, -1.0, 1.0])

    def _scale(self, markup: dict[str, Any]) -> float:
        unit = markup.get("coordinateUnits", "mm")
        if isinstance(unit, list) and "UCUM" in unit[1:2]:
            unit = unit[0]
        if not isinstance(unit, str) or unit not in _MM_PER_UNIT:
            self._refuse(f"its coordinate unit is {str(unit)[:40]!r}, not one of {', '.join(_MM_PER_UNIT)}", "use mm")
        if unit != "mm":
            self._remarks.append(Remark("roi-units", f"The ROI's coordinates are in {unit} and were converted to mm."))
        return _MM_PER_UNIT[unit]

    def _places(self, values: np.ndarray, scale: float) -> np.ndarray:
        scaled = values * scale
        if np.abs(scaled).max() > _LARGEST_COORDINATE_MM:
            found = f"{np.abs(scaled).max():.3g} mm"
            self._refuse(f"it holds a coordinate or size of {found}, which no scanner has", "draw it anew")
        return scaled

    def _numbers(self, holder: dict[str, Any], key: str, count: int) -> np.ndarray:
        values = holder.get(key)
        if not isinstance(values, list) or len(values) != count or not all(map(_is_number, values)):
            self._refuse(f'"{key}" is not a list of {count} finite numbers', "save it from Slicer anew")
        return np.array(values, dtype=float)

    def _refuse(self, problem: str, advice: str) -> NoReturn:
        raise InputError(self._path, problem, advice)


def _load(path: str | Path) -> Any:
    try:
        size = Path(path).stat().st_size
        if size > _LARGEST_FILE_BYTES:
            limit = f"{_LARGEST_FILE_BYTES / 1e6:.0f} MB"
            raise InputError(path, f"it is {size / 1e6:.0f} MB large, more than {limit}", _EXPECTED)
        return json.loads(Path(path).read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise InputError(path, (error.strerror or str(error)).lower(), "check the name and that you may read it") from error
    except (ValueError, RecursionError) as error:
        raise InputError(path, "it is no JSON text, or was cut off", _EXPECTED) from error


def _is_number(value: Any) -> bool:
    """Whether it is a number that a coordinate can be; JSON's true is an int to Python, 10**400 no float."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False
