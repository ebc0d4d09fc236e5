"""What a report holds, before it becomes HTML or PDF: built once, rendered twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from HTSegmentationLib.cohort.evaluation.table import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Sentences:
    """Plain text.

    Args:
        texts: One paragraph each, or one item each of a list.
        as_list: Whether it is a list.
    """

    texts: tuple[str, ...]
    as_list: bool = False


@dataclass(frozen=True)
class Facts:
    """Names and their values, below each other."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Picture:
    """A figure.

    Args:
        key: Its name, in snake_case.
        caption: What it shows, for everyone.
        seen: What is to be seen in it, in numbers, for whoever cannot see it.
        draw: Draws it with matplotlib.
    """

    key: str
    caption: str
    seen: str
    draw: Callable[[], Figure]


@dataclass(frozen=True)
class CasePicture:
    """One case of a gallery.

    Args:
        title: The case and its DSC.
        seen: What is to be seen, in words.
        png: The picture; None if it cannot be drawn.
        problem: Why it cannot be drawn; empty if it can.
    """

    title: str
    seen: str
    png: bytes | None = None
    problem: str = ""


@dataclass(frozen=True)
class Gallery:
    """Some cases side by side.

    Args:
        title: Which cases they are.
        cases: The cases.
    """

    title: str
    cases: tuple[CasePicture, ...]


Block: TypeAlias = Sentences | Facts | Table | Picture | Gallery


@dataclass(frozen=True)
class Section:
    """A part of the report with a heading.

    Args:
        key: Its name, in kebab-case.
        title: The heading.
        blocks: What is in it.
    """

    key: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Report:
    """The whole report.

    Args:
        title: The heading of all.
        facts: Cohort, methods and versions.
        sections: The sections in their order.
    """

    title: str
    facts: Facts
    sections: tuple[Section, ...]
