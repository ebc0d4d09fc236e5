"""Results in words that a clinician reads."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from HTSegmentationLib.remark import Remark, Severity

_NAME_WIDTH = 22
"""Where values start, so that they stand in a column."""

_TEXT_WIDTH = 110
"""Long remarks are wrapped here."""

_MARKS = {Severity.NOTE: "-", Severity.CAUTION: "!", Severity.WARNING: "!!"}
"""How a remark's severity looks in plain text."""


def row(name: str, value: str) -> str:
    """A name and its value, in columns."""
    return f"{name:<{_NAME_WIDTH - 1}} {value}"


def remark_lines(remarks: Iterable[Remark]) -> list[str]:
    """The remarks, the gravest first; empty when there are none."""
    order = [Severity.WARNING, Severity.CAUTION, Severity.NOTE]
    lines = []
    for remark in sorted(remarks, key=lambda remark: order.index(remark.severity)):
        mark = f"{_MARKS[remark.severity]:<3}"
        lines += textwrap.wrap(remark.text, _TEXT_WIDTH, initial_indent=mark, subsequent_indent="   ")
    return ["", "Remarks", *lines] if lines else []
