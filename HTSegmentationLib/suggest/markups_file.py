"""Proposed regions as 3D Slicer Markups (``.mrk.json``), one ROI box in each file.

The schema is Slicer's own:
https://github.com/Slicer/Slicer/tree/main/Modules/Loadable/Markups/Resources/Schema
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from HTSegmentationLib.errors import OutputError
from HTSegmentationLib.files import require_writable, write_json
from HTSegmentationLib.suggest.candidate import Candidate

_ENDING = ".mrk.json"

_SCHEMA = "https://raw.githubusercontent.com/slicer/slicer/master/Modules/Loadable/Markups/Resources/Schema/markups-schema-v1.0.3.json#"
"""What Slicer 5 writes and reads."""

_DECIMALS = 3
"""Micrometres are finer than any voxel."""


def require_rois_path(path: str | Path) -> None:
    """Checks that regions can be written under this name: a folder that is there, or a ``.mrk.json``.

    Raises:
        OutputError: They cannot, or the folder holds regions of an earlier search, which would pass for this one's.
    """
    target = Path(path)
    if not target.is_dir():
        if not target.name.lower().endswith(_ENDING):
            raise OutputError(target, "its name does not end in .mrk.json", "name a .mrk.json or a folder that is there")
        require_writable(target)
        return
    earlier = sorted(file.name for file in target.glob(f"region-*{_ENDING}"))
    if earlier:
        raise OutputError(target, f"it holds {earlier[0]} of an earlier search", "name an empty folder")
    require_writable(target / f"region-1{_ENDING}")


def write_rois(path: str | Path, candidates: Sequence[Candidate]) -> list[Path]:
    """Writes the boxes of candidates as Slicer ROIs.

    Into a folder, each goes as ``region-1.mrk.json`` and so on, since Slicer opens one markup from a file. Under a file's
    name, all go into one file, which ``htseg segment --roi`` reads as their union; without a candidate it holds none, so
    that nobody takes an earlier search's file for this one's.

    Args:
        path: A folder that is there, or a ``.mrk.json``.
        candidates: What to write.

    Returns:
        The files.

    Raises:
        OutputError: They cannot be written.
    """
    require_rois_path(path)
    target = Path(path)
    markups = [_markup(candidate, number) for number, candidate in enumerate(candidates, start=1)]
    if not target.is_dir():
        write_json(target, _content(markups))
        return [target]
    files = [target / f"region-{number}{_ENDING}" for number in range(1, len(markups) + 1)]
    for file, markup in zip(files, markups, strict=True):
        write_json(file, _content([markup]))
    return files


def _content(markups: list[dict[str, Any]]) -> dict[str, Any]:
    return {"@schema": _SCHEMA, "markups": markups}


def _markup(candidate: Candidate, number: int) -> dict[str, Any]:
    box = candidate.box
    # Row by row; its columns are the box's axes.
    orientation = [round(float(value), 9) for row in box.directions().T for value in row]
    center = [round(value, _DECIMALS) for value in box.center]
    return {
        "type": "ROI",
        "coordinateSystem": "LPS",
        "coordinateUnits": "mm",
        "locked": False,
        "fixedNumberOfControlPoints": False,
        "labelFormat": "%N-%d",
        "lastUsedControlPointNumber": 1,
        "roiType": "Box",
        "center": center,
        "orientation": orientation,
        "size": [round(value, _DECIMALS) for value in box.size],
        "insideOut": False,
        "controlPoints": [
            {
                "id": "1",
                "label": f"Region {number}",
                "description": candidate.reason,
                "associatedNodeID": "",
                "position": center,
                "orientation": [-1.0, -0.0, -0.0, -0.0, -1.0, -0.0, 0.0, 0.0, 1.0],
                "selected": True,
                "locked": False,
                "visibility": True,
                "positionStatus": "defined",
            }
        ],
        "measurements": [],
    }
