"""What an argument of a network may be; model folders come from others, so that every value is checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from HTSegmentationLib.errors import ParameterError


class Argument(Protocol):
    """Checks one argument of a network."""

    def checked(self, name: str, value: Any) -> Any:
        """The value, lists as tuples.

        Raises:
            ParameterError: It is none that is allowed; the message names what is.
        """
        ...


@dataclass(frozen=True)
class Whole:
    """A whole number.

    Args:
        lowest: The smallest that is allowed.
        highest: The largest that is allowed.

    Example:
        >>> Whole(1, 8).checked("levels", 4)
        4
    """

    lowest: int
    highest: int

    def checked(self, name: str, value: Any) -> int:
        """The number."""
        if isinstance(value, bool) or not isinstance(value, int) or not self.lowest <= value <= self.highest:
            raise ParameterError(f"{name}: {value!r} must be {self}")
        return value

    def __str__(self) -> str:
        return f"a whole number from {self.lowest} to {self.highest}"


@dataclass(frozen=True)
class Wholes:
    """A list of whole numbers.

    Args:
        each: What each of them may be.
        least: How many there are at least.
        most: How many there are at most.
    """

    each: Whole
    least: int
    most: int

    def checked(self, name: str, value: Any) -> tuple[int, ...]:
        """The numbers."""
        if not isinstance(value, (list, tuple)) or not self.least <= len(value) <= self.most:
            count = str(self.least) if self.least == self.most else f"{self.least} to {self.most}"
            raise ParameterError(f"{name}: {value!r} must be a list of {count} whole numbers")
        return tuple(self.each.checked(f"{name}[{number}]", item) for number, item in enumerate(value))


@dataclass(frozen=True)
class Probability:
    """A number from 0 to below 1."""

    def checked(self, name: str, value: Any) -> float:
        """The number."""
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1:
            raise ParameterError(f"{name}: {value!r} must be a number from 0 to below 1")
        return float(value)


@dataclass(frozen=True)
class Switch:
    """True or false."""

    def checked(self, name: str, value: Any) -> bool:
        """The value."""
        if not isinstance(value, bool):
            raise ParameterError(f"{name}: {value!r} must be true or false")
        return value
