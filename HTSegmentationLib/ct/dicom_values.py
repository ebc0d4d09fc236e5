"""Values of DICOM attributes as plain Python; what is missing or malformed becomes None.

Files are untrusted: a number can be a word, a list can be too short, a sign can be wrong.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

_INT16_MAX, _UINT16_VALUES = 32767, 65536
"""The largest signed number of 16 bits, and how many numbers 16 bits hold."""

_AXES_TOLERANCE = 0.01
"""Row and column directions may differ by this from unit length and a right angle: files round them, some to two digits."""

_LONGEST_TEXT = 100
"""Longer texts than this are no descriptions, and would flood a message."""


def number_in(value: Any) -> float | None:
    """The value as a finite number."""
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if math.isfinite(found) else None


def numbers_in(value: Any, count: int) -> tuple[float, ...] | None:
    """The value as that many finite numbers."""
    found = [number_in(part) for part in parts_of_value(value)]
    whole = tuple(part for part in found if part is not None)
    return whole if len(whole) == len(found) == count else None


def positive_in(value: Any, count: int) -> tuple[float, ...] | None:
    """The value as that many numbers above zero."""
    found = numbers_in(value, count)
    return found if found and min(found) > 0 else None


def axes_in(value: Any) -> tuple[float, ...] | None:
    """Image Orientation as the unit vectors of row and column, six numbers; None if they are not at a right angle."""
    found = numbers_in(value, 6)
    if found is None:
        return None
    row, column = found[:3], found[3:]
    lengths = (math.hypot(*row), math.hypot(*column))
    cosine = sum(a * b for a, b in zip(row, column, strict=True))
    if max(abs(lengths[0] - 1), abs(lengths[1] - 1), abs(cosine)) > _AXES_TOLERANCE:
        return None
    return tuple(part / lengths[0] for part in row) + tuple(part / lengths[1] for part in column)


def padding_in(value: Any, limit: Any, signed: bool) -> tuple[int, int] | None:
    """First and last stored value of padding; scanners write it with the wrong sign, which is put right here."""
    first, last = _with_sign(value, signed), _with_sign(limit, signed)
    if first is None:
        return None
    return (first, first) if last is None else (min(first, last), max(first, last))


def parts_of_value(value: Any) -> list[Any]:
    """The parts of a value that may have none, one or many."""
    if value is None:
        return []
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str | bytes) else [value]


def text_in(value: Any) -> str | None:
    """Printable text without line breaks: what a file says is shown in messages of one line."""
    if value is None:
        return None
    printable = "".join(character if character.isprintable() else " " for character in str(value))
    return " ".join(printable.split())[:_LONGEST_TEXT] or None


def _with_sign(value: Any, signed: bool) -> int | None:
    found = number_in(int.from_bytes(value[:2], "little") if isinstance(value, bytes) else value)
    if found is None:
        return None
    wrapped = int(found) % _UINT16_VALUES
    return wrapped - _UINT16_VALUES if signed and wrapped > _INT16_MAX else wrapped
