"""One line of the check."""

from __future__ import annotations

import enum
from dataclasses import asdict, dataclass
from typing import Any


class Level(enum.Enum):
    """How a thing is."""

    OK = "ok"
    """It works."""

    NOTE = "note"
    """Something optional is missing or slower than it could be."""

    PROBLEM = "problem"
    """Something does not work that was meant to."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Args:
        name: A stable name in kebab-case, for programs.
        title: The name that users read.
        level: How it is.
        text: What was found, as half a sentence.
        fix: What mends it; empty when nothing has to be.
        stops_core: Whether even the thresholds, which need no network, cannot work.
    """

    name: str
    title: str
    level: Level
    text: str
    fix: str = ""
    stops_core: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self) | {"level": self.level.value}


def ok(name: str, title: str, text: str) -> Finding:
    """What works."""
    return Finding(name, title, Level.OK, text)


def note(name: str, title: str, text: str, fix: str = "") -> Finding:
    """What is missing or slow, and need not be otherwise."""
    return Finding(name, title, Level.NOTE, text, fix)


def problem(name: str, title: str, text: str, fix: str, *, stops_core: bool = False) -> Finding:
    """What does not work."""
    return Finding(name, title, Level.PROBLEM, text, fix, stops_core)
