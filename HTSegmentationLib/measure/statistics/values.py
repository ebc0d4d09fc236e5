"""What goes into every statistic and what comes out of it: finite values, and a record of plain ones."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from HTSegmentationLib.errors import UsageError

_LEAST = 1e-50
"""Values that differ by less, in whatever unit, are the same: products of squares of their differences are lost."""


class Result:
    """Base of the frozen dataclasses that the statistics return."""

    def as_dict(self) -> dict[str, Any]:
        """The statistic as plain values, for JSON and tables; an interval is a dictionary of its own."""
        return asdict(self)


def finite_values(values: ArrayLike) -> tuple[np.ndarray, int]:
    """The values that are numbers, and how many others (None, NaN, infinite) were left out.

    Raises:
        UsageError: The values are not one-dimensional.

    Example:
        >>> finite_values([1, None, float("nan"), 4])
        (array([1., 4.]), 2)
    """
    array = _one_dimensional(values)
    kept = array[np.isfinite(array)]
    return kept, array.size - kept.size


def finite_pairs(first: ArrayLike, second: ArrayLike) -> tuple[np.ndarray, np.ndarray, int]:
    """The pairs of which both values are numbers, and how many pairs were left out.

    Raises:
        UsageError: The two are not one-dimensional or differ in length.
    """
    one, other = _one_dimensional(first), _one_dimensional(second)
    if one.size != other.size:
        raise UsageError(f"paired values must go together: there are {one.size} of the first and {other.size} of the second")
    known = np.isfinite(one) & np.isfinite(other)
    return one[known], other[known], int(np.count_nonzero(~known))


def is_constant(values: np.ndarray) -> bool:
    """Whether all values are the same (or there are none); a standard deviation may differ from 0 by rounding even so."""
    return values.size == 0 or bool(np.ptp(values) < _LEAST)


def sample_sd(values: np.ndarray) -> float | None:
    """Sample standard deviation (n - 1); None for fewer than two values, 0 exactly if all are the same."""
    if values.size < 2:  # noqa: PLR2004  (one value does not vary)
        return None
    return 0.0 if is_constant(values) else float(values.std(ddof=1))


def _one_dimensional(values: ArrayLike) -> np.ndarray:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise UsageError(f"values of a statistic must be one-dimensional, one a case; they have the shape {array.shape}")
    return array
