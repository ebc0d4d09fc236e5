"""Taking a series apart where it holds more than one scan, and putting each part's slices in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from HTSegmentationLib.ct.dicom_find import MIN_SLICES, Series
from HTSegmentationLib.ct.dicom_header import SliceHeader
from HTSegmentationLib.ct.dicom_pixels import slice_hu
from HTSegmentationLib.errors import InputError
from HTSegmentationLib.remark import Remark, Severity

_AXIS_TOLERANCE = 1e-3
"""Directions of two slices of one scan differ by no more than this: 0.25 mm over a head."""

_SPACING_TOLERANCE = 1e-3
"""Pixel spacings of two slices of one scan differ by no more than this share: half a pixel over a head."""

_SAME_PLACE_MM = 0.01
"""Slices nearer to each other than this are at the same place: no scanner moves its table by so little."""

_MOST_PARTS = 9
"""An attribute that takes the slices into more parts than this does not tell scans apart, but slices."""


@dataclass(frozen=True)
class Part:
    """Slices of one series that make one scan.

    Args:
        slices: The slices in rising order along their normal, each place once.
        what: What sets this part apart from the series' others; empty if there are none.
        remarks: What was left out.
    """

    slices: tuple[SliceHeader, ...]
    what: str = ""
    remarks: tuple[Remark, ...] = ()


def parts_of(series: Series) -> list[Part]:
    """The scans in a series, by the place of their slices: mostly one.

    A series is taken apart where its slices differ in orientation, size or pixel spacing, and where different images lie
    at the same place (two kernels or two acquisitions under one UID). Images that differ from the others and are too few
    to be a scan are left out.

    Raises:
        InputError: The slices cannot be placed in the patient, or different images lie at the same place and no
            attribute tells them apart.
    """
    groups = _by_grid(series.slices)
    scans = [group for group in groups if len(group) >= MIN_SLICES]
    if not scans:
        raise _too_few(series)
    remarks = _left_out_remarks(series, sum(len(group) for group in groups) - sum(len(group) for group in scans))
    parts = [replace(part, remarks=part.remarks + remarks) for group in scans for part in _each_place_once(group, series)]
    return [replace(part, what=_difference(part, parts)) for part in parts] if len(parts) > 1 else parts


def normal_of(header: SliceHeader) -> np.ndarray:
    """LPS unit vector across a slice that can be placed."""
    axes = np.array(header.orientation)
    return np.cross(axes[:3], axes[3:])


def _by_grid(slices: tuple[SliceHeader, ...]) -> list[list[SliceHeader]]:
    groups: list[list[SliceHeader]] = []
    for header in slices:
        if header.missing_geometry:
            continue
        group = next((group for group in groups if _same_plane_grid(group[0], header)), None)
        if group is None:
            groups.append([header])
        else:
            group.append(header)
    return sorted(groups, key=len, reverse=True)


def _same_plane_grid(first: SliceHeader, second: SliceHeader) -> bool:
    if (first.rows, first.columns) != (second.rows, second.columns):
        return False
    axes = np.abs(np.subtract(first.orientation, second.orientation)).max()
    spacing = np.abs(np.divide(first.spacing, second.spacing) - 1).max()
    return bool(axes <= _AXIS_TOLERANCE and spacing <= _SPACING_TOLERANCE)


def _each_place_once(group: list[SliceHeader], series: Series) -> list[Part]:
    """The group in order, without duplicates; several parts where different images lie at the same place."""
    places = _places(group)
    doubled = [place for place in places if len(place) > 1]
    dropped: set[int] = set()
    conflict = False
    for place in doubled:
        first = slice_hu(place[0])[0]
        for other in place[1:]:
            apart = np.linalg.norm(np.subtract(other.position, place[0].position))
            if apart <= _SAME_PLACE_MM and np.array_equal(first, slice_hu(other)[0]):
                dropped.add(id(other))
            else:
                conflict = True
    if conflict:
        return _told_apart(group, series)
    kept = tuple(header for place in places for header in place if id(header) not in dropped)
    if not dropped:
        return [Part(kept)]
    text = f"{len(dropped)} of {len(group)} slices were found twice, with the same pixels at the same place, and dropped."
    return [Part(kept, remarks=(Remark("duplicates-dropped", text),))]


def _places(group: list[SliceHeader]) -> list[list[SliceHeader]]:
    """The slices in rising order, those in the same plane together, in an order that does not depend on file names."""
    normal = normal_of(group[0])

    def depth(header: SliceHeader) -> float:
        return float(normal @ np.array(header.position))

    ordered = sorted(group, key=lambda header: (depth(header), header.traits, header.frame or 0, str(header.path)))
    places: list[list[SliceHeader]] = []
    for header in ordered:
        if places and depth(header) - depth(places[-1][0]) <= _SAME_PLACE_MM:
            places[-1].append(header)
        else:
            places.append([header])
    return places


def _told_apart(group: list[SliceHeader], series: Series) -> list[Part]:
    names = list(dict.fromkeys(name for header in group for name, _ in header.traits))
    for name in names:
        by_value: dict[str, list[SliceHeader]] = {}
        for header in group:
            by_value.setdefault(dict(header.traits).get(name, "none"), []).append(header)
        if not 1 < len(by_value) <= _MOST_PARTS or min(len(part) for part in by_value.values()) < MIN_SLICES:
            continue
        if all(len(place) == 1 for part in by_value.values() for place in _places(part)):
            return [
                Part(tuple(place[0] for place in _places(part)), f"{name} {value}"[:60])
                for value, part in sorted(by_value.items())
            ]
    places = [place for place in _places(group) if len(place) > 1]
    problem = f"series {series.number or series.uid} holds different images at {len(places)} places"
    raise InputError(places[0][0].path.parent, problem, "put the files of one scan into a folder of their own")


def _left_out_remarks(series: Series, odd: int) -> tuple[Remark, ...]:
    remarks = []
    if series.left_out:
        listed = ", ".join(f"{count} x {what}" for what, count in series.left_out)
        remarks.append(
            Remark("no-slices-left-out", f"Images of the series that are no slices of the scan were left out: {listed}.")
        )
    if odd:
        text = f"{odd} of the series' {len(series.slices)} images were left out, since they differ from the others in "
        remarks.append(Remark("odd-slices-left-out", f"{text}orientation, size or pixel spacing.", Severity.CAUTION))
    unplaced = Counter(header.missing_geometry for header in series.slices if header.missing_geometry)
    for name, count in unplaced.items():
        text = f"{count} of the series' {len(series.slices)} images were left out, since their {name} is missing or wrong."
        remarks.append(Remark("unplaced-slices-left-out", text, Severity.CAUTION))
    return tuple(remarks)


def _too_few(series: Series) -> InputError:
    header = next((header for header in series.slices if header.missing_geometry), series.slices[0])
    if header.missing_geometry:
        problem = f"its {header.missing_geometry} is missing or wrong, so that the slice cannot be placed in the patient"
        return InputError(header.path, problem, "export the series again with its positions")
    problem = f"series {series.number or series.uid} has {len(series.slices)} slices of no common orientation and size"
    return InputError(
        header.path.parent, f"{problem}, at least {MIN_SLICES} are needed", "give the folder of the whole scan"
    )


def _difference(part: Part, parts: list[Part]) -> str:
    """What a user reads to choose: what told the parts apart, or their planes if these differ."""
    planes = {_plane(other.slices[0]) for other in parts}
    words = [_plane(part.slices[0])] if len(planes) > 1 else []
    return ", ".join([*words, part.what] if part.what else words)


def _plane(header: SliceHeader) -> str:
    name: Callable[[int], str] = ("sagittal", "coronal", "axial").__getitem__
    plane = name(int(np.argmax(np.abs(normal_of(header)))))
    spacing = header.spacing or (0.0, 0.0)
    return f"{plane} {header.columns} x {header.rows} at {spacing[1]:.2f} mm"
