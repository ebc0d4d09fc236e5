"""Reads values out of JSON with a word for everything that is not as it should be."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeVar

from HTSegmentationLib.errors import ParameterError

_LONGEST_QUOTE = 60
"""Characters of a wrong value that a message repeats."""

LONGEST_LINE = 200
"""Characters of names, titles and the like."""

LONGEST_TEXT = 5000
"""Characters of citations, warnings and the like."""

_Value = TypeVar("_Value")


class Fields:
    """The fields of one JSON object.

    Each method gives one value, or raises a :class:`ParameterError` that names the key, what was found and what is allowed.

    Args:
        values: What JSON gave; anything but an object with known keys is refused.
        place: Where the object stands, as ``"input.normalization"``; empty for the whole file.
        known: The keys that are allowed.

    Raises:
        ParameterError: It is no object, or it has a key that is not known, such as a misspelt one.

    Example:
        >>> Fields({"overlap": 0.5}, "inference", ["overlap"]).number("overlap", low=0, high=1)
        0.5
    """

    def __init__(self, values: Any, place: str, known: Collection[str]) -> None:
        self._place = place
        if not isinstance(values, dict):
            raise ParameterError(f"{place or 'the whole'} is {quoted(values)}; allowed is an object with {listed(known)}")
        self._values = values
        for key in values:
            if key not in known:
                raise ParameterError(f"{self._path(str(key)[:LONGEST_LINE])} is not known; allowed are {listed(known)}")

    def has(self, key: str) -> bool:
        """Whether the key is there and is not null."""
        return self._values.get(key) is not None

    def refuse(self, key: str, allowed: str) -> ParameterError:
        """The error for a value that is not allowed."""
        found = quoted(self._values[key]) if key in self._values else "missing"
        return ParameterError(f"{self._path(key)} is {found}; allowed is {allowed}")

    def text(self, key: str, *, longest: int = LONGEST_LINE, empty: bool = False) -> str:
        """A text without control characters; one that may be empty may be missing, too."""
        value = self._values.get(key, "" if empty else None)
        plain = isinstance(value, str) and len(value) <= longest and (value.isprintable() or longest > LONGEST_LINE)
        if not plain or not (empty or value.strip()):
            raise self.refuse(key, f"a text of {0 if empty else 1} to {longest} characters")
        return value

    def matching(self, key: str, pattern: str, allowed: str) -> str:
        """A text that fits a regular expression as a whole."""
        value = self._values.get(key)
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise self.refuse(key, allowed)
        return value

    def choice(self, key: str, choices: Sequence[str]) -> str:
        """One of some words."""
        value = self._values.get(key)
        if not isinstance(value, str) or value not in choices:
            raise self.refuse(key, " or ".join(map(repr, choices)))
        return value

    def flag(self, key: str) -> bool:
        """True or false; false when missing."""
        value = self._values.get(key, False)
        if not isinstance(value, bool):
            raise self.refuse(key, "true or false")
        return value

    def whole(self, key: str, *, low: int, high: int) -> int:
        """A whole number in a range, its ends included."""
        value = self._values.get(key)
        if not _is_whole(value) or not low <= value <= high:
            raise self.refuse(key, f"a whole number from {low} to {high}")
        return value

    def number(self, key: str, *, low: float, high: float) -> float:
        """A number in a range, its ends included."""
        value = self._values.get(key)
        if not _is_number(value) or not low <= value <= high:
            raise self.refuse(key, f"a number from {low:g} to {high:g}")
        return float(value)

    def numbers(self, key: str, count: int, *, low: float, high: float, gaps: bool = False) -> tuple[float | None, ...]:
        """So many numbers in a range; with ``gaps``, entries may be null."""
        value = self._values.get(key)
        fits = isinstance(value, list) and len(value) == count
        if not fits or not all((gaps and n is None) or (_is_number(n) and low <= n <= high) for n in value):
            raise self.refuse(key, f"{count} numbers from {low:g} to {high:g}{', or null' if gaps else ''}")
        return tuple(None if entry is None else float(entry) for entry in value)

    def wholes(self, key: str, count: int, *, low: int, high: int) -> tuple[int, ...]:
        """So many whole numbers in a range."""
        value = self._values.get(key)
        fits = isinstance(value, list) and len(value) == count
        if not fits or not all(_is_whole(entry) and low <= entry <= high for entry in value):
            raise self.refuse(key, f"{count} whole numbers from {low} to {high}")
        return tuple(value)

    def words(self, key: str, choices: Sequence[str]) -> tuple[str, ...]:
        """Some of these words, each once and at least one."""
        value = self._values.get(key)
        fits = isinstance(value, list) and all(isinstance(entry, str) and entry in choices for entry in value)
        if not fits or not value or len(set(value)) != len(value):
            raise self.refuse(key, f"a list of {' and '.join(map(repr, choices))}, each at most once")
        return tuple(value)

    def part(self, key: str, read: Callable[[Any, str], _Value]) -> _Value:
        """A value that is read by a function of value and place."""
        return read(self._values.get(key), self._path(key))

    def parts(self, key: str, read: Callable[[Any, str], _Value], *, most: int) -> tuple[_Value, ...]:
        """A list of such values, at least one."""
        value = self._values.get(key)
        if not isinstance(value, list) or not 1 <= len(value) <= most:
            raise self.refuse(key, f"a list of 1 to {most} objects")
        return tuple(read(entry, f"{self._path(key)}[{number}]") for number, entry in enumerate(value))

    def free(self, key: str) -> dict[str, Any]:
        """An object with any content; empty when missing."""
        value = self._values.get(key, {})
        if not isinstance(value, dict):
            raise self.refuse(key, "an object")
        return dict(value)

    def _path(self, key: str) -> str:
        return f"{self._place}.{key}" if self._place else key


def quoted(value: Any) -> str:
    """A value as a message repeats it: on one line, and cut when it is long."""
    text = repr(value)
    return text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]}..."


def listed(names: Collection[str]) -> str:
    """Names in a sentence."""
    return ", ".join(names)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
