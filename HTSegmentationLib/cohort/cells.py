"""How values read in a table, and how they are kept from harming whoever opens it."""

from __future__ import annotations

import math
from typing import Any

UNDEFINED = "-"
"""What a cell shows that has no value."""

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet program takes text that begins so for a formula and runs it."""

_SMALLEST_P = 0.001
"""Smaller p-values are not told apart."""


def number(value: float | None, decimals: int = 2, sign: bool = False) -> str:
    """A number with that many decimals.

    Example:
        >>> number(0.666), number(None), number(1.5, 1, sign=True), number(-0.001)
        ('0.67', '-', '+1.5', '0.00')
    """
    if value is None or not math.isfinite(value):
        return UNDEFINED
    rounded = round(value, decimals) + 0.0
    return f"{rounded:{'+' if sign else ''}.{decimals}f}"


def mean_sd(mean: float | None, sd: float | None, decimals: int = 2) -> str:
    """Mean and SD as the papers write them: ``0.66 (0.17)``; of one case there is no SD."""
    if mean is None:
        return UNDEFINED
    return number(mean, decimals) if sd is None else f"{number(mean, decimals)} ({number(sd, decimals)})"


def interval(low: float | None, high: float | None, decimals: int = 2) -> str:
    """An interval: ``0.61 to 0.70``."""
    return UNDEFINED if low is None or high is None else f"{number(low, decimals)} to {number(high, decimals)}"


def p_value(value: float | None) -> str:
    """A p-value with three decimals: ``0.012``, ``<0.001``."""
    if value is None:
        return UNDEFINED
    return f"<{_SMALLEST_P}" if value < _SMALLEST_P else number(value, 3)


def share(value: float | None) -> str:
    """A share in percent with one decimal."""
    return UNDEFINED if value is None else f"{number(100 * value, 1)}%"


def safe_cell(value: Any) -> Any:
    """A value as a CSV cell; text that a spreadsheet program would run gets an apostrophe, what is not defined is empty."""
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS) and not _is_number(value):
        return f"'{value}"
    return "" if value is None else value


def unsafe_cell(text: str) -> str:
    """The text that :func:`safe_cell` kept from being a formula.

    Example:
        >>> unsafe_cell("'=1+1"), unsafe_cell("'tis")
        ('=1+1', "'tis")
    """
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA_STARTS) else text


def one_line(text: str) -> str:
    r"""Text from a file on one line, without characters that would steer a terminal.

    Example:
        >>> one_line("a\x1b[2Jb\n  c")
        'a [2Jb c'
    """
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
